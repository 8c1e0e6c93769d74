// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

/// Reads numbers, strings and character constants.
final class Literals {
    private final Source source;
    private final String text;

    Literals(Source source) {
        this.source = source;
        this.text = source.text();
    }

    /// The decimal, octal or hexadecimal number at `at`, with its suffixes (`U`, `L`) in the text.
    Token number(int at) {
        int end = at;
        while (end < text.length() && Lexer.isNamePart(text.charAt(end))) {
            end++;
        }
        String written = text.substring(at, end);
        return new Token(Token.Kind.NUMBER, at, end, written, value(at, withoutSuffix(written)));
    }

    private static String withoutSuffix(String written) {
        int end = written.length();
        while (end > 0 && "uUlL".indexOf(written.charAt(end - 1)) >= 0) {
            end--;
        }
        return written.substring(0, end);
    }

    private long value(int at, String digits) {
        try {
            if (digits.startsWith("0x") || digits.startsWith("0X")) {
                return Long.parseUnsignedLong(digits.substring(2), 16);
            }
            boolean octal = digits.length() > 1 && digits.charAt(0) == '0';
            return Long.parseUnsignedLong(digits, octal ? 8 : 10);
        } catch (NumberFormatException e) {
            throw source.error(
                    at,
                    "`" + shorten(digits) + "` is not a number",
                    "write a decimal, 0x hexadecimal or 0 octal number of at most 64 bits");
        }
    }

    private static String shorten(String digits) {
        return digits.length() <= 40 ? digits : digits.substring(0, 40) + "…";
    }

    Token string(int at) {
        StringBuilder value = new StringBuilder();
        int end = at + 1;
        while (charAt(at, end) != '"') {
            end = unescape(at, end, value);
        }
        return new Token(Token.Kind.STRING, at, end + 1, value.toString(), 0);
    }

    Token character(int at) {
        StringBuilder value = new StringBuilder();
        int end = unescape(at, at + 1, value);
        if (charAt(at, end) != '\'') {
            throw source.error(at, "a character constant holds one character", "write it as 'c'");
        }
        String written = text.substring(at, end + 1);
        return new Token(Token.Kind.NUMBER, at, end + 1, written, (byte) value.charAt(0));
    }

    /// Appends the character at `i`, escaped or not, and returns the offset after it.
    private int unescape(int start, int i, StringBuilder value) {
        char c = charAt(start, i);
        if (c != '\\') {
            value.append(c);
            return i + 1;
        }
        char escaped = charAt(start, i + 1);
        switch (escaped) {
            case 'n' -> value.append('\n');
            case 't' -> value.append('\t');
            case 'r' -> value.append('\r');
            case '0' -> value.append('\0');
            case '\\', '\'', '"' -> value.append(escaped);
            default ->
                    throw source.error(
                            i,
                            "unknown escape `\\" + escaped + "`",
                            "known are \\n \\t \\r \\0 \\\\ \\' \\\"");
        }
        return i + 2;
    }

    /// The character at `i` of the literal that began at `start`, which may not end before it.
    private char charAt(int start, int i) {
        if (i >= text.length() || text.charAt(i) == '\n') {
            char quote = text.charAt(start);
            throw source.error(
                    start, "this literal has no end", "close it with " + quote + " in its line");
        }
        return text.charAt(i);
    }
}
