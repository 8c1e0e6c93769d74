// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Reads a whole test: what is before the init block, the block, the processes, the condition.
final class Parser {
    private final Source source;
    private final Preamble preamble;
    private final TokenStream in;
    private final Expectation expectation;
    private final List<ProcessDef> processes = new ArrayList<>();
    private @Nullable List<Expr> locations;
    private @Nullable Prop filter;
    private @Nullable Condition condition;

    Parser(Source source) {
        this.source = source;
        this.preamble = new Preamble(source);
        List<Comment> comments = new ArrayList<>(preamble.comments());
        this.in = new TokenStream(source, new Lexer(source, preamble.end(), comments).tokens());
        this.expectation = new ExpectationReader(source).read(comments);
    }

    LitmusTest test() {
        List<Stmt> init = new StmtParser(in, true).block("for the init block").statements();
        while (in.peek().kind() != Token.Kind.END) {
            section();
        }
        if (processes.isEmpty()) {
            throw in.error("the test has no process", "write `P0() { … }` after the init block");
        }
        return new LitmusTest(
                source,
                preamble.name(),
                preamble.doc(),
                expectation,
                preamble.config(),
                init,
                List.copyOf(processes),
                locations == null ? List.of() : locations,
                filter,
                condition == null ? defaultCondition() : condition);
    }

    private Condition defaultCondition() {
        int end = source.text().length();
        return new Condition(end, Condition.Quantifier.FORALL, new Prop.Constant(end, true));
    }

    private void section() {
        Token token = in.peek();
        if (token.kind() == Token.Kind.NAME && ProcessNumber.of(token) >= 0) {
            process();
        } else if (token.isName("locations")) {
            once(locations, token);
            in.next();
            locations = new ConditionParser(in).locations();
        } else if (token.isName("filter")) {
            once(filter, token);
            in.next();
            filter = new ConditionParser(in).proposition();
        } else {
            Condition.Quantifier quantifier = quantifier(token);
            once(condition, token);
            condition =
                    new Condition(token.start(), quantifier, new ConditionParser(in).proposition());
            in.accept(";");
        }
    }

    private void once(@Nullable Object earlier, Token token) {
        if (earlier != null) {
            throw in.error(
                    "a second `" + token.text() + "`",
                    "a test has one; join propositions with /\\ or \\/");
        }
    }

    private Condition.Quantifier quantifier(Token token) {
        if (in.acceptName("exists") || in.acceptName("final")) {
            return Condition.Quantifier.EXISTS;
        }
        if (in.acceptName("forall")) {
            return Condition.Quantifier.FORALL;
        }
        boolean negated = token.is("~") || token.isName("not");
        if (negated && in.peek(1).isName("exists")) {
            in.next();
            in.next();
            return Condition.Quantifier.NOT_EXISTS;
        }
        throw unexpected(token);
    }

    private LitmusException unexpected(Token token) {
        if (condition != null) {
            return in.error(
                    "unexpected " + token.quoted() + " after the condition",
                    "the condition is the last part of a test; join its parts with /\\ or \\/");
        }
        List<String> words = List.of("exists", "forall", "filter", "locations");
        return in.error(
                "expected a process or the condition but found " + token.quoted(),
                Names.hint(
                        token.text(),
                        words,
                        "after the init block come P0, P1, …, then locations, filter, exists"));
    }

    private void process() {
        Token token = in.next();
        int index = ProcessNumber.of(token);
        if (index != processes.size()) {
            throw in.errorAt(
                    token.start(),
                    "expected process P" + processes.size() + " but found " + token.quoted(),
                    "number the processes 0, 1, 2, … in the order in which they are written");
        }
        int start = in.position();
        List<Param> params = params();
        Stmt.Block body = new StmtParser(in, false).block("for the body of P" + index);
        processes.add(new ProcessDef(token.start(), index, params, body, in.takenSince(start)));
    }

    private List<Param> params() {
        TypeParser types = new TypeParser(in);
        List<Param> params = new ArrayList<>();
        in.expect("(", "after the name of the process");
        if (in.peek().isName("void") && in.peek(1).is(")")) {
            in.next();
        }
        while (!in.peek().is(")")) {
            TypeName type = types.type();
            Token name = in.expectName("the name of a parameter");
            params.add(new Param(name.start(), type, name.text()));
            if (!in.accept(",")) {
                break;
            }
        }
        in.expect(")", "after the parameters");
        return List.copyOf(params);
    }
}
