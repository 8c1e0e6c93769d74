// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Reads propositions and the `locations` list.
///
/// From loose to tight, as in herd7: `\/`, `/\`, `=>` (to the right), `~` or `not`, comparisons.
final class ConditionParser {
    private static final Set<String> PROPOSITION_MARKS =
            Set.of("=", "==", "!=", "<>", "<", "<=", ">", ">=", "/\\", "\\/", "=>", "~");
    private static final Set<String> PROPOSITION_WORDS = Set.of("not", "true", "false");

    private final TokenStream in;
    private final ExprParser terms;

    ConditionParser(TokenStream in) {
        this.in = in;
        this.terms = new ExprParser(in, new TypeParser(in), true);
    }

    Prop proposition() {
        in.enter();
        int pos = in.peek().start();
        List<Prop> operands = new ArrayList<>();
        do {
            operands.add(conjunction());
        } while (in.accept("\\/"));
        in.leave();
        return operands.size() == 1 ? operands.getFirst() : new Prop.Or(pos, List.copyOf(operands));
    }

    private Prop conjunction() {
        int pos = in.peek().start();
        List<Prop> operands = new ArrayList<>();
        do {
            operands.add(implication());
        } while (in.accept("/\\"));
        return operands.size() == 1
                ? operands.getFirst()
                : new Prop.And(pos, List.copyOf(operands));
    }

    private Prop implication() {
        in.enter();
        Prop premise = negation();
        int pos = in.peek().start();
        Prop result = in.accept("=>") ? new Prop.Implies(pos, premise, implication()) : premise;
        in.leave();
        return result;
    }

    private Prop negation() {
        Token token = in.peek();
        if (!token.is("~") && !token.isName("not")) {
            return atom();
        }
        in.next();
        in.enter();
        Prop operand = negation();
        in.leave();
        return new Prop.Not(token.start(), operand);
    }

    private Prop atom() {
        Token token = in.peek();
        if (token.isName("true") || token.isName("false")) {
            in.next();
            return new Prop.Constant(token.start(), token.isName("true"));
        }
        if (token.is("(") && parenthesesHoldProposition()) {
            in.next();
            Prop inner = proposition();
            if (!in.peek().is(")")) {
                throw in.errorAt(
                        token.start(),
                        "this `(` is not closed: found " + in.peek().quoted() + " instead of `)`",
                        "put a `)` where it ends; join parts with /\\ or \\/");
            }
            in.next();
            return inner;
        }
        return comparison();
    }

    /// Whether the `(` that is next groups propositions rather than terms: it does if it is never
    /// closed, or holds something that no term has.
    private boolean parenthesesHoldProposition() {
        int depth = 0;
        for (int ahead = 0; in.peek(ahead).kind() != Token.Kind.END; ahead++) {
            Token token = in.peek(ahead);
            if (token.is("(")) {
                depth++;
            } else if (token.is(")")) {
                depth--;
                if (depth == 0) {
                    return false;
                }
            } else if (isOfProposition(token)) {
                return true;
            }
        }
        return true;
    }

    private static boolean isOfProposition(Token token) {
        return switch (token.kind()) {
            case PUNCTUATION -> PROPOSITION_MARKS.contains(token.text());
            case NAME -> PROPOSITION_WORDS.contains(token.text());
            case NUMBER, STRING, END -> false;
        };
    }

    private Prop comparison() {
        Expr left = term();
        Token token = in.peek();
        BinaryOp op = comparisonOp(token);
        if (op == null) {
            throw in.errorAt(
                    left.pos(),
                    "`" + ExprPrinter.print(left) + "` is not compared with anything",
                    "compare with = != < <= > or >=, such as `0:r0 = 1`");
        }
        in.next();
        Expr right = in.peek().is("{") ? terms.braces() : term();
        return new Prop.Compare(token.start(), op, left, right);
    }

    /// A term reaches as far as arithmetic does; other operators want parentheses.
    private Expr term() {
        return terms.binary(BinaryOp.SHL.precedence());
    }

    private static @Nullable BinaryOp comparisonOp(Token token) {
        if (token.is("=")) {
            return BinaryOp.EQ;
        }
        if (token.is("<>")) {
            return BinaryOp.NE;
        }
        BinaryOp op = BinaryOp.of(token);
        return op != null && op.isComparison() ? op : null;
    }

    /// Reads `[x; 0:r1; a[0];]`.
    List<Expr> locations() {
        in.expect("[", "after `locations`");
        List<Expr> items = new ArrayList<>();
        while (!in.peek().is("]")) {
            items.add(term());
            skipType();
            if (!in.accept(";")) {
                break;
            }
        }
        in.expect("]", "after the last location");
        return List.copyOf(items);
    }

    /// herd7 lets a location be followed by the type that it is to be printed with.
    private void skipType() {
        while (in.peek().kind() == Token.Kind.NAME || in.peek().is("*")) {
            in.next();
        }
    }
}
