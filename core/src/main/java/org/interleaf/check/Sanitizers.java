// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.machine.Annotation;
import org.interleaf.machine.Fence;
import org.interleaf.machine.Lock;
import org.interleaf.machine.LockClass;
import org.interleaf.machine.LockMode;
import org.interleaf.machine.Monitor;
import org.interleaf.machine.Region;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.interleaf.mm.Kernel;
import org.jspecify.annotations.Nullable;

/// All sanitizers as one monitor. What they find in an execution is in {@link #findings} until the
/// next one begins.
public final class Sanitizers implements Monitor {
    private final Findings findings;
    private final PtLockSanitizer ptLocks;
    private final NotifierLaws notifiers;
    private final Lockdep lockdep;
    private final Monitor[] all;
    private final KernelNames names;
    private final boolean withHistory;
    private @Nullable Kcsan races;

    /// @param withHistory whether reports say who allocated and freed, and have whole stacks of
    ///   both sides of a race; for a single execution, as it makes each allocation and access slow
    public Sanitizers(KernelNames names, boolean withHistory) {
        this.names = names;
        this.withHistory = withHistory;
        findings = new Findings(names);
        ptLocks = new PtLockSanitizer(findings, names, withHistory);
        notifiers = new NotifierLaws(findings);
        lockdep = new Lockdep(findings, withHistory);
        all =
                new Monitor[] {
                    new Kasan(findings, withHistory),
                    new SleepInAtomic(findings),
                    new LeftBehind(findings),
                    ptLocks,
                    notifiers,
                    lockdep,
                    new Complaints(findings, names)
                };
    }

    /// Begins to watch the page tables of `kernel`, which has just been made, and expects the order
    /// of locks that its documentation demands.
    public void watch(Kernel kernel) {
        ptLocks.watch(kernel);
        notifiers.watch(kernel);
        lockdep.expect(new LockOrder(kernel.machine().lockClasses()));
    }

    /// Looks for data races as well, which makes every access slower.
    ///
    /// @param plainWritesAtomic whether only plain reads and read-modify-writes can race with what
    ///   is marked, as the kernel's `CONFIG_KCSAN_ASSUME_PLAIN_WRITES_ATOMIC` has it
    public void watchRaces(boolean plainWritesAtomic) {
        races = new Kcsan(findings, new CallSites(names, withHistory), plainWritesAtomic);
    }

    /// What was found in the execution that has ended, or so far.
    public Findings findings() {
        ptLocks.settle();
        return findings;
    }

    @Override
    public void started() {
        findings.clear();
        for (Monitor monitor : all) {
            monitor.started();
        }
        if (races != null) {
            races.started();
        }
    }

    /// Called for each step, so only of those who want it.
    @Override
    public void stepped(Task task, long before) {
        ptLocks.stepped(task, before);
        notifiers.stepped(task, before);
        if (races != null) {
            races.stepped(task, before);
        }
    }

    @Override
    public void released(Task task, Lock lock) {
        notifiers.released(task, lock);
    }

    @Override
    public void fenced(Task task, Fence fence) {
        if (races != null) {
            races.fenced(task, fence);
        }
    }

    @Override
    public void annotated(Task task, Annotation annotation) {
        if (races != null) {
            races.annotated(task, annotation);
        }
    }

    @Override
    public void exclusivelyWritten(Task task, Word word) {
        if (races != null) {
            races.exclusivelyWritten(task, word);
        }
    }

    @Override
    public void setUp(Task task, long before) {
        ptLocks.setUp(task, before);
    }

    @Override
    public void acquiring(Task task, Lock lock, LockClass as, LockMode mode) {
        lockdep.acquiring(task, lock, as, mode);
    }

    @Override
    public void acquired(Task task, Lock lock) {
        ptLocks.acquired(task, lock);
    }

    @Override
    public void allocated(Task task, Region region) {
        for (Monitor monitor : all) {
            monitor.allocated(task, region);
        }
    }

    @Override
    public void freed(Task task, Region region) {
        for (Monitor monitor : all) {
            monitor.freed(task, region);
        }
    }

    @Override
    public void doubleFree(Task task, Region region) {
        for (Monitor monitor : all) {
            monitor.doubleFree(task, region);
        }
    }

    @Override
    public void usedAfterFree(Task task, Word word) {
        for (Monitor monitor : all) {
            monitor.usedAfterFree(task, word);
        }
    }

    @Override
    public void releasedUnheld(Task task, Lock lock) {
        for (Monitor monitor : all) {
            monitor.releasedUnheld(task, lock);
        }
    }

    @Override
    public void mightSleep(Task task, String what) {
        for (Monitor monitor : all) {
            monitor.mightSleep(task, what);
        }
    }

    @Override
    public void complained(Task task, String kind, String text) {
        for (Monitor monitor : all) {
            monitor.complained(task, kind, text);
        }
    }

    @Override
    public void crashed(Task task, Throwable crash) {
        for (Monitor monitor : all) {
            monitor.crashed(task, crash);
        }
    }

    @Override
    public void taskEnded(Task task) {
        for (Monitor monitor : all) {
            monitor.taskEnded(task);
        }
    }
}
