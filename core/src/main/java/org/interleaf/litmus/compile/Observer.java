// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.run.Observable;
import org.interleaf.litmus.run.Values;
import org.interleaf.litmus.run.Variable;
import org.interleaf.litmus.syntax.BinaryOp;
import org.interleaf.litmus.syntax.Expr;
import org.interleaf.litmus.syntax.ExprPrinter;
import org.interleaf.litmus.syntax.Prop;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Finds what a final state consists of: what the condition looks at and what `locations` lists, in
/// herd7's order: registers by process and name, then variables, then the rest.
final class Observer {
    private static final Comparator<Found> ORDER =
            Comparator.comparingInt(Found::group)
                    .thenComparingInt(Found::process)
                    .thenComparing(Found::name);

    private final Unit unit;
    private final ConditionCompiler terms;
    private final Map<String, Found> found = new LinkedHashMap<>();

    /// Something to look at, and its place in the order.
    private record Found(int group, int process, String name, Observable observable) {}

    Observer(Unit unit, ConditionCompiler terms) {
        this.unit = unit;
        this.terms = terms;
    }

    List<Observable> observables() {
        return found.values().stream().sorted(ORDER).map(Found::observable).toList();
    }

    void addFrom(Prop prop) {
        switch (prop) {
            case Prop.Constant p -> {}
            case Prop.Not p -> addFrom(p.operand());
            case Prop.And p -> p.operands().forEach(this::addFrom);
            case Prop.Or p -> p.operands().forEach(this::addFrom);
            case Prop.Implies p -> {
                addFrom(p.premise());
                addFrom(p.conclusion());
            }
            case Prop.Compare p -> {
                addFrom(p.left());
                boolean address =
                        p.right() instanceof Expr.Name
                                && (p.op() == BinaryOp.EQ || p.op() == BinaryOp.NE);
                if (!address) {
                    addFrom(p.right());
                }
            }
        }
    }

    private void addFrom(Expr term) {
        switch (term) {
            case Expr.Register e -> add(e);
            case Expr.Name e -> addName(e);
            case Expr.Contents e -> addName(new Expr.Name(e.pos(), e.id()));
            case Expr.Index e -> addOther(e);
            case Expr.Deref e -> addOther(e);
            case Expr.Call e -> addOther(e);
            case Expr.AddressOf e -> {}
            default -> Walk.parts(term).forEach(this::addFrom);
        }
    }

    /// Adds an element of `locations`. A register that its process does not have is 0 there.
    void addLocation(Expr term) {
        if (term instanceof Expr.Register e && !terms.hasRegister(e)) {
            put(0, e.process(), e.id(), label(e), List.of(new Values.Const(0)), Types.INT);
        } else {
            addFrom(term);
        }
    }

    private void add(Expr.Register e) {
        Typed value = terms.register(e);
        put(0, e.process(), e.id(), label(e), List.of(value.node()), value.type());
    }

    private static String label(Expr.Register e) {
        return e.process() + ":" + e.id();
    }

    private void addName(Expr.Name e) {
        Variable variable = unit.globals().find(e.id());
        if (variable == null) {
            terms.value(e); // a constant, or an error
            return;
        }
        if (!variable.isArray()) {
            Typed value = terms.value(e);
            put(1, 0, e.id(), "[" + e.id() + "]", List.of(value.node()), value.type());
            return;
        }
        List<Node> elements = new ArrayList<>();
        for (int i = 0; i < variable.cells().size(); i++) {
            elements.add(terms.element(variable, i).node());
        }
        put(1, 0, e.id(), e.id(), elements, variable.type());
    }

    private void addOther(Expr e) {
        Typed value = terms.operand(e);
        String label = ExprPrinter.print(e);
        put(2, 0, label, label, List.of(value.node()), value.type());
    }

    private void put(
            int group, int process, String name, String label, List<Node> values, Type type) {
        Observable observable = new Observable(label, values, type);
        found.putIfAbsent(label, new Found(group, process, name, observable));
    }
}
