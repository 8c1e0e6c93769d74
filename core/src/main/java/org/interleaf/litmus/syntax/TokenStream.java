// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import java.util.List;

/// The tokens of a test and how far they have been read.
final class TokenStream {
    /// How deep anything may nest: far beyond use, far before the stack ends.
    private static final int MAX_DEPTH = 200;

    private final Source source;
    private final List<Token> tokens;
    private int at;
    private int depth;

    TokenStream(Source source, List<Token> tokens) {
        this.source = source;
        this.tokens = tokens;
    }

    /// The next token, which stays the next.
    Token peek() {
        return peek(0);
    }

    /// The token `ahead` places after the next.
    Token peek(int ahead) {
        return tokens.get(Math.min(at + ahead, tokens.size() - 1));
    }

    /// Takes the next token. The end of the file is never passed.
    Token next() {
        Token token = peek();
        if (at < tokens.size() - 1) {
            at++;
        }
        return token;
    }

    /// How many tokens have been taken.
    int position() {
        return at;
    }

    /// What was taken since {@link #position} was `from`, as messages quote it; strings in full.
    List<String> takenSince(int from) {
        return tokens.subList(from, at).stream()
                .map(token -> token.kind() == Token.Kind.STRING ? token.text() : token.quoted())
                .toList();
    }

    /// Takes the next token if it is this mark.
    boolean accept(String mark) {
        if (!peek().is(mark)) {
            return false;
        }
        next();
        return true;
    }

    /// Takes the next token if it is this word.
    boolean acceptName(String word) {
        if (!peek().isName(word)) {
            return false;
        }
        next();
        return true;
    }

    /// Takes this mark, which must be next; `where` says after or in what, for the message.
    Token expect(String mark, String where) {
        if (!peek().is(mark)) {
            throw missing(mark, where);
        }
        return next();
    }

    /// Takes a name, which must be next.
    Token expectName(String what) {
        if (peek().kind() != Token.Kind.NAME) {
            throw error(
                    "expected " + what + " but found " + peek().quoted(),
                    "write a name here: letters, digits and `_`");
        }
        return next();
    }

    private LitmusException missing(String mark, String where) {
        boolean endsSomething = mark.equals(";") || mark.equals(")") || mark.equals("]");
        int pos = endsSomething && at > 0 ? tokens.get(at - 1).end() : peek().start();
        return source.error(
                pos,
                "expected `" + mark + "` " + where + " but found " + peek().quoted(),
                "put a `" + mark + "` here");
    }

    /// A complaint about the next token.
    LitmusException error(String message, String hint) {
        return source.error(peek().start(), message, hint);
    }

    /// A complaint about something read before.
    LitmusException errorAt(int pos, String message, String hint) {
        return source.error(pos, message, hint);
    }

    /// Notes that the parser goes one level deeper.
    void enter() {
        if (++depth > MAX_DEPTH) {
            throw error(
                    "nested deeper than " + MAX_DEPTH + " levels", "split it into simpler parts");
        }
    }

    /// Notes that the parser comes back from a level.
    void leave() {
        depth--;
    }

    /// Notes that the parser comes back from several levels.
    void leave(int levels) {
        depth -= levels;
    }
}
