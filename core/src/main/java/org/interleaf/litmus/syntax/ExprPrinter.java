// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import java.util.List;
import java.util.stream.Collectors;

/// Writes expressions, as short as C allows.
public final class ExprPrinter {
    private static final int TIGHTEST = 100;

    private ExprPrinter() {}

    /// The text of an expression.
    public static String print(Expr expr) {
        return switch (expr) {
            case Expr.IntConst e ->
                    e.unsigned() ? Long.toUnsignedString(e.value()) : Long.toString(e.value());
            case Expr.StringConst e -> '"' + e.value() + '"';
            case Expr.Name e -> e.id();
            case Expr.Register e -> e.process() + ":" + e.id();
            case Expr.Contents e -> "[" + e.id() + "]";
            case Expr.Unary e -> e.op().symbol() + operand(e.operand(), TIGHTEST);
            case Expr.Deref e -> "*" + operand(e.pointer(), TIGHTEST);
            case Expr.AddressOf e -> "&" + operand(e.target(), TIGHTEST);
            case Expr.Index e -> operand(e.base(), TIGHTEST) + "[" + print(e.index()) + "]";
            case Expr.Binary e -> {
                int precedence = e.op().precedence();
                yield operand(e.left(), precedence)
                        + " "
                        + e.op().symbol()
                        + " "
                        + operand(e.right(), precedence + 1);
            }
            case Expr.Conditional e ->
                    operand(e.condition(), 1)
                            + " ? "
                            + print(e.then())
                            + " : "
                            + operand(e.otherwise(), 0);
            case Expr.Assign e ->
                    print(e.target())
                            + " "
                            + (e.op() == null ? "" : e.op().symbol())
                            + "= "
                            + print(e.value());
            case Expr.Step e -> {
                String step = e.delta() > 0 ? "++" : "--";
                String target = operand(e.target(), TIGHTEST);
                yield e.prefix() ? step + target : target + step;
            }
            case Expr.Cast e -> "(" + e.type() + ")" + operand(e.operand(), TIGHTEST);
            case Expr.SizeOfType e -> "sizeof(" + e.type() + ")";
            case Expr.SizeOf e -> "sizeof(" + print(e.operand()) + ")";
            case Expr.Call e -> e.function() + "(" + list(e.args()) + ")";
            case Expr.Braces e -> "{" + list(e.items()) + "}";
        };
    }

    private static String list(List<Expr> items) {
        return items.stream().map(ExprPrinter::print).collect(Collectors.joining(", "));
    }

    /// An operand, in parentheses where its operator binds looser than `precedence`.
    private static String operand(Expr expr, int precedence) {
        int own =
                switch (expr) {
                    case Expr.Binary e -> e.op().precedence();
                    case Expr.Conditional e -> 0;
                    case Expr.Assign e -> 0;
                    default -> TIGHTEST;
                };
        return own < precedence ? "(" + print(expr) + ")" : print(expr);
    }
}
