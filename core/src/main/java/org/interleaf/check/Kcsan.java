// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.check.CallSites.Site;
import org.interleaf.machine.Annotation;
import org.interleaf.machine.Cpu;
import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Monitor;
import org.interleaf.machine.Op;
import org.interleaf.machine.Order;
import org.interleaf.machine.Region;
import org.interleaf.machine.Task;
import org.interleaf.machine.Tlb;
import org.interleaf.machine.Word;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/// Data races, as the kernel's concurrency sanitizer reports them (kernel/kcsan/core.c): two
/// accesses to one location, by different tasks, at least one of them a write and at least one of
/// them plain, that nothing keeps from coming at the same time.
///
/// The kernel's sanitizer lets a task wait beside an access and looks who else comes there. Here
/// every order of two accesses that touch the same word is explored anyway, so it is enough to ask
/// of each execution which accesses {@link HappensBefore} leaves unordered.
///
/// # What does not count
///
/// - What is under `data_race()`.
/// - Files of mm/Makefile that are not instrumented: the allocators.
/// - Accesses by user code and by the hardware, which walks page tables.
/// - A write that the task has seen: with a marked read, or by writing there itself.
/// - Sections of sequence counts make accesses marked, not exempt.
final class Kcsan implements Monitor {
    private static final Set<String> NOT_INSTRUMENTED =
            Set.of("mm/page_alloc.c", "mm/slub.c", "mm/slab_common.c");

    private final Findings findings;
    private final CallSites sites;
    private final boolean plainWritesAtomic;
    private @Nullable HappensBefore order;
    private int tasks;
    private int[] racy = new int[0];
    private int[] atomic = new int[0];
    private boolean[] throughPointer = new boolean[0];

    /// How many kinds of accesses are kept apart, and by how much the marked ones come after.
    private static final int KINDS = 4;

    private static final int MARKED = 2;

    private Shadow[] shadows = new Shadow[256];
    private int epoch;

    /// The latest accesses to a word.
    private static final class Shadow {
        /// By task: plain reads, plain writes, marked reads, marked writes.
        final @Nullable Access[] latest;

        int epoch;

        Shadow(int tasks) {
            latest = new Access[KINDS * tasks];
        }
    }

    /// @param plainWritesAtomic whether plain stores count as marked, as with
    ///   `CONFIG_KCSAN_ASSUME_PLAIN_WRITES_ATOMIC`
    Kcsan(Findings findings, CallSites sites, boolean plainWritesAtomic) {
        this.findings = findings;
        this.sites = sites;
        this.plainWritesAtomic = plainWritesAtomic;
    }

    @Override
    public void started() {
        epoch++;
        sites.clear();
        if (order != null) {
            order.clear();
            Arrays.fill(racy, 0);
            Arrays.fill(atomic, 0);
            Arrays.fill(throughPointer, false);
        }
    }

    /// The order of the execution; the tasks are all there when it begins.
    private HappensBefore order(Machine machine) {
        if (order == null) {
            order = new HappensBefore(machine);
            tasks = machine.tasks().size();
            racy = new int[tasks];
            atomic = new int[tasks];
            throughPointer = new boolean[tasks];
            order.clear();
        }
        return order;
    }

    @Override
    public void annotated(Task task, Annotation annotation) {
        int t = task.id();
        if (t < 0) {
            return;
        }
        order(task.machine());
        switch (annotation) {
            case RACY_BEGIN -> racy[t]++;
            case RACY_END -> racy[t]--;
            case ATOMIC_BEGIN -> atomic[t]++;
            case ATOMIC_END -> atomic[t]--;
            case THROUGH_POINTER -> throughPointer[t] = true;
        }
    }

    @Override
    public void fenced(Task task, Fence fence) {
        if (task.id() >= 0) {
            order(task.machine()).fenced(task, fence);
        }
    }

    @Override
    public void exclusivelyWritten(Task task, Word word) {
        if (task.id() >= 0) {
            HappensBefore now = order(task.machine());
            Site site = sites.here();
            check(Access.assertion(task, word, site, now.time(task.id())), false);
        }
    }

    @Override
    public void stepped(Task task, long before) {
        HappensBefore now = order(task.machine());
        boolean dependent = throughPointer[task.id()];
        throughPointer[task.id()] = false;
        Site site = sites.next(task);
        if (task.lateAim() != null) {
            return;
        }
        boolean wrote = task.op().writes(before, task.a(), task.b());
        if (isWatched(task, site)) {
            int when = now.time(task.id()) + 1;
            Access access = Access.of(task, site, when, isMarked(task), before);
            check(access, dependent || task.word().owner() != null);
        }
        now.accessed(task, wrote);
    }

