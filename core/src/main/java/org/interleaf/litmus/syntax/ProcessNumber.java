// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

/// Reads the number of a process out of `1` or `P1`.
final class ProcessNumber {
    /// More processes than this in a test are surely a mistake.
    static final int MAX = 63;

    private ProcessNumber() {}

    /// The number, or -1 where the token is not the name of a process.
    static int of(Token token) {
        return switch (token.kind()) {
            case NUMBER -> token.value() >= 0 && token.value() <= MAX ? (int) token.value() : -1;
            case NAME -> ofName(token.text());
            case STRING, PUNCTUATION, END -> -1;
        };
    }

    private static int ofName(String name) {
        if (name.length() < 2 || name.length() > 3 || name.charAt(0) != 'P') {
            return -1;
        }
        int number = 0;
        for (int i = 1; i < name.length(); i++) {
            int digit = name.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            number = 10 * number + digit;
        }
        return number <= MAX ? number : -1;
    }
}
