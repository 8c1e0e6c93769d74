// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Reads C expressions.
final class ExprParser {
    private final TokenStream in;
    private final TypeParser types;
    private final boolean registers;

    /// @param registers whether `1:r0` and `[x]` are known: in the init block and the condition
    ExprParser(TokenStream in, TypeParser types, boolean registers) {
        this.in = in;
        this.types = types;
        this.registers = registers;
    }

    /// An expression with everything that C allows but the comma operator.
    Expr expression() {
        in.enter();
        Expr left = conditional();
        Token token = in.peek();
        BinaryOp op = BinaryOp.ofAssignment(token);
        Expr result = left;
        if (op != null || token.is("=")) {
            checkAssignable(left, token);
            in.next();
            result = new Expr.Assign(token.start(), op, left, expression());
        }
        in.leave();
        return result;
    }

    private void checkAssignable(Expr target, Token where) {
        boolean assignable =
                switch (target) {
                    case Expr.Name n -> true;
                    case Expr.Deref d -> true;
                    case Expr.Index i -> true;
                    case Expr.Contents c -> true;
                    default -> false;
                };
        if (!assignable) {
            throw in.errorAt(
                    where.start(),
                    "what is on the left of `" + where.text() + "` cannot be assigned to",
                    "assign to a variable, `*p` or `a[i]`; to compare write `==`");
        }
    }

    private Expr conditional() {
        Expr condition = binary(1);
        if (!in.peek().is("?")) {
            return condition;
        }
        int pos = in.next().start();
        Expr then = expression();
        in.expect(":", "in the conditional expression");
        in.enter();
        Expr otherwise = conditional();
        in.leave();
        return new Expr.Conditional(pos, condition, then, otherwise);
    }

    /// An expression of operators that bind at least as tight as `precedence`.
    Expr binary(int precedence) {
        Expr left = unary();
        int operators = 0;
        Token token = in.peek();
        BinaryOp op = BinaryOp.of(token);
        while (op != null && op.precedence() >= precedence) {
            in.enter(); // each operator of a chain is one level of the tree
            operators++;
            in.next();
            left = new Expr.Binary(token.start(), op, left, binary(op.precedence() + 1));
            token = in.peek();
            op = BinaryOp.of(token);
        }
        in.leave(operators);
        return left;
    }

    private Expr unary() {
        in.enter();
        Token token = in.peek();
        Expr result = token.kind() == Token.Kind.PUNCTUATION ? prefixed(token) : null;
        if (result == null) {
            result = in.peek().isName("sizeof") ? sizeOf() : postfix();
        }
        in.leave();
        return result;
    }

    private @Nullable Expr prefixed(Token token) {
        int pos = token.start();
        return switch (token.text()) {
            case "-" -> new Expr.Unary(pos, UnaryOp.NEGATE, operand());
            case "+" -> new Expr.Unary(pos, UnaryOp.PLUS, operand());
            case "~" -> new Expr.Unary(pos, UnaryOp.COMPLEMENT, operand());
            case "!" -> new Expr.Unary(pos, UnaryOp.NOT, operand());
            case "*" -> new Expr.Deref(pos, operand());
            case "&" -> new Expr.AddressOf(pos, operand());
            case "++" -> step(token, 1);
            case "--" -> step(token, -1);
            case "(" -> castOrNull();
            default -> null;
        };
    }

    private Expr operand() {
        in.next();
        return unary();
    }

    private Expr step(Token token, int delta) {
        Expr target = operand();
        checkAssignable(target, token);
        return new Expr.Step(token.start(), target, delta, true);
    }

    private @Nullable Expr castOrNull() {
        Token parenthesis = in.next();
        if (!types.startsCast()) {
            return parenthesized(parenthesis);
        }
        TypeName type = types.type();
        in.expect(")", "after the type of the cast");
        return new Expr.Cast(parenthesis.start(), type, unary());
    }

    private Expr parenthesized(Token parenthesis) {
        Expr inner = expression();
        if (!in.peek().is(")")) {
            throw in.errorAt(
                    parenthesis.start(),
                    "this `(` is not closed: found " + in.peek().quoted() + " instead of `)`",
                    "put a `)` where the expression ends");
        }
        in.next();
        return postfixOf(inner);
    }

