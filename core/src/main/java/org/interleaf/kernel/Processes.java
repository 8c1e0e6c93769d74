// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.TaskKilled;
import org.interleaf.machine.Word;
import org.interleaf.mm.Errno;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MmStruct;
import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// The processes of a test: one at first, of which all P are threads, and those that fork makes. A
/// child does nothing by itself; a P that adopts its address space runs as if it were a thread of
/// the child. The address space goes with the last that uses it: the child itself until it exits,
/// and every P that has adopted it.
///
/// What is kept here for a task is used by that task alone, except for the numbers of processes: a
/// task learns of another's child by a value that it reads.
final class Processes {
    private static final int PIDS_PER_TASK = 100;

    private final Kernel kernel;
    private final Machine machine;
    private final MmStruct first;
    private final Map<Integer, Child> adopted = new HashMap<>();
    private final Map<Integer, Integer> forks = new HashMap<>();
    private final Map<Long, Child> children = new LinkedHashMap<>();
    private Map<Long, Child> childrenAtStart = Map.of();

    /// A process that fork made.
    ///
    /// @param running 1 until it exits
    private record Child(MmStruct mm, Word running) {}

    Processes(Kernel kernel, MmStruct first) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.first = first;
        kernel.currentMm(this::mm);
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
        functions.put("exit", Operation.of(1, Types.VOID, this::exit));
        functions.put("exit_mmap", Operation.of(1, Types.INT, this::exitMmap));
        functions.put("coredump", Operation.of(0, Types.INT, this::coredump));
        functions.put("kthread_use_mm", Operation.of(1, Types.INT, this::use));
        functions.put("kthread_unuse_mm", Operation.of(1, Types.INT, this::unuse));
    }

    /// The address space that the running task uses.
    MmStruct mm() {
        Child child = adopted.get(machine.current().id());
        return child == null ? first : child.mm;
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
        Word running = machine.word(null, null, "process " + pid, -1, 1);
        children.put(pid, new Child(child, running));
        return pid;
    }

    private Child child(long pid) {
        Child child = children.get(pid);
        if (child == null) {
            throw new IllegalArgumentException("there is no process " + pid);
        }
        return child;
    }

    /// `exit(status)`: the running P ends, and with it the child that it runs as, if any.
    private long exit(CallSite site, long[] args) {
        Child child = adopted.remove(machine.current().id());
        if (child != null) {
            end(child);
            kernel.fork().mmput(child.mm);
        }
        throw TaskKilled.EXITED;
    }

    /// `exit_mmap(pid)`: the child exits; 0, or -ESRCH where it has done so before.
    private long exitMmap(CallSite site, long[] args) {
        return end(child(args[0])) ? 0 : -Errno.ESRCH;
    }

    /// `coredump()`: the memory of the process as which the P runs is written out; the pages.
    private long coredump(CallSite site, long[] args) {
        return kernel.coredump().vfsCoredump(mm());
    }

    /// The child no longer uses its address space; false where it has not for some time.
    private boolean end(Child child) {
        boolean ran = child.running.xchg(0, Order.FULL) != 0;
        if (ran) {
            kernel.fork().mmput(child.mm);
        }
        return ran;
    }

    /// `kthread_use_mm(pid)`: from here on the P runs in the child's address space. 0, or -ESRCH
    /// where that has gone.
    private long use(CallSite site, long[] args) {
        Child child = child(args[0]);
        if (!kernel.fork().mmgetNotZero(child.mm)) {
            return -Errno.ESRCH;
        }
        kernel.fork().switchMm(child.mm);
        leave(adopted.put(machine.current().id(), child));
        return 0;
    }

    /// `kthread_unuse_mm(pid)`: the P runs in its own address space again.
    private long unuse(CallSite site, long[] args) {
        leave(adopted.remove(machine.current().id()));
        return 0;
    }

    private void leave(@Nullable Child child) {
        if (child != null) {
            kernel.fork().mmput(child.mm);
        }
    }
}
