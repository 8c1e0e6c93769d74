// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import java.util.ArrayList;
import java.util.List;

/// Cuts a test, from the brace that opens its init block, into tokens.
///
/// `(*` is a comment everywhere but in the bodies of processes, where it is C: a parenthesis and a
/// pointer. So the lexer counts braces: the first block is the init block, all others are bodies.
final class Lexer {
    /// Longest first, so that the first match is the right one.
    private static final String[] MARKS = {
        "<<=", ">>=", "...", "/\\", "\\/", "=>", "<>", "->", "++", "--", "<<", ">>", "<=", ">=",
        "==", "!=", "&&", "||", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "{", "}", "(", ")",
        "[", "]", ";", ",", ":", "?", "=", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "!",
        "~", "."
    };

    private final Source source;
    private final String text;
    private final Literals literals;
    private final List<Token> tokens = new ArrayList<>();
    private final List<Comment> comments;
    private int at;
    private int depth;
    private int blocks;

    /// Comments outside the bodies are added to `comments`.
    Lexer(Source source, int start, List<Comment> comments) {
        this.source = source;
        this.text = source.text();
        this.literals = new Literals(source);
        this.comments = comments;
        this.at = start;
    }

    /// All tokens, the last of which is the end of the file.
    List<Token> tokens() {
        while (skipBlanksAndComments()) {
            Token token = next();
            countBraces(token);
            tokens.add(token);
            at = token.end();
        }
        tokens.add(new Token(Token.Kind.END, text.length(), text.length(), "", 0));
        return tokens;
    }

    /// Whether there is anything after the blanks and comments.
    private boolean skipBlanksAndComments() {
        while (at < text.length()) {
            if (Character.isWhitespace(text.charAt(at))) {
                at++;
            } else if (Comments.startsC(text, at)) {
                skipComment(Comments.endOfC(source, at));
            } else if (Comments.startsOcaml(text, at) && !inBody()) {
                skipComment(Comments.endOfOcaml(source, at));
            } else {
                return true;
            }
        }
        return false;
    }

    private void skipComment(int end) {
        if (!inBody()) {
            comments.add(new Comment(at, end));
        }
        at = end;
    }

    private boolean inBody() {
        return depth > 0 && blocks > 1;
    }

    private void countBraces(Token token) {
        if (token.is("{")) {
            if (depth == 0) {
                blocks++;
            }
            depth++;
        } else if (token.is("}")) {
            depth--;
        }
    }

    private Token next() {
        char c = text.charAt(at);
        if (isNameStart(c)) {
            return name();
        }
        if (c >= '0' && c <= '9') {
            return literals.number(at);
        }
        if (c == '"') {
            return literals.string(at);
        }
        if (c == '\'') {
            return literals.character(at);
        }
        return mark(c);
    }

    private Token name() {
        int end = at + 1;
        while (end < text.length() && isNamePart(text.charAt(end))) {
            end++;
        }
        return new Token(Token.Kind.NAME, at, end, text.substring(at, end), 0);
    }

    private Token mark(char c) {
        for (String mark : MARKS) {
            if (text.startsWith(mark, at)) {
                return new Token(Token.Kind.PUNCTUATION, at, at + mark.length(), mark, 0);
            }
        }
        String shown = Character.isISOControl(c) || c > '~' ? "" : " `" + c + "`";
        throw source.error(
                at,
                "unexpected character" + shown + String.format(" (U+%04X)", (int) c),
                "a litmus test is C: remove it, or put it in a comment");
    }

    static boolean isNameStart(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    }

    static boolean isNamePart(char c) {
        return isNameStart(c) || (c >= '0' && c <= '9');
    }
}
