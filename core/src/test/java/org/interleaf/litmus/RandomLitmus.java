// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// A random litmus test, as text and, made along with it, as code for a {@link TinyInterpreter}: so
/// what the text means is written down here a second time, apart from parser and compiler.
final class RandomLitmus {
    /// Registers of each process that statements use; beyond them the interpreter has its own.
    static final int REGISTERS = 3;

    static final List<String> VARIABLES = List.of("x", "y", "a", "b");

    private static final int ATOMICS = 2;
    private static final int LOCK = VARIABLES.size();
    private static final int[] CONSTANTS = {0, 1, 1, 2, 3, -1, -2, Integer.MAX_VALUE};

    private final Random random;
    private final StringBuilder text = new StringBuilder();
    private final List<List<TinyInterpreter.Step>> threads = new ArrayList<>();
    private final int[] initial = new int[LOCK + 1];
    private final Condition condition;
    private List<TinyInterpreter.Step> code = new ArrayList<>();
    private int temporaries;
    private String indent = "";

    /// An expression over the registers of a process.
    record Expr(String text, int precedence, TinyInterpreter.Value value) {
        String within(int least) {
            return precedence < least ? "(" + text + ")" : text;
        }
    }

    /// What the test asks of a final state.
    record Condition(String text, TinyInterpreter.Question holds) {}

    RandomLitmus(long seed) {
        random = new Random(seed * 0x9e3779b97f4a7c15L);
        text.append("C random\n\n{\n");
        for (int v = 0; v < VARIABLES.size(); v++) {
            initial[v] = random.nextBoolean() ? 0 : constant();
            text.append(VARIABLES.get(v) + " = " + initial[v] + ";\n");
        }
        text.append("}\n");
        int count = 2 + random.nextInt(2);
        for (int p = 0; p < count; p++) {
            process(p);
        }
        condition = condition(2);
        text.append("\nlocations [x; y; a; b;");
        for (int p = 0; p < count; p++) {
            for (int r = 0; r < REGISTERS; r++) {
                text.append(" " + p + ":r" + r + ";");
            }
        }
        String[] quantifiers = {"exists", "~exists", "forall"};
        text.append("]\n" + pick(quantifiers) + " (" + condition.text + ")\n");
    }

    String text() {
        return text.toString();
    }

    List<List<TinyInterpreter.Step>> threads() {
        return threads;
    }

    int[] initial() {
        return initial;
    }

    Condition condition() {
        return condition;
    }

    private <T> T pick(T[] from) {
        return from[random.nextInt(from.length)];
    }

    private int constant() {
        return CONSTANTS[random.nextInt(CONSTANTS.length)];
    }

    private int register() {
        return random.nextInt(REGISTERS);
    }

    // ---- statements

    private void process(int p) {
        code = new ArrayList<>();
        temporaries = 0;
        text.append("\nP" + p + "(int *x, int *y, atomic_t *a, atomic_t *b, spinlock_t *l)\n{\n");
        indent = "\t";
        line("int r0 = 0;");
        line("int r1 = " + p + ";");
        line("int r2 = 0, i0, i1, i2;");
        int constant = p;
        code.add(new TinyInterpreter.Local(1, r -> constant));
        statements(1 + random.nextInt(4), 2);
        indent = "";
        line("}");
        threads.add(code);
    }

    private void line(String line) {
        text.append(indent).append(line).append('\n');
    }

    private void statements(int count, int depth) {
        for (int i = 0; i < count; i++) {
            statement(depth);
        }
    }

    private void statement(int depth) {
        switch (random.nextInt(depth == 0 ? 7 : 11)) {
            case 0 -> assignment();
            case 1, 2 -> accessOfInt();
            case 3, 4, 5, 6 -> accessOfAtomic();
            case 7, 8 -> branch(depth);
            case 9 -> loop(depth);
            default -> section(depth);
        }
    }

