// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Reads the names of types, and tells a declaration from an expression.
///
/// Which types there are is known only to the compiler, since operations bring their own. So what a
/// C compiler would look up is told here by shape: `a_t b` and `a_t *b =` can only be declarations.
final class TypeParser {
    private static final Set<String> QUALIFIERS =
            Set.of(
                    "const",
                    "volatile",
                    "static",
                    "register",
                    "auto",
                    "extern",
                    "_Atomic",
                    "__user",
                    "__iomem",
                    "__rcu",
                    "__percpu",
                    "restrict");
    private static final Set<String> INTEGER_WORDS =
            Set.of("signed", "unsigned", "char", "short", "int", "long");
    private static final Set<String> OTHER_WORDS = Set.of("void", "bool", "_Bool");
    private static final Set<String> TAGS = Set.of("struct", "union", "enum");

    private final TokenStream in;

    TypeParser(TokenStream in) {
        this.in = in;
    }

    /// Whether the next token is a word that only a type begins with.
    boolean startsWithTypeWord() {
        return isTypeWord(in.peek());
    }

    private static boolean isTypeWord(Token token) {
        String word = token.text();
        return token.kind() == Token.Kind.NAME
                && (QUALIFIERS.contains(word)
                        || INTEGER_WORDS.contains(word)
                        || OTHER_WORDS.contains(word)
                        || TAGS.contains(word));
    }

    /// Whether a declaration is next; `registers` where `t 0:r1` declares too.
    boolean startsDeclaration(boolean registers) {
        if (startsWithTypeWord()) {
            return true;
        }
        if (in.peek().kind() != Token.Kind.NAME) {
            return false;
        }
        int stars = stars(1);
        Token after = in.peek(1 + stars);
        if (after.kind() == Token.Kind.NAME) {
            return stars == 0 || endsDeclarator(in.peek(2 + stars));
        }
        return registers && after.kind() == Token.Kind.NUMBER && in.peek(2 + stars).is(":");
    }

    private static boolean endsDeclarator(Token token) {
        return token.is("=") || token.is(";") || token.is(",") || token.is("[");
    }

    /// Whether, just after a `(`, a type and the `)` of a cast are next.
    boolean startsCast() {
        if (startsWithTypeWord()) {
            return true;
        }
        if (in.peek().kind() != Token.Kind.NAME) {
            return false;
        }
        int stars = stars(1);
        if (!in.peek(1 + stars).is(")")) {
            return false;
        }
        Token.Kind operand = in.peek(2 + stars).kind();
        return stars > 0
                || operand == Token.Kind.NAME
                || operand == Token.Kind.NUMBER
                || operand == Token.Kind.STRING;
    }

    private int stars(int ahead) {
        int stars = 0;
        while (in.peek(ahead + stars).is("*")) {
            stars++;
        }
        return stars;
    }

    /// Reads a type with its stars.
    TypeName type() {
        TypeName base = baseType();
        return withPointers(base);
    }

    /// Reads the stars of one declarator of `base`.
    TypeName withPointers(TypeName base) {
        int pointers = 0;
        while (true) {
            if (in.accept("*")) {
                pointers++;
            } else if (pointers > 0 && QUALIFIERS.contains(in.peek().text())) {
                in.next();
            } else {
                break;
            }
        }
        return new TypeName(base.pos(), base.name(), pointers, base.isVolatile());
    }

    /// Reads the words of a type, without stars.
    TypeName baseType() {
        int pos = in.peek().start();
        List<String> words = new ArrayList<>();
        boolean isVolatile = false;
        while (in.peek().kind() == Token.Kind.NAME && continues(words)) {
            String word = in.next().text();
            isVolatile |= word.equals("volatile");
            if (TAGS.contains(word)) {
                words.add(word + " " + in.expectName("the name of the " + word).text());
            } else if (!QUALIFIERS.contains(word)) {
                words.add(word);
            }
        }
        if (words.isEmpty()) {
            throw in.error("expected a type but found " + in.peek().quoted(), "such as `int *`");
        }
        return new TypeName(pos, canonical(words), 0, isVolatile);
    }

    /// Whether the next word still belongs to the type that `words` began.
    private boolean continues(List<String> words) {
        String word = in.peek().text();
        if (QUALIFIERS.contains(word)) {
            return true;
        }
        return words.isEmpty()
                || (INTEGER_WORDS.contains(word) && INTEGER_WORDS.contains(words.getFirst()));
    }

    /// `long unsigned int` and its like in the order that C programmers expect.
    private static String canonical(List<String> words) {
        if (!INTEGER_WORDS.contains(words.getFirst())) {
            return words.getFirst();
        }
        String sign = words.contains("unsigned") ? "unsigned " : "";
        if (words.contains("char")) {
            return words.contains("signed") ? "signed char" : sign + "char";
        }
        if (words.contains("short")) {
            return sign + "short";
        }
        return sign + (words.contains("long") ? "long" : "int");
    }
}
