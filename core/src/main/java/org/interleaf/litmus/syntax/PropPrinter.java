// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import java.util.List;
import java.util.stream.Collectors;

/// Writes conditions as herd7 does: `exists (0:r1=1 /\ [x]=2)`.
public final class PropPrinter {
    /// What stands around a proposition, which decides whether it needs parentheses.
    private enum Around {
        NOTHING,
        AND,
        OR,
        IMPLIES
    }

    private PropPrinter() {}

    /// The text of a condition.
    public static String print(Condition condition) {
        return condition.quantifier().word() + " (" + print(condition.prop(), Around.NOTHING) + ")";
    }

    private static String print(Prop prop, Around around) {
        return switch (prop) {
            case Prop.Constant p -> p.value() ? "true" : "false";
            case Prop.Not p -> not(print(p.operand(), Around.NOTHING));
            case Prop.And p -> {
                boolean group = around == Around.IMPLIES;
                yield parentheses(group, join(p.operands(), " /\\ ", Around.AND));
            }
            case Prop.Or p -> {
                boolean group = around == Around.AND || around == Around.IMPLIES;
                yield parentheses(group, join(p.operands(), " \\/ ", Around.OR));
            }
            case Prop.Implies p -> {
                boolean group = around == Around.AND || around == Around.OR;
                yield parentheses(
                        group,
                        print(p.premise(), Around.IMPLIES)
                                + " => "
                                + print(p.conclusion(), Around.IMPLIES));
            }
            case Prop.Compare p -> comparison(p);
        };
    }

    private static String join(List<Prop> operands, String connective, Around around) {
        return operands.stream()
                .map(operand -> print(operand, around))
                .collect(Collectors.joining(connective));
    }

    private static String parentheses(boolean needed, String text) {
        return needed ? "(" + text + ")" : text;
    }

    private static String not(String text) {
        return "not (" + text + ")";
    }

    private static String comparison(Prop.Compare p) {
        String left = term(p.left(), !(p.right() instanceof Expr.Braces));
        boolean equality = p.op() == BinaryOp.EQ || p.op() == BinaryOp.NE;
        String right = term(p.right(), !equality);
        return switch (p.op()) {
            case EQ -> left + "=" + right;
            case NE -> not(left + "=" + right);
            default -> left + p.op().symbol() + right;
        };
    }

    /// @param content whether a bare name stands for the content of the location
    private static String term(Expr expr, boolean content) {
        return expr instanceof Expr.Name name && content
                ? "[" + name.id() + "]"
                : ExprPrinter.print(expr);
    }
}