    private Expr sizeOf() {
        int pos = in.next().start();
        if (in.peek().is("(")) {
            in.next();
            if (types.startsWithTypeWord() || isTypeInParentheses()) {
                TypeName type = types.type();
                in.expect(")", "after the type");
                return new Expr.SizeOfType(pos, type);
            }
            Expr inner = expression();
            in.expect(")", "after the operand of sizeof");
            return new Expr.SizeOf(pos, inner);
        }
        return new Expr.SizeOf(pos, unary());
    }

    private boolean isTypeInParentheses() {
        return in.peek().kind() == Token.Kind.NAME
                && in.peek(1).is("*")
                && (in.peek(2).is(")") || in.peek(2).is("*"));
    }

    private Expr postfix() {
        return postfixOf(primary());
    }

    private Expr postfixOf(Expr start) {
        Expr result = start;
        int steps = 0;
        for (Expr next = postfixStep(result); next != null; next = postfixStep(result)) {
            in.enter();
            steps++;
            result = next;
        }
        in.leave(steps);
        return result;
    }

    private @Nullable Expr postfixStep(Expr base) {
        Token token = in.peek();
        if (token.is("[")) {
            in.next();
            Expr index = expression();
            in.expect("]", "after the index");
            return new Expr.Index(token.start(), base, index);
        }
        if (token.is("++") || token.is("--")) {
            checkAssignable(base, in.next());
            return new Expr.Step(token.start(), base, token.is("++") ? 1 : -1, false);
        }
        if (token.is("->") || token.is(".")) {
            throw in.error(
                    "the fields of a structure cannot be named in a litmus test",
                    "use an operation that looks into it; docs/litmus.md lists them");
        }
        return null;
    }

    private Expr primary() {
        Token token = in.peek();
        return switch (token.kind()) {
            case NAME -> nameOrCall();
            case NUMBER -> number();
            case STRING -> {
                in.next();
                yield new Expr.StringConst(token.start(), token.text());
            }
            case PUNCTUATION, END -> marked(token);
        };
    }

    private Expr marked(Token token) {
        if (registers && token.is("[")) {
            in.next();
            Token name = in.expectName("a location");
            in.expect("]", "after the location");
            return new Expr.Contents(token.start(), name.text());
        }
        if (token.is("{")) {
            return braces();
        }
        throw in.error(
                "expected an expression but found " + token.quoted(),
                "a value, a variable or a call belongs here");
    }

    /// `{ a, b }`.
    Expr.Braces braces() {
        int pos = in.next().start();
        List<Expr> items = new ArrayList<>();
        while (!in.peek().is("}")) {
            items.add(expression());
            if (!in.accept(",")) {
                break;
            }
        }
        in.expect("}", "after the last element");
        return new Expr.Braces(pos, List.copyOf(items));
    }

    private Expr nameOrCall() {
        if (registers && startsRegister()) {
            return register();
        }
        Token name = in.next();
        if (!in.peek().is("(")) {
            return new Expr.Name(name.start(), name.text());
        }
        return new Expr.Call(name.start(), name.text(), arguments());
    }

    private List<Expr> arguments() {
        Token parenthesis = in.next();
        List<Expr> args = new ArrayList<>();
        if (in.accept(")")) {
            return args;
        }
        do {
            args.add(expression());
        } while (in.accept(","));
        if (!in.accept(")")) {
            throw in.errorAt(
                    parenthesis.start(),
                    "this call is not closed: found " + in.peek().quoted() + " instead of `)`",
                    "put a `)` after the last argument, `,` between arguments");
        }
        return List.copyOf(args);
    }

    /// Whether `1:r0` or `P1:r0` is next.
    boolean startsRegister() {
        Token token = in.peek();
        boolean process = token.kind() == Token.Kind.NUMBER || ProcessNumber.of(token) >= 0;
        return process && in.peek(1).is(":");
    }

    /// Reads `1:r0`.
    Expr.Register register() {
        Token process = in.next();
        in.next();
        Token name = in.expectName("a register");
        int index = ProcessNumber.of(process);
        if (index < 0) {
            throw in.errorAt(
                    process.start(),
                    "`" + process.text() + "` is not the number of a process",
                    "write a register as `1:r0`: process, colon, name");
        }
        return new Expr.Register(process.start(), index, name.text());
    }

    private Expr number() {
        if (registers && startsRegister()) {
            return register();
        }
        return IntConstants.of(in.next());
    }
}
