// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.machine.Monitor;
import org.interleaf.machine.Task;

/// `might_sleep()`: nobody sleeps with a spinlock held, with interrupts off, or inside an RCU read
/// section.
final class SleepInAtomic implements Monitor {
    private final Findings findings;

    SleepInAtomic(Findings findings) {
        this.findings = findings;
    }

    @Override
    public void mightSleep(Task task, String what) {
        findings.report(
                "BUG: sleeping function called from invalid context",
                task,
                () -> what + " with " + context(task));
    }

    private static String context(Task task) {
        return (task.irqsOff() ? "interrupts off, " : "")
                + (task.rcuDepth() > 0 ? "RCU read-side section, " : "")
                + "locks held: "
                + LeftBehind.locks(task);
    }
}
