// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Accesses;
import org.interleaf.litmus.run.Arithmetic;
import org.interleaf.litmus.run.Frame;
import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.run.Values;
import org.interleaf.litmus.run.Variable;
import org.interleaf.litmus.syntax.BinaryOp;
import org.interleaf.litmus.syntax.Expr;
import org.interleaf.litmus.syntax.Names;
import org.interleaf.litmus.syntax.Prop;
import org.interleaf.litmus.syntax.UnaryOp;
import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.machine.Order;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Compiles propositions about final states, and the terms in them.
final class ConditionCompiler extends ExprCompiler {
    private final List<CompiledProcess> processes;

    ConditionCompiler(Unit unit, List<CompiledProcess> processes) {
        super(unit, new Registers(Set.of()), "the condition");
        this.processes = processes;
    }

    /// A node whose value is 1 where the proposition holds and 0 where not.
    Node proposition(Prop prop) {
        return switch (prop) {
            case Prop.Constant p -> new Values.Const(p.value() ? 1 : 0);
            case Prop.Not p -> not(proposition(p.operand()));
            case Prop.And p -> {
                Node all = new Values.Const(1);
                for (Prop operand : p.operands()) {
                    all = new Arithmetic.And(all, proposition(operand));
                }
                yield all;
            }
            case Prop.Or p -> {
                Node any = new Values.Const(0);
                for (Prop operand : p.operands()) {
                    any = new Arithmetic.Or(any, proposition(operand));
                }
                yield any;
            }
            case Prop.Implies p ->
                    new Arithmetic.Or(not(proposition(p.premise())), proposition(p.conclusion()));
            case Prop.Compare p -> comparison(p);
        };
    }

    private static Node not(Node operand) {
        return new Arithmetic.Unary(UnaryOp.NOT, Types.INT, operand);
    }

    private Node comparison(Prop.Compare p) {
        if (p.right() instanceof Expr.Braces braces) {
            return arrayComparison(p, braces);
        }
        Typed left = operand(p.left());
        Typed right = isAddress(p) ? address((Expr.Name) p.right()) : operand(p.right());
        return operators().binary(p.pos(), p.op(), left, right).node();
    }

    /// Whether the right-hand side is a bare name that stands for an address, as in herd7.
    private boolean isAddress(Prop.Compare p) {
        return (p.op() == BinaryOp.EQ || p.op() == BinaryOp.NE)
                && p.right() instanceof Expr.Name name
                && unit().globals().find(name.id()) != null
                && !unit().globals().isC(name.id());
    }

    private Typed address(Expr.Name name) {
        return value(new Expr.AddressOf(name.pos(), name));
    }

    private Node arrayComparison(Prop.Compare p, Expr.Braces braces) {
        Variable array =
                p.left() instanceof Expr.Name name ? unit().globals().find(name.id()) : null;
        boolean comparable = p.op() == BinaryOp.EQ || p.op() == BinaryOp.NE;
        if (array == null || !comparable || array.cells().size() != braces.items().size()) {
            throw unit().error(
                            braces.pos(),
                            "a list of values is compared with an array of that length",
                            "write a = { 1, 2 }, where `a` has two elements");
        }
        Node all = new Values.Const(1);
        for (int i = 0; i < braces.items().size(); i++) {
            Typed element = element(array, i);
            Typed value = operand(braces.items().get(i));
            Typed equal = operators().binary(p.pos(), BinaryOp.EQ, element, value);
            all = new Arithmetic.And(all, equal.node());
        }
        return p.op() == BinaryOp.EQ ? all : not(all);
    }

    /// What element `i` of a variable holds at the end.
    Typed element(Variable variable, int i) {
        long at = variable.address() + (long) i * variable.type().bytes();
        Place.InMemory place = new Place.InMemory(new Values.Const(at), variable.type(), false);
        return load(place, Order.PLAIN, unit().site(0, variable.name()));
    }

    // ---- terms

    @Override
    Typed value(Expr expr) {
        if (expr instanceof Expr.Assign || expr instanceof Expr.Step) {
            throw unit().error(expr.pos(), "a condition changes nothing", "compare with = or !=");
        }
        if (expr instanceof Expr.Name name) {
            Variable variable = unit().globals().find(name.id());
            if (variable != null && variable.has(Variable.Role.SPINLOCK)) {
                return Typed.truth(new LockState(variable));
            }
        }
        return super.value(expr);
    }

    /// Whether a spinlock is taken at the end.
    private record LockState(Variable variable) implements Node {
        @Override
        public long eval(Frame frame) {
            var lock = variable.spinLock();
            return lock != null && lock.word().peek() != 0 ? 1 : 0;
        }
    }

    @Override
    boolean canName(String id) {
        return true;
    }

    @Override
    boolean allowsNeglected() {
        return false;
    }

    @Override
    void checkCall(Expr.Call call, boolean onlyLooks) {
        if (!onlyLooks) {
            throw unit().error(
                            call.pos(),
                            "`" + call.function() + "` cannot be called in a condition",
                            "call it in a process and look at the register there");
        }
    }

    @Override
    Typed load(Place.InMemory from, Order order, CallSite site) {
        return new Typed(new Accesses.Peek(from.address(), from.type(), site), from.valueType());
    }

    /// `*x` is C where `x` is a pointer; herd7 also writes it for the content of any location.
    @Override
    Place.InMemory deref(Expr.Deref e) {
        if (e.pointer() instanceof Expr.Name name) {
            Variable variable = unit().globals().find(name.id());
            if (variable != null
                    && !variable.isArray()
                    && !(variable.type() instanceof Type.Pointer)) {
                return place(variable);
            }
        }
        return super.deref(e);
    }

    /// Whether the process of this register has it.
    boolean hasRegister(Expr.Register e) {
        return e.process() < processes.size()
                && processes.get(e.process()).registers().find(e.id()) != null;
    }

    @Override
    Typed register(Expr.Register e) {
        if (e.process() >= processes.size()) {
            throw unit().error(
                            e.pos(),
                            "there is no process P" + e.process(),
                            "the last one is P" + (processes.size() - 1));
        }
        CompiledProcess process = processes.get(e.process());
        Local local = process.registers().find(e.id());
        if (local == null) {
            List<String> names = new ArrayList<>(process.registers().names());
            throw unit().error(
                            e.pos(),
                            process.name() + " has no register `" + e.id() + "`",
                            Names.hint(e.id(), names, "the condition can name its variables"));
        }
        return new Typed(new Values.FinalRegister(process.frame(), local.index()), local.type());
    }
}
