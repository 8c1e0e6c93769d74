// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.outcome;

import org.interleaf.litmus.compile.CompiledTest;
import org.interleaf.litmus.run.Observable;
import org.interleaf.trace.Verdict;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// All final states of a test, and in how many executions the condition held.
public final class Outcomes {
    private final CompiledTest test;
    private final long[] current;
    private final State key;
    private final Set<State> seen = new LinkedHashSet<>();
    private long positive;
    private long negative;

    /// For a test of which nothing has been executed.
    public Outcomes(CompiledTest test) {
        this.test = test;
        int size = 0;
        for (Observable observable : test.observables()) {
            size += observable.values().size();
        }
        this.current = new long[size];
        this.key = new State(current);
    }

    /// Enters the final state that the machine is in; true where the proposition holds of it.
    public boolean enter() {
        test.observe(current);
        if (!seen.contains(key)) {
            seen.add(key.copy());
        }
        boolean holds = test.conditionHolds();
        if (holds) {
            positive++;
        } else {
            negative++;
        }
        return holds;
    }

    /// Enters what was seen of the same test elsewhere.
    public void add(Outcomes other) {
        seen.addAll(other.seen);
        positive += other.positive;
        negative += other.negative;
    }

    /// Writes what was seen.
    public void save(DataOutputStream out) throws IOException {
        out.writeLong(positive);
        out.writeLong(negative);
        out.writeInt(seen.size());
        for (State state : seen) {
            for (int i = 0; i < current.length; i++) {
                out.writeLong(state.value(i));
            }
        }
    }

    /// Enters what {@link #save} has written of the same test.
    public void load(DataInputStream in) throws IOException {
        positive += in.readLong();
        negative += in.readLong();
        for (int n = in.readInt(); n > 0; n--) {
            long[] values = new long[current.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = in.readLong();
            }
            seen.add(new State(values));
        }
    }

    /// The state that the machine is in, as text.
    public String current() {
        test.observe(current);
        return text(key);
    }

    /// In how many executions the proposition held.
    public long positive() {
        return positive;
    }

    /// In how many executions it did not hold.
    public long negative() {
        return negative;
    }

    /// The verdict; `complete` says whether no execution is missing.
    public Verdict verdict(boolean complete) {
        return Verdict.of(positive, negative, complete);
    }

    /// The states as herd7 prints them, `0:r1=0; [x]=1;`, in its order.
    public List<String> states() {
        List<State> states = new ArrayList<>(seen);
        states.sort(this::compare);
        return states.stream().map(this::text).toList();
    }

    private String text(State state) {
        StringBuilder text = new StringBuilder();
        int i = 0;
        for (Observable observable : test.observables()) {
            int size = observable.values().size();
            text.append(i == 0 ? "" : " ").append(observable.label()).append('=');
            boolean isArray = !observable.label().startsWith("[") && size > 1;
            text.append(isArray ? "{" : "");
            for (int e = 0; e < size; e++) {
                text.append(e == 0 ? "" : ",").append(test.show(observable, state.value(i++)));
            }
            text.append(isArray ? "}" : "").append(';');
        }
        return text.toString();
    }

    /// By the values one after the other: numbers by size, and before them what has a name.
    private int compare(State a, State b) {
        int i = 0;
        for (Observable observable : test.observables()) {
            for (int e = 0; e < observable.values().size(); e++) {
                int order = compare(observable, a.value(i), b.value(i));
                if (order != 0) {
                    return order;
                }
                i++;
            }
        }
        return 0;
    }

    private int compare(Observable observable, long a, long b) {
        if (a == b) {
            return 0;
        }
        String first = test.show(observable, a);
        String second = test.show(observable, b);
        boolean firstNamed = !first.equals(Long.toString(a));
        boolean secondNamed = !second.equals(Long.toString(b));
        if (firstNamed && secondNamed) {
            return first.compareTo(second);
        }
        return firstNamed != secondNamed ? (firstNamed ? 1 : -1) : Long.compare(a, b);
    }
}
