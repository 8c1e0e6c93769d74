// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

/// The binary operators of C, with their precedence: the higher, the tighter.
public enum BinaryOp {
    LOGICAL_OR("||", 1),
    LOGICAL_AND("&&", 2),
    OR("|", 3),
    XOR("^", 4),
    AND("&", 5),
    EQ("==", 6),
    NE("!=", 6),
    LT("<", 7),
    LE("<=", 7),
    GT(">", 7),
    GE(">=", 7),
    SHL("<<", 8),
    SHR(">>", 8),
    ADD("+", 9),
    SUB("-", 9),
    MUL("*", 10),
    DIV("/", 10),
    MOD("%", 10);

    private final String symbol;
    private final int precedence;

    BinaryOp(String symbol, int precedence) {
        this.symbol = symbol;
        this.precedence = precedence;
    }

    /// The operator as C writes it.
    public String symbol() {
        return symbol;
    }

    int precedence() {
        return precedence;
    }

    /// Whether it compares its operands, so that its value is 0 or 1.
    public boolean isComparison() {
        return precedence == EQ.precedence || precedence == LT.precedence;
    }

    static @Nullable BinaryOp of(Token token) {
        if (token.kind() != Token.Kind.PUNCTUATION) {
            return null;
        }
        for (BinaryOp op : values()) {
            if (op.symbol.equals(token.text())) {
                return op;
            }
        }
        return null;
    }

    /// The operator of a compound assignment such as `+=`.
    static @Nullable BinaryOp ofAssignment(Token token) {
        if (token.kind() != Token.Kind.PUNCTUATION || token.text().length() < 2) {
            return null;
        }
        for (BinaryOp op : values()) {
            boolean compound =
                    op.precedence >= SHL.precedence || op == OR || op == XOR || op == AND;
            if (compound && token.text().equals(op.symbol + "=")) {
                return op;
            }
        }
        return null;
    }
}
