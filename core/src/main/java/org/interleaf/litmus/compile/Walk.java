// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.syntax.Decl;
import org.interleaf.litmus.syntax.Expr;
import org.interleaf.litmus.syntax.Stmt;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.function.Consumer;

/// Visits all expressions and declarations below a statement.
final class Walk {
    private final Consumer<Expr> expressions;
    private final Consumer<Decl> declarations;

    Walk(Consumer<Expr> expressions, Consumer<Decl> declarations) {
        this.expressions = expressions;
        this.declarations = declarations;
    }

    void statements(List<Stmt> list) {
        list.forEach(this::statement);
    }

    void statement(@Nullable Stmt stmt) {
        switch (stmt) {
            case null -> {}
            case Stmt.Block s -> statements(s.statements());
            case Stmt.Expression s -> expression(s.expr());
            case Stmt.Declaration s -> s.decls().forEach(this::declaration);
            case Stmt.If s -> {
                expression(s.condition());
                statement(s.then());
                statement(s.otherwise());
            }
            case Stmt.While s -> {
                expression(s.condition());
                statement(s.body());
            }
            case Stmt.DoWhile s -> {
                statement(s.body());
                expression(s.condition());
            }
            case Stmt.For s -> {
                statement(s.init());
                expression(s.condition());
                expression(s.step());
                statement(s.body());
            }
            case Stmt.Return s -> expression(s.value());
            case Stmt.InitRegister s -> expression(s.value());
            case Stmt.Break s -> {}
            case Stmt.Continue s -> {}
        }
    }

    private void declaration(Decl decl) {
        declarations.accept(decl);
        expression(decl.length());
        expression(decl.initializer());
    }

    void expression(@Nullable Expr expr) {
        if (expr == null) {
            return;
        }
        expressions.accept(expr);
        for (Expr part : parts(expr)) {
            expression(part);
        }
    }

    /// The direct parts of an expression.
    static List<Expr> parts(Expr expr) {
        return switch (expr) {
            case Expr.IntConst e -> List.of();
            case Expr.StringConst e -> List.of();
            case Expr.Name e -> List.of();
            case Expr.Register e -> List.of();
            case Expr.Contents e -> List.of();
            case Expr.SizeOfType e -> List.of();
            case Expr.Unary e -> List.of(e.operand());
            case Expr.Deref e -> List.of(e.pointer());
            case Expr.AddressOf e -> List.of(e.target());
            case Expr.Index e -> List.of(e.base(), e.index());
            case Expr.Binary e -> List.of(e.left(), e.right());
            case Expr.Conditional e -> List.of(e.condition(), e.then(), e.otherwise());
            case Expr.Assign e -> List.of(e.target(), e.value());
            case Expr.Step e -> List.of(e.target());
            case Expr.Cast e -> List.of(e.operand());
            case Expr.SizeOf e -> List.of(e.operand());
            case Expr.Call e -> e.args();
            case Expr.Braces e -> e.items();
        };
    }
}
