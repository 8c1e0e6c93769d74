// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.machine.Lock;
import org.interleaf.machine.Monitor;
import org.interleaf.machine.Task;

/// What a task must not leave behind: held locks, interrupts off, an open RCU read section, a page
/// mapped. Nor may it give back a lock that it does not hold. A task that was killed is not asked.
final class LeftBehind implements Monitor {
    private final Findings findings;

    LeftBehind(Findings findings) {
        this.findings = findings;
    }

    @Override
    public void taskEnded(Task task) {
        if (task.killed()) {
            return;
        }
        if (task.heldCount() > 0) {
            findings.report(
                    "WARNING: lock held when returning to user space", task, () -> locks(task));
        }
        if (task.irqsOff()) {
            findings.report("WARNING: interrupts off when returning to user space", task, () -> "");
        }
        if (task.rcuDepth() > 0) {
            findings.report("WARNING: RCU read section left open", task, () -> "");
        }
        if (task.kmapDepth() > 0) { // kmap_assert_nomap()
            findings.report("WARNING: page of high memory left mapped", task, () -> "");
        }
    }

    @Override
    public void releasedUnheld(Task task, Lock lock) {
        findings.report("WARNING: bad unlock balance", task, () -> lock.name() + " is not held");
    }

    static String locks(Task task) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < task.heldCount(); i++) {
            text.append(i == 0 ? "" : ", ").append(task.held(i).name());
        }
        return text.isEmpty() ? "none" : text.toString();
    }
}
