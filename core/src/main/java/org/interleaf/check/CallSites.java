// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.check.KernelNames.Origin;
import org.interleaf.machine.Task;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.List;

/// Where each access of the execution at hand was made. Looking at a call stack is slow, and most
/// executions begin as the one before did: as long as the same tasks go, they are at the same
/// places.
final class CallSites {
    private final KernelNames names;
    private final boolean whole;
    private int[] tasks = new int[256];
    private Site[] sites = new Site[256];
    private int count;
    private int next;
    private boolean asBefore;

    /// The kernel functions of an access, innermost first; none for what a test does itself.
    record Site(List<Origin> trace) {
        /// What reports call the place of an access by `task`: as in a kernel, what a header has is
        /// part of the function that uses it.
        String function(Task task) {
            Origin compiled = compiled();
            return compiled == null ? task.name() : compiled.function();
        }

        /// The file that was compiled; empty where it is none of the kernel's.
        String unit() {
            Origin compiled = compiled();
            return compiled == null ? "" : compiled.file();
        }

        private @Nullable Origin compiled() {
            for (Origin origin : trace) {
                if (!isHeader(origin)) {
                    return origin;
                }
            }
            return trace.isEmpty() ? null : trace.getLast();
        }
    }

    private static boolean isHeader(Origin origin) {
        return origin.file().endsWith(".h");
    }

    /// @param whole whether to look at the whole stacks, and not only as far as titles need it
    CallSites(KernelNames names, boolean whole) {
        this.names = names;
        this.whole = whole;
    }

    /// Where the running thread is.
    Site here() {
        return new Site(whole ? names.callTrace() : names.callTrace(CallSites::isHeader));
    }

    /// A new execution begins.
    void clear() {
        next = 0;
        asBefore = true;
    }

    /// Where the next access of the execution is made, which is by `task`, the running one.
    Site next(Task task) {
        asBefore = asBefore && next < count && tasks[next] == task.id();
        if (!asBefore) {
            count = next;
            add(task.id(), here());
        }
        return sites[next++];
    }

    private void add(int task, Site site) {
        if (count == sites.length) {
            tasks = Arrays.copyOf(tasks, 2 * count);
            sites = Arrays.copyOf(sites, 2 * count);
        }
        tasks[count] = task;
        sites[count++] = site;
    }
}