    private void assignment() {
        int to = register();
        if (random.nextInt(3) == 0) {
            String[] ops = {"+=", "-=", "*=", "|=", "&=", "^="};
            String op = pick(ops);
            Expr e = expr(1);
            line("r" + to + " " + op + " " + e.text + ";");
            Expr old = name(to);
            Expr sum = binary(op.substring(0, op.length() - 1), old, e);
            code.add(new TinyInterpreter.Local(to, sum.value));
            return;
        }
        Expr e = expr(3);
        line("r" + to + " = " + e.text + ";");
        code.add(new TinyInterpreter.Local(to, e.value));
    }

    private void accessOfInt() {
        int v = random.nextInt(VARIABLES.size() - ATOMICS);
        String x = VARIABLES.get(v);
        Expr e = expr(2);
        int to = register();
        switch (random.nextInt(6)) {
            case 0 -> {
                line("WRITE_ONCE(*" + x + ", " + e.text + ");");
                access(v, -1, (old, r) -> e.value.of(r), (old, r) -> 0);
            }
            case 1 -> {
                line("smp_store_release(" + x + ", " + e.text + ");");
                access(v, -1, (old, r) -> e.value.of(r), (old, r) -> 0);
            }
            case 2 -> {
                Expr read = read(v, "READ_ONCE(*" + x + ")");
                Expr sum = binary(pick(new String[] {"+", "*", "-", "=="}), read, e);
                line("r" + to + " = " + sum.text + ";");
                code.add(new TinyInterpreter.Local(to, sum.value));
            }
            case 3 -> {
                line("r" + to + " = smp_load_acquire(" + x + ");");
                access(v, to, (old, r) -> old, (old, r) -> old);
            }
            case 4 -> {
                line("r" + to + " = xchg(" + x + ", " + e.text + ");");
                access(v, to, (old, r) -> e.value.of(r), (old, r) -> old);
            }
            default -> {
                Expr wanted = expr(1);
                line("r" + to + " = cmpxchg(" + x + ", " + e.text + ", " + wanted.text + ");");
                TinyInterpreter.Change swap =
                        (old, r) -> old == e.value.of(r) ? wanted.value.of(r) : old;
                access(v, to, swap, (old, r) -> old);
            }
        }
    }

    private void access(int v, int to, TinyInterpreter.Change left, TinyInterpreter.Change seen) {
        code.add(new TinyInterpreter.Access(v, to, left, seen));
    }

    /// An atomic read in the middle of an expression.
    private Expr read(int v, String call) {
        int temporary = REGISTERS + temporaries++;
        access(v, temporary, (old, r) -> old, (old, r) -> old);
        return new Expr(call, 20, r -> r[temporary]);
    }

