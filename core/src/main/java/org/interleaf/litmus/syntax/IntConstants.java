// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

/// Gives an integer constant the type that C gives it: the first of `int`, `unsigned int`, `long`
/// and `unsigned long` that holds it and that its form allows.
final class IntConstants {
    private IntConstants() {}

    static Expr.IntConst of(Token token) {
        if (token.text().charAt(0) == '\'') {
            return new Expr.IntConst(token.start(), token.value(), false, false);
        }
        boolean decimal = token.text().charAt(0) != '0';
        boolean saysUnsigned = hasSuffix(token.text(), 'u');
        boolean saysLong = hasSuffix(token.text(), 'l');
        if (!saysLong && !saysUnsigned && fits(token.value(), Integer.MAX_VALUE)) {
            return new Expr.IntConst(token.start(), token.value(), false, false);
        }
        if (!saysLong && (saysUnsigned || !decimal) && fits(token.value(), 0xffff_ffffL)) {
            return new Expr.IntConst(token.start(), token.value(), true, false);
        }
        boolean unsigned = saysUnsigned || token.value() < 0;
        return new Expr.IntConst(token.start(), token.value(), unsigned, true);
    }

    private static boolean fits(long value, long limit) {
        return value >= 0 && value <= limit;
    }

    private static boolean hasSuffix(String text, char letter) {
        for (int i = text.length() - 1; i >= 0; i--) {
            char c = Character.toLowerCase(text.charAt(i));
            if (c == letter) {
                return true;
            }
            if (c != 'u' && c != 'l') {
                return false;
            }
        }
        return false;
    }
}
