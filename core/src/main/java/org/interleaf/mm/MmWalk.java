// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// One walk over page tables (include/linux/pagewalk.h: struct mm_walk): where it is, and what
/// walker and callbacks have to tell each other. Of one task alone.
///
/// @param <T> what the callbacks keep for themselves
public final class MmWalk<T> {
    final MmWalkOps<T> ops;

    /// The process; changes where a walk goes through all that map a file.
    @Nullable MmStruct mm;

    /// The top table, where it is another than the process'; for walks without VMAs only.
    final @Nullable PageTable pgd;

    @Nullable Vma vma;

    /// Set by callbacks, and taken back before each look at an entry.
    WalkAction action = WalkAction.SUBTREE;

    final boolean noVma;
    private final T data;

    /// What {@link MmWalkOps.InstallPte} has to be installed.
    private long newPte;

    MmWalk(MmWalkOps<T> ops, @Nullable MmStruct mm, @Nullable Vma vma, T data) {
        this(ops, mm, vma, null, false, data);
    }

    private MmWalk(
            MmWalkOps<T> ops,
            @Nullable MmStruct mm,
            @Nullable Vma vma,
            @Nullable PageTable pgd,
            boolean noVma,
            T data) {
        this.ops = ops;
        this.mm = mm;
        this.vma = vma;
        this.pgd = pgd;
        this.noVma = noVma;
        this.data = data;
    }

    /// A walk that takes no notice of VMAs.
    static <T> MmWalk<T> withoutVmas(
            MmWalkOps<T> ops, MmStruct mm, @Nullable PageTable pgd, T data) {
        return new MmWalk<>(ops, mm, null, pgd, true, data);
    }

    /// The process whose tables are walked.
    public MmStruct mm() {
        return Objects.requireNonNull(mm);
    }

    /// The VMA that is walked; only for callbacks that never run outside of one.
    public Vma vma() {
        return Objects.requireNonNull(vma);
    }

    /// Whether the walk is inside a VMA.
    public boolean hasVma() {
        return vma != null;
    }

    /// Whether the walk takes no notice of VMAs.
    public boolean noVma() {
        return noVma;
    }

    /// `walk->private`: what the caller of the walk handed in.
    public T data() {
        return data;
    }

    /// Says what to do next. For callbacks of PUD and PMD entries.
    public void action(WalkAction next) {
        action = next;
    }

    /// What is to be done next, for all that has been said so far.
    public WalkAction action() {
        return action;
    }

    /// Says which entry to install. For {@link MmWalkOps.InstallPte}.
    public void newPte(long pte) {
        newPte = pte;
    }

    long newPte() {
        return newPte;
    }
}