    private void accessOfAtomic() {
        int v = VARIABLES.size() - 1 - random.nextInt(ATOMICS);
        String a = VARIABLES.get(v);
        Expr e = expr(1);
        TinyInterpreter.Change sum = (old, r) -> old + e.value.of(r);
        int to = register();
        String set = "r" + to + " = ";
        switch (random.nextInt(14)) {
            case 0 -> update(v, "atomic_inc(" + a + ");", (old, r) -> old + 1);
            case 1 -> update(v, "atomic_add(" + e.text + ", " + a + ");", sum);
            case 2 ->
                    update(
                            v,
                            "atomic_sub(" + e.text + ", " + a + ");",
                            (old, r) -> old - e.value.of(r));
            case 3 ->
                    update(
                            v,
                            "atomic_or(" + e.text + ", " + a + ");",
                            (old, r) -> old | e.value.of(r));
            case 4 -> update(v, "atomic_set(" + a + ", " + e.text + ");", (o, r) -> e.value.of(r));
            case 5 -> {
                line(set + "atomic_read(" + a + ");");
                access(v, to, (old, r) -> old, (old, r) -> old);
            }
            case 6 -> {
                line(set + "atomic_add_return(" + e.text + ", " + a + ");");
                access(v, to, sum, sum);
            }
            case 7 -> {
                line(set + "atomic_fetch_add(" + e.text + ", " + a + ");");
                access(v, to, sum, (old, r) -> old);
            }
            case 8 -> {
                line(set + "atomic_dec_and_test(" + a + ");");
                access(v, to, (old, r) -> old - 1, (old, r) -> old == 1 ? 1 : 0);
            }
            case 9 -> {
                line(set + "atomic_add_unless(" + a + ", " + e.text + ", 1);");
                TinyInterpreter.Change unless = (old, r) -> old == 1 ? old : sum.of(old, r);
                access(v, to, unless, (old, r) -> old == 1 ? 0 : 1);
            }
            case 10 -> {
                line(set + "atomic_cmpxchg(" + a + ", " + e.text + ", 2);");
                access(v, to, (old, r) -> old == e.value.of(r) ? 2 : old, (old, r) -> old);
            }
            case 11 -> {
                line(set + "atomic_fetch_xor(" + e.text + ", " + a + ");");
                access(v, to, (old, r) -> old ^ e.value.of(r), (old, r) -> old);
            }
            case 12 -> {
                line(set + "atomic_add_negative(" + e.text + ", " + a + ");");
                access(v, to, sum, (old, r) -> sum.of(old, r) < 0 ? 1 : 0);
            }
            default -> {
                line(set + "atomic_inc_return_relaxed(" + a + ");");
                access(v, to, (old, r) -> old + 1, (old, r) -> old + 1);
            }
        }
    }

    private void update(int v, String statement, TinyInterpreter.Change left) {
        line(statement);
        access(v, -1, left, (old, r) -> 0);
    }

    private void branch(int depth) {
        Expr e;
        if (random.nextBoolean()) {
            int v = random.nextInt(VARIABLES.size() - ATOMICS);
            Expr read = read(v, "READ_ONCE(*" + VARIABLES.get(v) + ")");
            e = binary(pick(new String[] {"==", "<", "&&", "!="}), read, expr(1));
        } else {
            e = expr(2);
        }
        line("if (" + e.text + ") {");
        TinyInterpreter.Branch branch = new TinyInterpreter.Branch(e.value);
        code.add(branch);
        inside(() -> statements(1 + random.nextInt(2), depth - 1));
        if (random.nextBoolean()) {
            line("} else {");
            TinyInterpreter.Branch end = new TinyInterpreter.Branch(r -> 0);
            code.add(end);
            branch.target = code.size();
            inside(() -> statements(1, depth - 1));
            end.target = code.size();
        } else {
            branch.target = code.size();
        }
        line("}");
    }

    private void inside(Runnable block) {
        String outside = indent;
        indent += "\t";
        block.run();
        indent = outside;
    }

    /// Two rounds at most, with a way out.
    private void loop(int depth) {
        int counter = REGISTERS + temporaries++;
        String i = "i" + (2 - depth);
        Expr e = expr(1);
        line("for (" + i + " = 0; " + i + " < 2; " + i + "++) {");
        code.add(new TinyInterpreter.Local(counter, r -> 0));
        int head = code.size();
        TinyInterpreter.Branch over = new TinyInterpreter.Branch(r -> r[counter] < 2 ? 1 : 0);
        code.add(over);
        TinyInterpreter.Branch out = new TinyInterpreter.Branch(r -> e.value.of(r) == 0 ? 1 : 0);
        inside(
                () -> {
                    statements(1, depth - 1);
                    line("if (" + e.text + ")");
                    line("\tbreak;");
                    code.add(out);
                });
        line("}");
        code.add(new TinyInterpreter.Local(counter, r -> r[counter] + 1));
        TinyInterpreter.Branch back = new TinyInterpreter.Branch(r -> 0);
        back.target = head;
        code.add(back);
        over.target = code.size();
        out.target = code.size();
    }

    private void section(int depth) {
        line("spin_lock(l);");
        code.add(new TinyInterpreter.Lock(LOCK));
        statements(1 + random.nextInt(2), 0);
        line("spin_unlock(l);");
        access(LOCK, -1, (old, r) -> 0, (old, r) -> 0);
        if (depth > 1) {
            line("smp_mb();");
        }
    }

