// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.machine.Machine;
import org.interleaf.mm.Errno;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MmStruct;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// The processes of a test: one at first, of which all P are threads, and those that fork makes. A
/// child does nothing by itself; a P that adopts its address space runs as if it were the child.
///
/// What is kept here for a task is used by that task alone, except for the numbers of processes: a
/// task learns of another's child by a value that it reads.
final class Processes {
    private static final int PIDS_PER_TASK = 100;

    private final Kernel kernel;
    private final Machine machine;
    private final MmStruct first;
    private final Map<Integer, MmStruct> adopted = new HashMap<>();
    private final Map<Integer, Integer> forks = new HashMap<>();
    private final Map<Long, MmStruct> children = new LinkedHashMap<>();
    private Map<Long, MmStruct> childrenAtStart = Map.of();

    Processes(Kernel kernel, MmStruct first) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.first = first;
    }

    /// The set-up's children are there in every execution.
    void seal() {
        childrenAtStart = new LinkedHashMap<>(children);
        adopted.clear();
        machine.onReset(this::reset);
    }

    private void reset() {
        adopted.clear();
        forks.clear();
        children.clear();
        children.putAll(childrenAtStart);
    }

    void addTo(Map<String, Callable> functions) {
        functions.put("fork", Operation.of(0, Types.INT, this::fork));
        functions.put("exit_mmap", Operation.of(1, Types.INT, this::exitMmap));
        functions.put("kthread_use_mm", Operation.of(1, Types.INT, this::use));
        functions.put("kthread_unuse_mm", Operation.of(1, Types.INT, this::unuse));
    }

    /// The address space that the running task uses.
    MmStruct mm() {
        return adopted.getOrDefault(machine.current().id(), first);
    }

    /// The number of a child of the running task's process; -ENOMEM.
    private long fork(CallSite site, long[] args) {
        int task = machine.current().id();
        int k = forks.merge(task, 1, Integer::sum);
        long pid = (task + 2L) * PIDS_PER_TASK + k;
        MmStruct child = kernel.fork().dupMm(mm(), "mm of " + pid);
        if (child == null) {
            return -Errno.ENOMEM;
        }
        children.put(pid, child);
        return pid;
    }

    private MmStruct child(long pid) {
        MmStruct mm = children.get(pid);
        if (mm == null) {
            throw new IllegalArgumentException("there is no process " + pid);
        }
        return mm;
    }

    /// `exit_mmap(pid)`: the child, which no P has adopted, exits.
    private long exitMmap(CallSite site, long[] args) {
        MmStruct mm = child(args[0]);
        children.remove(args[0]);
        kernel.fork().mmput(mm);
        return 0;
    }

    /// `kthread_use_mm(pid)`: from here on the P runs in the child's address space.
    private long use(CallSite site, long[] args) {
        MmStruct mm = child(args[0]);
        kernel.fork().switchMm(mm);
        adopted.put(machine.current().id(), mm);
        return 0;
    }

    /// `kthread_unuse_mm(pid)`: the P runs in its own address space again.
    private long unuse(CallSite site, long[] args) {
        adopted.remove(machine.current().id());
        return 0;
    }
}