    private boolean isWatched(Task task, Site site) {
        Object owner = task.word().owner();
        return racy[task.id()] == 0
                && !(owner instanceof Region || owner instanceof Cpu || owner instanceof Tlb)
                && !NOT_INSTRUMENTED.contains(site.unit());
    }

    private boolean isMarked(Task task) {
        boolean store = task.op() == Op.STORE || task.op() == Op.STORE_BITS;
        return task.order() != Order.PLAIN || atomic[task.id()] > 0 || plainWritesAtomic && store;
    }

    /// Compares the access with the latest ones of the other tasks, and remembers it.
    ///
    /// @param reached whether the task got there by a pointer that it has read
    private void check(Access access, boolean reached) {
        Shadow shadow = shadow(access.word());
        for (Access other : shadow.latest) {
            if (other != null
                    && other.task() != access.task()
                    && access.conflicts(other)
                    && !ordered(other, access, reached)
                    && !seen(shadow, other, access, reached)) {
                report(other, access);
            }
        }
        int kind = (access.marked() ? MARKED : 0) + (access.writes() ? 1 : 0);
        shadow.latest[access.task().id() * KINDS + kind] = access;
    }

    /// Whether synchronisation orders the two. A plain write may be compiled into a read and then a
    /// write, or none: where it conflicts with another write, both halves must be in order.
    private boolean ordered(Access first, Access second, boolean reached) {
        HappensBefore now = order(second.task().machine());
        int t = second.task().id();
        int other = first.task().id();
        boolean both = first.writes() && second.writes();
        boolean dependent = reached || second.writes() && (second.marked() || !both);
        return now.ordered(t, dependent, other, first.writes(), first.when())
                && (first.marked()
                        || !both
                        || now.ordered(t, dependent, other, false, first.when()));
    }

    /// Whether the task of `second` knows that `first`, a marked write, is over, since a marked
    /// access to the same word that came after it did.
    private boolean seen(Shadow shadow, Access first, Access second, boolean reached) {
        if (!first.marked() || !first.writes()) {
            return false;
        }
        for (Access between : shadow.latest) {
            if (between != null
                    && between.marked()
                    && between.step() > first.step()
                    && comesBefore(between, second, reached)) {
                return true;
            }
        }
        return false;
    }

    private boolean comesBefore(Access marked, Access second, boolean reached) {
        Task task = second.task();
        return marked.task() == task
                ? reached
                        || second.writes()
                        || order(task.machine()).readBefore(task.id(), marked.when())
                : ordered(marked, second, reached);
    }

    private Shadow shadow(Word word) {
        int id = word.id();
        if (id >= shadows.length) {
            shadows = Arrays.copyOf(shadows, Math.max(2 * shadows.length, id + 1));
        }
        Shadow shadow = shadows[id];
        if (shadow == null) {
            shadow = new Shadow(tasks);
            shadows[id] = shadow;
        }
        if (shadow.epoch != epoch) {
            shadow.epoch = epoch;
            Arrays.fill(shadow.latest, null);
        }
        return shadow;
    }

    // ---- reports

    private void report(Access first, Access second) {
        String one = first.function();
        String other = second.function();
        String where = one.compareTo(other) <= 0 ? one + " / " + other : other + " / " + one;
        findings.report(
                Violation.DATA_RACE, where, second.task(), () -> describe(where, first, second));
    }

    private static Violation describe(String where, Access first, Access second) {
        List<String> details = new ArrayList<>();
        stack(first, details);
        details.add("");
        stack(second, details);
        Access change = first.writes() ? first : second;
        if (change.before() != change.after()) {
            Word word = change.word();
            details.add("");
            details.add(
                    "value changed: "
                            + word.show(change.before())
                            + " -> "
                            + word.show(change.after()));
        }
        return new Violation(
                Violation.DATA_RACE,
                where,
                "",
                first.word().name(),
                second.task().name(),
                second.task().cpu(),
                functions(second),
                details);
    }

    private static void stack(Access access, List<String> details) {
        details.add(access.describe());
        functions(access).forEach(function -> details.add(" " + function));
        if (access.site().trace().isEmpty()) {
            details.add(" " + access.task().name());
        }
    }

    private static List<String> functions(Access access) {
        return access.site().trace().stream().map(KernelNames.Origin::function).toList();
    }
}