    // ---- expressions

    private static Expr name(int register) {
        return new Expr("r" + register, 20, r -> r[register]);
    }

    private Expr expr(int depth) {
        if (depth == 0 || random.nextInt(3) == 0) {
            if (random.nextBoolean()) {
                return name(register());
            }
            int c = constant();
            return new Expr(Integer.toString(c), c < 0 ? 11 : 20, r -> c);
        }
        Expr left = expr(depth - 1);
        return switch (random.nextInt(8)) {
            case 0 -> new Expr("!" + left.within(20), 11, r -> left.value.of(r) == 0 ? 1 : 0);
            case 1 -> new Expr("~" + left.within(20), 11, r -> ~left.value.of(r));
            case 2 -> new Expr("-" + left.within(20), 11, r -> -left.value.of(r));
            case 3 -> choice(left, expr(depth - 1), expr(depth - 1));
            default -> binary(pick(OPERATORS), left, expr(depth - 1));
        };
    }

    private static Expr choice(Expr asked, Expr yes, Expr no) {
        String all = asked.within(1) + " ? " + yes.within(1) + " : " + no.within(1);
        return new Expr(all, 0, r -> asked.value.of(r) != 0 ? yes.value.of(r) : no.value.of(r));
    }

    private static final String[] OPERATORS = {
        "||", "&&", "|", "^", "&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*"
    };

    private static Expr binary(String op, Expr left, Expr right) {
        int precedence =
                switch (op) {
                    case "||" -> 1;
                    case "&&" -> 2;
                    case "|" -> 3;
                    case "^" -> 4;
                    case "&" -> 5;
                    case "==", "!=" -> 6;
                    case "<", "<=", ">", ">=" -> 7;
                    case "+", "-" -> 9;
                    default -> 10;
                };
        String text = left.within(precedence) + " " + op + " " + right.within(precedence + 1);
        return new Expr(text, precedence, r -> apply(op, left.value.of(r), right.value.of(r)));
    }

    private static int apply(String op, int a, int b) {
        return switch (op) {
            case "||" -> a != 0 || b != 0 ? 1 : 0;
            case "&&" -> a != 0 && b != 0 ? 1 : 0;
            case "|" -> a | b;
            case "^" -> a ^ b;
            case "&" -> a & b;
            case "==" -> a == b ? 1 : 0;
            case "!=" -> a != b ? 1 : 0;
            case "<" -> a < b ? 1 : 0;
            case "<=" -> a <= b ? 1 : 0;
            case ">" -> a > b ? 1 : 0;
            case ">=" -> a >= b ? 1 : 0;
            case "+" -> a + b;
            case "-" -> a - b;
            default -> a * b;
        };
    }

    // ---- the condition

    private Condition condition(int depth) {
        if (depth == 0 || random.nextInt(3) == 0) {
            return atom();
        }
        Condition one = condition(depth - 1);
        if (random.nextInt(4) == 0) {
            return new Condition("~(" + one.text + ")", (m, r) -> !one.holds.of(m, r));
        }
        Condition other = condition(depth - 1);
        if (random.nextBoolean()) {
            return new Condition(
                    "(" + one.text + " /\\ " + other.text + ")",
                    (m, r) -> one.holds.of(m, r) && other.holds.of(m, r));
        }
        return new Condition(
                "(" + one.text + " \\/ " + other.text + ")",
                (m, r) -> one.holds.of(m, r) || other.holds.of(m, r));
    }

    private Condition atom() {
        int c = constant();
        if (random.nextBoolean()) {
            int v = random.nextInt(VARIABLES.size());
            return new Condition(VARIABLES.get(v) + "=" + c, (m, r) -> m[v] == c);
        }
        int p = random.nextInt(threads.size());
        int i = register();
        return new Condition(p + ":r" + i + "=" + c, (m, r) -> r[p][i] == c);
    }
}
