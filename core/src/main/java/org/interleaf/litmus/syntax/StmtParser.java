// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Reads C statements: those of a process, and with `init` those of the init block.
final class StmtParser {
    private static final Set<String> UNSUPPORTED =
            Set.of("goto", "switch", "case", "default", "typedef", "asm");

    private final TokenStream in;
    private final TypeParser types;
    private final ExprParser expressions;
    private final boolean init;

    StmtParser(TokenStream in, boolean init) {
        this.in = in;
        this.types = new TypeParser(in);
        this.expressions = new ExprParser(in, types, init);
        this.init = init;
    }

    /// Reads `{ … }`.
    Stmt.Block block(String where) {
        Token brace = in.expect("{", where);
        List<Stmt> statements = new ArrayList<>();
        while (!in.accept("}")) {
            if (in.peek().kind() == Token.Kind.END) {
                throw in.errorAt(brace.start(), "this `{` is not closed", "put a `}` at its end");
            }
            if (!in.accept(";")) {
                statements.add(statement());
            }
        }
        return new Stmt.Block(brace.start(), List.copyOf(statements));
    }

    private Stmt statement() {
        in.enter();
        Stmt result = unguarded();
        in.leave();
        return result;
    }

    private Stmt unguarded() {
        Token token = in.peek();
        if (token.is("{")) {
            return block("here");
        }
        if (token.is(";")) {
            in.next();
            return new Stmt.Block(token.start(), List.of());
        }
        if (token.kind() == Token.Kind.NAME) {
            Stmt keyword = keyword(token);
            if (keyword != null) {
                return keyword;
            }
        }
        return simple();
    }

    private @Nullable Stmt keyword(Token token) {
        if (UNSUPPORTED.contains(token.text())) {
            throw in.error(
                    "`" + token.text() + "` is not supported",
                    "use if, while, for, do, break and continue");
        }
        return switch (token.text()) {
            case "if" -> ifStatement();
            case "while" -> whileStatement();
            case "do" -> doStatement();
            case "for" -> forStatement();
            case "break" -> jump(new Stmt.Break(token.start()));
            case "continue" -> jump(new Stmt.Continue(token.start()));
            case "return" -> returnStatement();
            case "else" ->
                    throw in.error(
                            "`else` without `if`", "several statements after `if` need braces");
            default -> null;
        };
    }

    private Stmt ifStatement() {
        int pos = in.next().start();
        Expr condition = parenthesized("if");
        Stmt then = statement();
        Stmt otherwise = in.acceptName("else") ? statement() : null;
        return new Stmt.If(pos, condition, then, otherwise);
    }

    private Stmt whileStatement() {
        int pos = in.next().start();
        Expr condition = parenthesized("while");
        return new Stmt.While(pos, condition, statement());
    }

    private Stmt doStatement() {
        int pos = in.next().start();
        Stmt body = statement();
        if (!in.acceptName("while")) {
            throw in.error(
                    "expected `while` after the body of `do` but found " + in.peek().quoted(),
                    "write do { … } while (condition);");
        }
        Expr condition = parenthesized("while");
        endOfStatement();
        return new Stmt.DoWhile(pos, body, condition);
    }

    private Stmt forStatement() {
        int pos = in.next().start();
        in.expect("(", "after `for`");
        Stmt start = in.accept(";") ? null : simple();
        Expr condition = in.peek().is(";") ? null : expressions.expression();
        in.expect(";", "after the condition of `for`");
        Expr step = in.peek().is(")") ? null : expressions.expression();
        in.expect(")", "after the last part of `for`");
        return new Stmt.For(pos, start, condition, step, statement());
    }

    private Stmt jump(Stmt jump) {
        in.next();
        endOfStatement();
        return jump;
    }

    private Stmt returnStatement() {
        int pos = in.next().start();
        Expr value = in.peek().is(";") ? null : expressions.expression();
        endOfStatement();
        return new Stmt.Return(pos, value);
    }

    private Expr parenthesized(String keyword) {
        in.expect("(", "after `" + keyword + "`");
        Expr inner = expressions.expression();
        in.expect(")", "after the condition of `" + keyword + "`");
        return inner;
    }

    /// A declaration or an expression, with its semicolon.
    private Stmt simple() {
        Stmt result;
        if (types.startsDeclaration(init)) {
            result = declaration();
        } else if (init && expressions.startsRegister()) {
            result = initRegister(null);
        } else {
            Token token = in.peek();
            result = new Stmt.Expression(token.start(), expressions.expression());
        }
        endOfStatement();
        return result;
    }

    private void endOfStatement() {
        if (init && in.peek().is("}")) {
            return; // herd7 lets the last semicolon be left out
        }
        in.expect(";", "after this statement");
    }

    private Stmt declaration() {
        int pos = in.peek().start();
        TypeName base = types.baseType();
        TypeName type = types.withPointers(base);
        if (init && expressions.startsRegister()) {
            return initRegister(type);
        }
        List<Decl> decls = new ArrayList<>();
        decls.add(declarator(type));
        while (in.accept(",")) {
            decls.add(declarator(types.withPointers(base)));
        }
        return new Stmt.Declaration(pos, List.copyOf(decls));
    }

    private Decl declarator(TypeName type) {
        Token name = in.expectName("the name of a variable");
        Expr length = null;
        boolean isArray = in.accept("[");
        if (isArray && !in.peek().is("]")) {
            length = expressions.expression();
        }
        if (isArray) {
            in.expect("]", "after the length of the array");
        }
        Expr initializer = in.accept("=") ? expressions.expression() : null;
        return new Decl(name.start(), type, name.text(), isArray, length, initializer);
    }

    private Stmt initRegister(@Nullable TypeName type) {
        Expr.Register register = expressions.register();
        Expr value = in.accept("=") ? expressions.expression() : null;
        return new Stmt.InitRegister(
                register.pos(), type, register.process(), register.id(), value);
    }
}
