// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Code;
import org.interleaf.litmus.run.Context;
import org.interleaf.litmus.run.Frame;
import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.run.Observable;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Vocabulary;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Task;

import java.util.List;

/// A test as nodes on a machine: what to set up, what to run, what to look at in the end.
public final class CompiledTest {
    private final Context context;
    private final Vocabulary vocabulary;
    private final Code init;
    private final Frame initFrame;
    private final List<CompiledProcess> processes;
    private final Node filter;
    private final Node condition;
    private final List<Observable> observables;
    private final List<String> warnings;
    private Naming naming;

    CompiledTest(
            Context context,
            Vocabulary vocabulary,
            Code init,
            Frame initFrame,
            List<CompiledProcess> processes,
            Node filter,
            Node condition,
            List<Observable> observables,
            List<String> warnings) {
        this.context = context;
        this.vocabulary = vocabulary;
        this.init = init;
        this.initFrame = initFrame;
        this.processes = processes;
        this.filter = filter;
        this.condition = condition;
        this.observables = observables;
        this.warnings = warnings;
        this.naming = naming(List.of());
    }

    private Naming naming(List<List<Integer>> alike) {
        return new Naming(processes.stream().map(CompiledProcess::frame).toList(), alike);
    }

    /// Makes the locations, runs the init block and spawns a task for each process, on CPUs in
    /// turn.
    ///
    /// @throws org.interleaf.litmus.syntax.LitmusException if the init block fails
    public void setUp(Machine machine) {
        context.memory().place(machine);
        init.run(initFrame);
        for (int i = 0; i < processes.size(); i++) {
            CompiledProcess process = processes.get(i);
            process.passValues();
            machine.spawn(process.name(), i % machine.cpuCount(), process::run);
        }
        context.memory().placeTasks(machine);
    }

    /// Has the tasks of processes that are alike declared identical, after {@link #setUp}. What is
    /// done {@link #underAllNames} is done for all of their names from then on.
    ///
    /// @param groups the processes, by their numbers
    public void declareAlike(List<List<Integer>> groups, Machine machine) {
        naming = naming(groups);
        for (List<Integer> group : groups) {
            machine.identical(group.stream().map(machine.tasks()::get).toArray(Task[]::new));
        }
    }

    /// Calls `visit` under each of the names that processes that are alike can have, as if they had
    /// been each other, and with their own names first.
    public void underAllNames(Runnable visit) {
        naming.forEach(visit);
    }

    /// Which process really is the one that has the number `p` now.
    public int realProcess(int p) {
        return naming.owner(p);
    }

    /// How many processes there are.
    public int processCount() {
        return processes.size();
    }

    /// What is odd about the test, as `file:line:column: warning: …`.
    public List<String> warnings() {
        return warnings;
    }

    /// What a final state consists of.
    public List<Observable> observables() {
        return observables;
    }

    /// Writes what each observable holds now into `values`, one after the other.
    public void observe(long[] values) {
        int i = 0;
        for (int o = 0; o < observables.size(); o++) {
            List<Node> nodes = observables.get(o).values();
            for (int n = 0; n < nodes.size(); n++) {
                values[i++] = nodes.get(n).eval(initFrame);
            }
        }
    }

    /// Whether the final state counts.
    public boolean passesFilter() {
        return filter.eval(initFrame) != 0;
    }

    /// Whether the proposition of the condition holds of the final state.
    public boolean conditionHolds() {
        return condition.eval(initFrame) != 0;
    }

    /// How a final state shows a value of an observable.
    public String show(Observable observable, long value) {
        String shown = vocabulary.show(observable.type(), value);
        if (shown == null) {
            shown = context.memory().show(value);
        }
        if (shown != null) {
            return shown;
        }
        boolean unsigned = observable.type() instanceof Type.Int type && !type.signed();
        return unsigned ? Long.toUnsignedString(value) : Long.toString(value);
    }
}
