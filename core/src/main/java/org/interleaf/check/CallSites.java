// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.check.KernelNames.Origin;
import org.interleaf.machine.Task;

import java.util.Arrays;
import java.util.List;

/// Where each access of the execution at hand was made. Looking at a call stack is slow, and most
/// executions begin as the one before did: as long as the same tasks go, they are at the same
/// places.
final class CallSites {
    private final KernelNames names;
    private int[] tasks = new int[256];
    private Site[] sites = new Site[256];
    private int count;
    private int next;
    private boolean asBefore;

    /// The kernel functions of an access, innermost first; none for what a test does itself.
    record Site(List<Origin> trace) {
        /// What reports call the place of an access by `task`.
        String function(Task task) {
            return trace.isEmpty() ? task.name() : trace.getFirst().function();
        }

        /// The file that was compiled: a function of a header is part of its caller's.
        String unit() {
            for (Origin origin : trace) {
                if (origin.file().endsWith(".c")) {
                    return origin.file();
                }
            }
            return "";
        }
    }

    CallSites(KernelNames names) {
        this.names = names;
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
            add(task.id(), new Site(names.callTrace()));
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
