// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Arithmetic;
import org.interleaf.litmus.run.CasLoop;
import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.run.Rmw;
import org.interleaf.litmus.run.TryCmpxchg;
import org.interleaf.litmus.run.Update;
import org.interleaf.litmus.run.Values;
import org.interleaf.litmus.syntax.BinaryOp;
import org.interleaf.litmus.syntax.UnaryOp;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.machine.Op;
import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.Map;
import java.util.function.LongUnaryOperator;

/// `xchg()`, `cmpxchg()` and the families `atomic_*`, `atomic64_*`, `atomic_long_*` with all their
/// forms, and the operations on bits. Which argument is the pointer is as in the kernel: the last
/// of `atomic_add(v, p)`, the first of `atomic_cmpxchg(p, old, new)`.
final class AtomicBuiltins {
    private static final Node ZERO = new Values.Const(0);
    private static final Node ONE = new Values.Const(1);
    private static final Rmw.Result OLD = (before, a, b, type) -> before;
    private static final Rmw.Result SUM = (before, a, b, type) -> type.convert(before + a);

    private final Map<String, Builtin> all;

    /// The suffixes of the ordered forms and what they mean.
    private enum Form {
        FULL("", Order.FULL),
        RELAXED("_relaxed", Order.RELAXED),
        ACQUIRE("_acquire", Order.ACQUIRE),
        RELEASE("_release", Order.RELEASE);

        final String suffix;
        final Order order;

        Form(String suffix, Order order) {
            this.suffix = suffix;
            this.order = order;
        }
    }

    /// The arithmetic that the families have in common.
    private enum Change {
        ADD("add", Op.ADD, true),
        SUB("sub", Op.ADD, true),
        INC("inc", Op.ADD, false),
        DEC("dec", Op.ADD, false),
        AND("and", Op.AND, true),
        OR("or", Op.OR, true),
        XOR("xor", Op.XOR, true),
        ANDNOT("andnot", Op.AND, true);

        final String word;
        final Op op;
        final boolean takesValue;

        Change(String word, Op op, boolean takesValue) {
            this.word = word;
            this.op = op;
            this.takesValue = takesValue;
        }

        int args() {
            return takesValue ? 2 : 1;
        }

        /// The operand of the machine's operation, given that of the kernel's.
        Node operand(Type.Int type, Node value) {
            return switch (this) {
                case ADD, AND, OR, XOR -> value;
                case SUB -> new Arithmetic.Unary(UnaryOp.NEGATE, type, value);
                case ANDNOT -> new Arithmetic.Unary(UnaryOp.COMPLEMENT, type, value);
                case INC -> ONE;
                case DEC -> new Values.Const(-1);
            };
        }
    }

    private AtomicBuiltins(Map<String, Builtin> all) {
        this.all = all;
    }

    static void addTo(Map<String, Builtin> all) {
        AtomicBuiltins builtins = new AtomicBuiltins(all);
        builtins.addExchanges("", null);
        builtins.addFamily("atomic_", Types.INT);
        builtins.addFamily("atomic64_", Types.LONG);
        builtins.addFamily("atomic_long_", Types.LONG);
        builtins.addBits();
    }

    private void addFamily(String prefix, Type.Int type) {
        addAccesses(prefix, type);
        addExchanges(prefix, type);
        for (Change change : Change.values()) {
            add(prefix + change.word, change.args(), c -> Typed.nothing(update(c, change, type)));
            for (Form form : Form.values()) {
                add(
                        prefix + "fetch_" + change.word + form.suffix,
                        change.args(),
                        c -> new Typed(change(c, change, type, form.order, OLD), type));
                if (change.op == Op.ADD) {
                    add(
                            prefix + change.word + "_return" + form.suffix,
                            change.args(),
                            c -> new Typed(change(c, change, type, form.order, SUM), type));
                }
            }
        }
        addTests(prefix, type);
        addConditional(prefix, type);
    }

    private static Node change(
            CallCompiler call, Change change, Type.Int type, Order order, Rmw.Result result) {
        Node value = change.takesValue ? call.value(0).node() : ZERO;
        Node address = call.value(change.args() - 1).node();
        Node operand = change.operand(type, value);
        return new Rmw(change.op, address, type, operand, ZERO, order, result, call.site());
    }

