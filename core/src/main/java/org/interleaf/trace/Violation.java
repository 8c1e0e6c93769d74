// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.trace;

import java.util.List;

/// Something that must not happen, found in one execution: what a kernel would print as a splat.
///
/// @param kind the kernel's word for it: `WARNING`, `BUG`, `BUG: KASAN: use-after-free`, ...
/// @param where the kernel function that it happened in, such as `try_grab_folio`, or what else
///   tells it from others of its kind
/// @param source the kernel file of that function, such as `mm/gup.c`; empty where unknown
/// @param text what is wrong, in one line
/// @param task the task that it happened to, such as `P1`
/// @param cpu the CPU of that task
/// @param callTrace kernel functions, innermost first
/// @param details further lines, such as where the memory was allocated and freed
/// @param step number of the access in or after which it was found, or {@link #AT_THE_END}
public record Violation(
        String kind,
        String where,
        String source,
        String text,
        String task,
        int cpu,
        List<String> callTrace,
        List<String> details,
        int step) {
    /// The kind of a change of a page table under another lock than that of its table.
    public static final String WRONG_TABLE_LOCK = "BUG: wrong page-table lock";

    /// An entry was put into a page table that nobody can reach.
    public static final String LOST_STORE = "BUG: store into a detached page table";

    /// An entry was made to lead to what is no page table.
    public static final String NO_TABLE = "BUG: entry that leads to no page table";

    /// The kind of a change of a page table that those who keep translations were not told of.
    public static final String UNTOLD_CHANGE = "BUG: change without MMU notifier";

    /// The kind of a mapping that a device has and the CPUs do not.
    public static final String STALE_DEVICE_MAPPING = "BUG: stale device mapping";

    /// The kind of a data race; it happens in two functions, `f / g`.
    public static final String DATA_RACE = "BUG: KCSAN: data-race";

    /// The kind of a lock taken in an order that contradicts another one.
    public static final String LOCK_ORDER =
            "WARNING: possible circular locking dependency detected";

    /// The kind of a lock taken inside another one of its class.
    public static final String LOCK_RECURSION = "WARNING: possible recursive locking detected";

    /// The step of what only the end of an execution shows, such as a leak.
    public static final int AT_THE_END = -1;

    /// One that the end of an execution shows.
    public Violation(
            String kind,
            String where,
            String source,
            String text,
            String task,
            int cpu,
            List<String> callTrace,
            List<String> details) {
        this(kind, where, source, text, task, cpu, callTrace, details, AT_THE_END);
    }

    /// The same, found in another step.
    public Violation withStep(int newStep) {
        return new Violation(kind, where, source, text, task, cpu, callTrace, details, newStep);
    }

    /// Whether this only makes something possible that has not happened in this execution: a change
    /// under the wrong lock, one that nobody was told of, a data race, or locks in an order that
    /// can lead to a deadlock. Where there are others, they tell more.
    public boolean latent() {
        return kind.equals(WRONG_TABLE_LOCK)
                || kind.equals(UNTOLD_CHANGE)
                || kind.equals(DATA_RACE)
                || ofLocks();
    }

    /// Whether this is about the order of locks; {@link #where} then names their classes.
    public boolean ofLocks() {
        return kind.equals(LOCK_ORDER) || kind.equals(LOCK_RECURSION);
    }

    /// Two violations with the same title are the same finding.
    public String title() {
        return title(kind, where);
    }

    /// The title of a violation of this kind in this function.
    public static String title(String kind, String where) {
        return where.isEmpty() ? kind : kind + " " + where;
    }
}
