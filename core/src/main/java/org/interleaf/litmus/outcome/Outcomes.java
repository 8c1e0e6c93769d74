// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.outcome;

import org.interleaf.litmus.compile.CompiledTest;
import org.interleaf.litmus.run.Observable;
import org.interleaf.trace.Verdict;
import org.jspecify.annotations.Nullable;

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
    private double positive;
    private double negative;
    private int holding;
    private int failing;
    private int @Nullable [] twin;

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

    /// Enters the final state that the machine is in, under all names that processes that are alike
    /// can have; true where the proposition holds of it as it is.
    ///
    /// @param share how many executions this one stands for
    public boolean enter(double share) {
        holding = 0;
        failing = 0;
        twin = null;
        test.underAllNames(this::enterState);
        positive += share * holding / (holding + failing);
        negative += share * failing / (holding + failing);
        return test.conditionHolds();
    }

    private void enterState() {
        test.observe(current);
        if (!seen.contains(key)) {
            seen.add(key.copy());
        }
        boolean holds = test.conditionHolds();
        boolean other = holds ? failing > 0 : holding > 0;
        if (holds) {
            holding++;
        } else {
            failing++;
        }
        if (other && twin == null) {
            int[] task = new int[test.processCount()];
            for (int p = 0; p < task.length; p++) {
                task[test.realProcess(p)] = p;
            }
            twin = task;
        }
    }

    /// For an execution entered last of which the proposition holds under some names and not under
    /// others: for each process the name that it has where the answer is not that of {@link
    /// #enter}. Null for other executions.
    public int @Nullable [] twin() {
        return twin;
    }

    /// Enters what was seen of the same test elsewhere.
    public void add(Outcomes other) {
        seen.addAll(other.seen);
        positive += other.positive;
        negative += other.negative;
    }

    /// Writes what was seen.
    public void save(DataOutputStream out) throws IOException {
        out.writeDouble(positive);
        out.writeDouble(negative);
        out.writeInt(seen.size());
        for (State state : seen) {
            for (int i = 0; i < current.length; i++) {
                out.writeLong(state.value(i));
            }
        }
    }

    /// Enters what {@link #save} has written of the same test.
    public void load(DataInputStream in) throws IOException {
        positive += in.readDouble();
        negative += in.readDouble();
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

    /// In how many executions the proposition held, those included that were left out as others
    /// stand for them.
    public long positive() {
        return whole(positive);
    }

    /// In how many executions it did not hold.
    public long negative() {
        return whole(negative);
    }

    /// What was seen of an orbit may be less than half of it; it was seen all the same.
    private static long whole(double executions) {
        return executions > 0 ? Math.max(1, Math.round(executions)) : 0;
    }

    /// The verdict; `complete` says whether no execution is missing.
    public Verdict verdict(boolean complete) {
        return Verdict.of(positive(), negative(), complete);
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