    private static Node update(CallCompiler call, Change change, Type.Int type) {
        Node value = change.takesValue ? call.value(0).node() : ZERO;
        Node address = call.value(change.args() - 1).node();
        Node operand = change.operand(type, value);
        return new Update(change.op, address, type, operand, Order.RELAXED, call.site());
    }

    private void addAccesses(String prefix, Type.Int type) {
        add(prefix + "read", 1, c -> load(c, type, Order.ONCE));
        add(prefix + "read_acquire", 1, c -> load(c, type, Order.ACQUIRE));
        add(prefix + "set", 2, c -> store(c, type, Order.ONCE));
        add(prefix + "set_release", 2, c -> store(c, type, Order.RELEASE));
    }

    private static Typed load(CallCompiler call, Type.Int type, Order order) {
        Place.InMemory at = new Place.InMemory(call.value(0).node(), type, false);
        return call.expressions().load(at, order, call.site());
    }

    private static Typed store(CallCompiler call, Type.Int type, Order order) {
        Place.InMemory at = new Place.InMemory(call.value(0).node(), type, false);
        Node value = call.value(1).node();
        return Typed.nothing(Assignments.store(at, value, order, call.site()).node());
    }

    /// @param fixed the type that the family works in; null where the pointer says it
    private void addExchanges(String prefix, @Nullable Type fixed) {
        for (Form form : Form.values()) {
            add(
                    prefix + "xchg" + form.suffix,
                    2,
                    c -> exchange(c, fixed, Op.XCHG, c.value(1).node(), ZERO, form.order));
            add(
                    prefix + "cmpxchg" + form.suffix,
                    3,
                    c -> {
                        Node expected = c.value(1).node();
                        Node wanted = c.value(2).node();
                        return exchange(c, fixed, Op.CMPXCHG, expected, wanted, form.order);
                    });
            add(prefix + "try_cmpxchg" + form.suffix, 3, c -> tryCmpxchg(c, fixed, form.order));
        }
    }

    private static Typed exchange(
            CallCompiler call, @Nullable Type fixed, Op op, Node a, Node b, Order order) {
        Place.InMemory at = call.pointee(0);
        Type type = fixed == null ? at.type() : fixed;
        Node node = new Rmw(op, at.address(), type, a, b, order, OLD, call.site());
        return new Typed(node, type == null ? Types.LONG : type);
    }

    private static Typed tryCmpxchg(CallCompiler call, @Nullable Type fixed, Order order) {
        Place.InMemory at = call.pointee(0);
        Type type = fixed == null ? at.type() : fixed;
        int register = call.registerAt(1).index();
        Node wanted = call.value(2).node();
        return Typed.truth(
                new TryCmpxchg(at.address(), type, register, wanted, order, call.site()));
    }

    private void addTests(String prefix, Type.Int type) {
        Rmw.Result isZero = (before, a, b, t) -> t.convert(before + a) == 0 ? 1 : 0;
        Rmw.Result isNegative = (before, a, b, t) -> t.convert(before + a) < 0 ? 1 : 0;
        for (Change change : new Change[] {Change.SUB, Change.INC, Change.DEC}) {
            add(
                    prefix + change.word + "_and_test",
                    change.args(),
                    c -> Typed.truth(change(c, change, type, Order.FULL, isZero)));
        }
        for (Form form : Form.values()) {
            add(
                    prefix + "add_negative" + form.suffix,
                    2,
                    c -> Typed.truth(change(c, Change.ADD, type, form.order, isNegative)));
        }
    }

    private void addConditional(String prefix, Type.Int type) {
        Rmw.Result added = (before, a, b, t) -> before != b ? 1 : 0;
        add(prefix + "add_unless", 3, c -> Typed.truth(addUnless(c, type, added)));
        add(prefix + "fetch_add_unless", 3, c -> new Typed(addUnless(c, type, OLD), type));
        add(
                prefix + "inc_not_zero",
                1,
                c -> {
                    Node at = c.value(0).node();
                    return Typed.truth(
                            new Rmw(
                                    Op.ADD_UNLESS,
                                    at,
                                    type,
                                    ONE,
                                    ZERO,
                                    Order.FULL,
                                    added,
                                    c.site()));
                });
        Rmw.Result changed = (before, a, b, t) -> a != b ? 1 : 0;
        Rmw.Result oneLess = (before, a, b, t) -> before - 1;
        loop(prefix + "inc_unless_negative", type, v -> v < 0 ? v : v + 1, changed, Types.INT);
        loop(prefix + "dec_unless_positive", type, v -> v > 0 ? v : v - 1, changed, Types.INT);
        loop(prefix + "dec_if_positive", type, v -> v > 0 ? v - 1 : v, oneLess, type);
    }

