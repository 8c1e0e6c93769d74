// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Accesses;
import org.interleaf.litmus.run.Cell;
import org.interleaf.litmus.run.Code;
import org.interleaf.litmus.run.Frame;
import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.run.Values;
import org.interleaf.litmus.run.Variable;
import org.interleaf.litmus.syntax.Decl;
import org.interleaf.litmus.syntax.Expr;
import org.interleaf.litmus.syntax.Names;
import org.interleaf.litmus.syntax.Stmt;
import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.machine.TaskKilled;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Compiles the init block: initial values in herd7's notation, and statements of C.
final class InitCompiler {
    private final Unit unit;
    private final ExprCompiler expressions;
    private final StmtCompiler statements;
    private final List<CompiledProcess> processes;

    InitCompiler(Unit unit, Registers registers, List<CompiledProcess> processes) {
        this.unit = unit;
        this.expressions =
                new ExprCompiler(unit, registers, "the init block") {
                    @Override
                    boolean canName(String id) {
                        return true;
                    }
                };
        this.statements = new StmtCompiler(expressions);
        this.processes = processes;
    }

    Code compile(List<Stmt> init) {
        List<Code> parts = new ArrayList<>();
        for (Stmt stmt : init) {
            parts.add(new Guarded(unit.site(stmt.pos(), "init"), compile(stmt)));
        }
        return new Code.Sequence(List.copyOf(parts));
    }

    private Code compile(Stmt stmt) {
        return switch (stmt) {
            case Stmt.Declaration s -> declaration(s);
            case Stmt.InitRegister s -> initRegister(s);
            case Stmt.Expression s -> expression(s);
            default -> statements.compile(stmt);
        };
    }

    private Code declaration(Stmt.Declaration declaration) {
        List<Code> parts = new ArrayList<>();
        for (Decl decl : declaration.decls()) {
            Variable variable = Objects.requireNonNull(unit.globals().find(decl.name()));
            Expr value = decl.initializer();
            if (value != null && variable.isArray()) {
                initializeArray(variable, value, parts);
            } else if (value != null) {
                parts.add(initialize(variable.cells().getFirst(), value));
            }
        }
        return new Code.Sequence(List.copyOf(parts));
    }

    private void initializeArray(Variable array, Expr value, List<Code> parts) {
        if (!(value instanceof Expr.Braces braces)
                || braces.items().size() > array.cells().size()) {
            throw unit.error(
                    value.pos(),
                    "an array is initialised by a list of at most "
                            + array.cells().size()
                            + " values",
                    "write { 1, 2 }");
        }
        for (int i = 0; i < braces.items().size(); i++) {
            parts.add(initialize(array.cells().get(i), braces.items().get(i)));
        }
    }

    private Code initialize(Cell cell, Expr value) {
        return new Code.Evaluate(new Accesses.Initialize(cell, initialValue(value)));
    }

    private Code expression(Stmt.Expression s) {
        if (s.expr() instanceof Expr.Assign assign && assign.op() == null) {
            Variable variable = assigned(assign.target());
            if (variable != null && !variable.isArray()) {
                return initialize(variable.cells().getFirst(), assign.value());
            }
        }
        if (s.expr() instanceof Expr.Name) {
            return new Code.Sequence(List.of()); // `x;` says that x is 0
        }
        return statements.compile(s);
    }

    private @Nullable Variable assigned(Expr target) {
        return switch (target) {
            case Expr.Name e -> unit.globals().find(e.id());
            case Expr.Contents e -> unit.globals().find(e.id());
            // herd7's `*x = y`
            case Expr.Deref e when e.pointer() instanceof Expr.Name name ->
                    unit.globals().isC(name.id()) ? null : unit.globals().find(name.id());
            default -> null;
        };
    }

    /// A bare name is the address of the location, as in herd7, unless it is that of a C variable.
    private Node initialValue(Expr value) {
        if (value instanceof Expr.Name name && unit.constant(name.id()) == null) {
            Variable variable = unit.globals().find(name.id());
            if (variable != null && !unit.globals().isC(name.id())) {
                return new Values.Const(variable.address());
            }
        }
        return expressions.operand(value).node();
    }

    private Code initRegister(Stmt.InitRegister s) {
        if (s.process() >= processes.size()) {
            throw unit.error(
                    s.pos(),
                    "there is no process P" + s.process(),
                    "the last one is P" + (processes.size() - 1));
        }
        CompiledProcess process = processes.get(s.process());
        Local local = process.registers().find(s.register());
        if (local == null) {
            throw unit.error(
                    s.pos(),
                    process.name() + " has no register `" + s.register() + "`",
                    Names.hint(s.register(), process.registers().names(), "use it there"));
        }
        Expr value = s.value();
        Node node = value == null ? new Values.Const(0) : initialValue(value);
        return new SetInitial(process.frame(), local, node);
    }

    /// Sets what a register of a process holds when the process begins.
    private record SetInitial(Frame target, Local local, Node value) implements Code {
        @Override
        public Signal run(Frame frame) {
            target.initialize(local.index(), local.type().convert(value.eval(frame)));
            return Signal.NEXT;
        }
    }

    /// A statement of the set-up, where waiting and dying are mistakes of the test.
    private record Guarded(CallSite site, Code code) implements Code {
        @Override
        public Signal run(Frame frame) {
            try {
                return code.run(frame);
            } catch (IllegalStateException e) {
                throw site.error(
                        "the init block waits for something that cannot happen: " + e.getMessage(),
                        "nothing else runs during the set-up");
            } catch (TaskKilled e) {
                throw site.error(
                        "the init block does something that kills it",
                        "the set-up of a test must not fail");
            }
        }
    }
}
