// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.machine.Lock;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.Task;
import org.interleaf.trace.Violation;

import java.util.ArrayList;
import java.util.List;

/// Says who waits for what, and who goes round where, when no task can go on.
public final class Deadlock {
    private Deadlock() {}

    /// The deadlock that `machine` is in, as seen from outside at the end of an execution.
    public static Violation describe(Machine machine) {
        List<String> lines = new ArrayList<>();
        Task first = null;
        boolean livelock = true;
        for (Task task : machine.tasks()) {
            if (!task.finished() && !task.atRest()) {
                first = first == null && !task.daemon() ? task : first;
                livelock &= task.spinning() != null;
                lines.add(task.name() + whatFor(machine, task));
            }
        }
        Task task = first == null ? machine.current() : first;
        return new Violation(
                livelock ? "LIVELOCK" : "DEADLOCK",
                "",
                "",
                livelock ? "no task gets out of its loop" : "no task can go on",
                task.name(),
                task.cpu(),
                List.of(),
                lines);
    }

    private static String whatFor(Machine machine, Task task) {
        Rounds loop = task.spinning();
        if (loop == null) {
            return " waits for " + task.word().name() + holder(machine, task);
        }
        String looks = loop.looks();
        return " goes round the loop at "
                + loop.name()
                + (looks.isEmpty() ? "" : ", seeing " + looks);
    }

    private static String holder(Machine machine, Task waiter) {
        String wanted = waiter.word().name();
        for (Task task : machine.tasks()) {
            for (int i = 0; i < task.heldCount(); i++) {
                Lock lock = task.held(i);
                if (task != waiter && lock.name().equals(wanted)) {
                    return ", held by " + task.name();
                }
            }
        }
        return ", which is " + waiter.word().show(waiter.word().peek());
    }
}
