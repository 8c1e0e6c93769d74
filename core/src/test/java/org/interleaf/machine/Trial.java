// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.interleaf.explore.Ending;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Program;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/// A small program on a machine of its own, and everything that can come of it.
final class Trial implements Program, Monitor {
    final Machine machine;

    private final List<String> findings = new ArrayList<>();
    private final List<String> all = new ArrayList<>();
    private Supplier<String> text = () -> "";

    /// A machine with daemons; tasks are yet to come.
    Trial(int cpus) {
        machine = new Machine(cpus);
        machine.monitor(this);
        machine.startDaemons();
    }

    Word word(String name, long initial) {
        return machine.word(name, initial);
    }

    Trial task(int cpu, Runnable body) {
        machine.spawn("P" + machine.tasks().size(), cpu, body);
        return this;
    }

    /// Explores all interleavings. An outcome is what `observed` says at the end of one, what the
    /// machine had to report, and `deadlock` where there was one.
    Set<String> outcomes(Supplier<String> observed) {
        text = observed;
        machine.seal();
        explore();
        return new TreeSet<>(all);
    }

    /// The outcomes of all executions, in order. The machine must be sealed.
    List<String> explore() {
        all.clear();
        Exploration found = Explorer.explore(this, Limits.NONE, "test");
        if (!found.complete() || found.made() != found.executions()) {
            throw new AssertionError(found);
        }
        return List.copyOf(all);
    }

    @Override
    public Machine machine() {
        return machine;
    }

    @Override
    public void finished(Ending ending) {
        String deadlock = ending.kind() == Ending.Kind.DEADLOCK ? " deadlock" : "";
        String found = findings.isEmpty() ? "" : " " + String.join(" ", findings);
        all.add((text.get() + found + deadlock).strip());
    }

    @Override
    public void started() {
        findings.clear();
    }

    @Override
    public void usedAfterFree(Task task, Word word) {
        findings.add("use-after-free");
    }

    @Override
    public void doubleFree(Task task, Region region) {
        findings.add("double-free");
    }

    @Override
    public void mightSleep(Task task, String what) {
        findings.add("sleeps");
    }

    @Override
    public void releasedUnheld(Task task, Lock lock) {
        findings.add("unheld");
    }

    @Override
    public void complained(Task task, String kind, String message) {
        findings.add(kind);
    }

    @Override
    public void crashed(Task task, Throwable crash) {
        findings.add("crash");
    }
}
