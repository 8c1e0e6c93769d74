// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Accesses;
import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.run.Values;
import org.interleaf.litmus.syntax.BinaryOp;
import org.interleaf.litmus.syntax.Expr;
import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.machine.Order;

/// Compiles what writes: assignments, `++` and `--`.
final class Assignments {
    private final ExprCompiler expressions;
    private final Operators operators;
    private final Registers registers;

    Assignments(ExprCompiler expressions) {
        this.expressions = expressions;
        this.operators = expressions.operators();
        this.registers = expressions.registers();
    }

    Typed assign(Expr.Assign e) {
        Place target = expressions.place(e.target());
        Typed value = expressions.operand(e.value());
        BinaryOp op = e.op();
        return switch (target) {
            case Place.InRegister in -> {
                Typed stored =
                        op == null
                                ? value
                                : operators.binary(
                                        e.pos(), op, expressions.value(e.target()), value);
                in.local().assign(stored.type());
                yield setRegister(in.local(), stored.node());
            }
            case Place.InMemory in ->
                    op == null
                            ? store(e.pos(), in, value.node())
                            : update(e.pos(), in, old -> operators.binary(e.pos(), op, old, value));
        };
    }

    /// Assigns to a register.
    static Typed setRegister(Local local, Node value) {
        return new Typed(new Values.SetRegister(local.index(), local.type(), value), local.type());
    }

    private Typed store(int pos, Place.InMemory to, Node value) {
        Order order = to.isVolatile() ? Order.ONCE : Order.PLAIN;
        return store(to, value, order, expressions.unit().site(pos, "store"));
    }

    /// A write to memory with a mark.
    static Typed store(Place.InMemory to, Node value, Order order, CallSite site) {
        return new Typed(
                new Accesses.Store(to.address(), to.type(), value, order, site), to.valueType());
    }

    /// How a compound assignment makes the new value of the old.
    private interface Change {
        Typed of(Typed old);
    }

    /// Reads memory and writes it again, evaluating its address once.
    private Typed update(int pos, Place.InMemory at, Change change) {
        int pointer = registers.temporary();
        Node keep = new Values.SetRegister(pointer, Types.LONG, at.address());
        Place.InMemory kept =
                new Place.InMemory(new Values.Register(pointer), at.type(), at.isVolatile());
        Typed stored = store(pos, kept, change.of(expressions.load(pos, kept)).node());
        return new Typed(new Values.Then(keep, stored.node()), stored.type());
    }

    Typed step(Expr.Step e) {
        Typed one = Typed.constant(1, Types.INT);
        BinaryOp op = e.delta() > 0 ? BinaryOp.ADD : BinaryOp.SUB;
        return switch (expressions.place(e.target())) {
            case Place.InRegister in -> stepRegister(e, in.local(), op, one);
            case Place.InMemory in -> {
                int before = registers.temporary();
                Typed stored =
                        update(
                                e.pos(),
                                in,
                                old -> {
                                    Node keep =
                                            new Values.SetRegister(before, Types.LONG, old.node());
                                    return operators.binary(
                                            e.pos(), op, new Typed(keep, old.type()), one);
                                });
                yield e.prefix()
                        ? stored
                        : new Typed(
                                new Values.Then(stored.node(), new Values.Register(before)),
                                stored.type());
            }
        };
    }

    private Typed stepRegister(Expr.Step e, Local local, BinaryOp op, Typed one) {
        Typed old = new Typed(new Values.Register(local.index()), local.type());
        Typed stored = setRegister(local, operators.binary(e.pos(), op, old, one).node());
        if (e.prefix()) {
            return stored;
        }
        int before = registers.temporary();
        Node keep = new Values.SetRegister(before, Types.LONG, old.node());
        Node then = new Values.Then(stored.node(), new Values.Register(before));
        return new Typed(new Values.Then(keep, then), local.type());
    }
}
