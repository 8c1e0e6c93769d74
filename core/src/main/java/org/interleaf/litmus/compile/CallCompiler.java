// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.run.Values;
import org.interleaf.litmus.run.Variable;
import org.interleaf.litmus.run.Variable.Role;
import org.interleaf.litmus.syntax.Expr;
import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.Names;
import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Compiles one call: of a primitive of the memory model, or of an operation of the vocabulary.
final class CallCompiler {
    private final ExprCompiler expressions;
    private final Expr.Call call;
    private final CallSite site;

    CallCompiler(ExprCompiler expressions, Expr.Call call) {
        this.expressions = expressions;
        this.call = call;
        List<@Nullable String> strings = new ArrayList<>();
        for (Expr arg : call.args()) {
            strings.add(arg instanceof Expr.StringConst string ? string.value() : null);
        }
        this.site = new CallSite(unit().source(), call.pos(), call.function(), strings);
    }

    Typed compile() {
        Builtin builtin = Builtins.find(call.function());
        if (builtin != null) {
            expressions.checkCall(call, false);
            checkCount(builtin.args(), builtin.args());
            return builtin.build().compile(this);
        }
        Callable callee = unit().vocabulary().function(call.function());
        if (callee == null) {
            throw unknown();
        }
        expressions.checkCall(call, callee.inConditions());
        checkCount(callee.minArgs(), callee.maxArgs());
        callee.check(site);
        return new Typed(new Values.Call(callee, site, args()), callee.returnType());
    }

    private LitmusException unknown() {
        String name = call.function();
        return unit().error(
                        call.pos(),
                        "unknown function `" + name + "`",
                        Names.hint(
                                name,
                                unit().functionNames(),
                                "docs/litmus.md lists the functions that a test can call"));
    }

    private List<Node> args() {
        List<Node> nodes = new ArrayList<>();
        for (Expr arg : call.args()) {
            nodes.add(
                    arg instanceof Expr.StringConst
                            ? new Values.Const(0)
                            : expressions.operand(arg).node());
        }
        return nodes;
    }

    private void checkCount(int min, int max) {
        int count = call.args().size();
        if (count >= min && count <= max) {
            return;
        }
        String wanted = min == max ? "" + min : min + " to " + max;
        throw unit().error(
                        call.pos(),
                        "`"
                                + call.function()
                                + "` takes "
                                + wanted
                                + " argument"
                                + (max == 1 ? "" : "s")
                                + ", not "
                                + count,
                        count < min ? "add what is missing" : "remove what is too much");
    }

    // ---- for the builtins

    Unit unit() {
        return expressions.unit();
    }

    CallSite site() {
        return site;
    }

    Operators operators() {
        return expressions.operators();
    }

    ExprCompiler expressions() {
        return expressions;
    }

    Expr arg(int i) {
        return call.args().get(i);
    }

    /// The value of argument `i`.
    Typed value(int i) {
        return expressions.operand(arg(i));
    }

    /// The shared location that argument `i` names, as `*x`.
    Place.InMemory location(int i) {
        if (expressions.place(arg(i)) instanceof Place.InMemory memory) {
            return memory;
        }
        String name = arg(i) instanceof Expr.Name n ? n.id() : "x";
        throw unit().error(
                        arg(i).pos(),
                        "`" + name + "` is a register, not a shared location",
                        "write " + call.function() + "(*" + name + "…");
    }

    /// The shared location that argument `i` points to, as `x` or `&x`.
    Place.InMemory pointee(int i) {
        return expressions.pointee(arg(i).pos(), value(i));
    }

    /// The address of the lock that argument `i` points to. Where it is known which variable that
    /// is, the variable becomes a lock.
    Node lock(int i, Role role) {
        Node address = value(i).node();
        Variable variable = variableOf(i);
        if (variable != null) {
            variable.use(role);
        }
        return address;
    }

    private @Nullable Variable variableOf(int i) {
        if (arg(i) instanceof Expr.Name name) {
            Local local = expressions.registers().find(name.id());
            boolean names = local == null || local.isParameter();
            return names ? unit().globals().find(name.id()) : null;
        }
        if (arg(i) instanceof Expr.AddressOf address && address.target() instanceof Expr.Name n) {
            return unit().globals().find(n.id());
        }
        return null;
    }

    /// The register whose address is argument `i`, as in `&old`.
    Local registerAt(int i) {
        if (arg(i) instanceof Expr.AddressOf address && address.target() instanceof Expr.Name n) {
            if (expressions.place(n) instanceof Place.InRegister in) {
                return in.local();
            }
        }
        throw unit().error(
                        arg(i).pos(),
                        "`" + call.function() + "` wants the address of a register here",
                        "write `&old`, where `old` is a local variable");
    }
}
