// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Code;
import org.interleaf.litmus.run.Code.Signal;
import org.interleaf.litmus.run.Loop;
import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.syntax.Decl;
import org.interleaf.litmus.syntax.Expr;
import org.interleaf.litmus.syntax.Stmt;
import org.interleaf.litmus.vocabulary.Type;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Compiles the statements of one process, or the inner statements of the init block.
final class StmtCompiler {
    private final Unit unit;
    private final ExprCompiler expressions;
    private final Registers registers;
    private int loops;

    StmtCompiler(ExprCompiler expressions) {
        this.unit = expressions.unit();
        this.expressions = expressions;
        this.registers = expressions.registers();
    }

    Code compile(Stmt stmt) {
        return switch (stmt) {
            case Stmt.Block s -> block(s);
            case Stmt.Expression s -> new Code.Evaluate(expressions.value(s.expr()).node());
            case Stmt.Declaration s -> declaration(s);
            case Stmt.If s -> branch(s);
            case Stmt.While s -> loop(s.pos(), true, s.condition(), s.body(), null);
            case Stmt.DoWhile s -> loop(s.pos(), false, s.condition(), s.body(), null);
            case Stmt.For s -> forLoop(s);
            case Stmt.Break s -> jump(s.pos(), "break", Signal.BREAK);
            case Stmt.Continue s -> jump(s.pos(), "continue", Signal.CONTINUE);
            case Stmt.Return s -> end(s);
            case Stmt.InitRegister s ->
                    throw unit.error(
                            s.pos(),
                            "a register can only be set in the init block itself",
                            "move it out of the braces");
        };
    }

    private Code block(Stmt.Block block) {
        List<Code> parts = new ArrayList<>();
        for (Stmt stmt : block.statements()) {
            parts.add(compile(stmt));
        }
        return parts.size() == 1 ? parts.getFirst() : new Code.Sequence(List.copyOf(parts));
    }

    private Code declaration(Stmt.Declaration declaration) {
        List<Code> parts = new ArrayList<>();
        for (Decl decl : declaration.decls()) {
            Local local = registers.declare(decl.name(), registerType(decl));
            Expr initializer = decl.initializer();
            if (initializer != null) {
                Node value = expressions.operand(initializer).node();
                parts.add(new Code.Evaluate(Assignments.setRegister(local, value).node()));
            }
        }
        return new Code.Sequence(List.copyOf(parts));
    }

    private Type registerType(Decl decl) {
        Type type = unit.types().resolve(decl.type());
        if (decl.isArray() || type.bytes() == 0) {
            throw unit.error(
                    decl.pos(),
                    "a register holds a number or a pointer",
                    "declare arrays and locks in the init block");
        }
        return type;
    }

    private Code branch(Stmt.If s) {
        Node condition = expressions.operand(s.condition()).node();
        Code then = compile(s.then());
        Stmt otherwise = s.otherwise();
        return new Code.Branch(condition, then, otherwise == null ? null : compile(otherwise));
    }

    private Code forLoop(Stmt.For s) {
        Stmt init = s.init();
        Code start = init == null ? new Code.Sequence(List.of()) : compile(init);
        Code loop = loop(s.pos(), true, s.condition(), s.body(), s.step());
        return new Code.Sequence(List.of(start, loop));
    }

    private Code loop(
            int pos, boolean testFirst, @Nullable Expr condition, Stmt body, @Nullable Expr step) {
        Node test = condition == null ? null : expressions.operand(condition).node();
        loops++;
        Code inner = compile(body);
        loops--;
        Node after = step == null ? null : expressions.value(step).node();
        String where = unit.source().name() + ":" + unit.source().line(pos);
        return new Loop(where, testFirst, test, inner, after);
    }

    private Code jump(int pos, String word, Signal signal) {
        if (loops == 0) {
            throw unit.error(pos, "`" + word + "` outside of a loop", "remove it");
        }
        return new Code.Jump(signal);
    }

    private Code end(Stmt.Return s) {
        Code jump = new Code.Jump(Signal.RETURN);
        Expr value = s.value();
        if (value == null) {
            return jump;
        }
        return new Code.Sequence(List.of(new Code.Evaluate(expressions.value(value).node()), jump));
    }
}
