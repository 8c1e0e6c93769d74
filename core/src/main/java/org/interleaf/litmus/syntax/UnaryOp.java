// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

/// The unary operators of C that compute; `*`, `&`, `++` and `--` are nodes of their own.
public enum UnaryOp {
    NEGATE("-"),
    PLUS("+"),
    COMPLEMENT("~"),
    NOT("!");

    private final String symbol;

    UnaryOp(String symbol) {
        this.symbol = symbol;
    }

    /// The operator as C writes it.
    public String symbol() {
        return symbol;
    }
}