    private static Node addUnless(CallCompiler call, Type.Int type, Rmw.Result result) {
        Node at = call.value(0).node();
        Node delta = call.value(1).node();
        Node unless = call.value(2).node();
        return new Rmw(Op.ADD_UNLESS, at, type, delta, unless, Order.FULL, result, call.site());
    }

    private void loop(
            String name, Type.Int type, LongUnaryOperator change, Rmw.Result result, Type yields) {
        add(
                name,
                1,
                c -> {
                    Node at = c.value(0).node();
                    return new Typed(
                            new CasLoop(at, type, change, Order.FULL, result, c.site()), yields);
                });
    }

    private void addBits() {
        Rmw.Result wasSet = (before, a, b, type) -> (before & a) != 0 ? 1 : 0;
        Rmw.Result wasSetBeforeClear = (before, a, b, type) -> (before & ~a) != 0 ? 1 : 0;
        add("set_bit", 2, c -> Typed.nothing(updateBit(c, Op.OR, false, Order.RELAXED)));
        add("clear_bit", 2, c -> Typed.nothing(updateBit(c, Op.AND, true, Order.RELAXED)));
        add("clear_bit_unlock", 2, c -> Typed.nothing(updateBit(c, Op.AND, true, Order.RELEASE)));
        add("change_bit", 2, c -> Typed.nothing(updateBit(c, Op.XOR, false, Order.RELAXED)));
        add("test_and_set_bit", 2, c -> Typed.truth(bit(c, Op.OR, false, Order.FULL, wasSet)));
        add(
                "test_and_set_bit_lock",
                2,
                c -> Typed.truth(bit(c, Op.OR, false, Order.ACQUIRE, wasSet)));
        add(
                "test_and_clear_bit",
                2,
                c -> Typed.truth(bit(c, Op.AND, true, Order.FULL, wasSetBeforeClear)));
        add("test_and_change_bit", 2, c -> Typed.truth(bit(c, Op.XOR, false, Order.FULL, wasSet)));
        add("test_bit", 2, AtomicBuiltins::testBit);
    }

    /// An operation on bit number argument 0 of the `unsigned long` that argument 1 points to.
    private static Node bit(
            CallCompiler call, Op op, boolean inverted, Order order, Rmw.Result result) {
        Typed mask = mask(call);
        Typed operand = inverted ? call.operators().unary(0, UnaryOp.COMPLEMENT, mask) : mask;
        Place.InMemory at = call.pointee(1);
        return new Rmw(
                op, at.address(), at.type(), operand.node(), ZERO, order, result, call.site());
    }

    /// The same where nothing is yielded.
    private static Node updateBit(CallCompiler call, Op op, boolean inverted, Order order) {
        Typed mask = mask(call);
        Typed operand = inverted ? call.operators().unary(0, UnaryOp.COMPLEMENT, mask) : mask;
        Place.InMemory at = call.pointee(1);
        return new Update(op, at.address(), at.type(), operand.node(), order, call.site());
    }

    private static Typed mask(CallCompiler call) {
        Typed one = Typed.constant(1, Types.UNSIGNED_LONG);
        return call.operators().binary(call.arg(0).pos(), BinaryOp.SHL, one, call.value(0));
    }

    private static Typed testBit(CallCompiler call) {
        Typed mask = mask(call);
        Typed value = call.expressions().load(call.pointee(1), Order.ONCE, call.site());
        Typed bit = call.operators().binary(call.arg(0).pos(), BinaryOp.AND, value, mask);
        return Typed.truth(new Arithmetic.And(bit.node(), ONE));
    }

    private void add(String name, int args, Builtin.Build build) {
        Builtins.add(all, name, args, build);
    }
}
