// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// What a walk over page tables does at each entry (include/linux/pagewalk.h: struct mm_walk_ops).
/// A callback that is null is not called, and levels below which none would be called are not
/// walked.
///
/// Callbacks return 0 to go on, anything else to end the walk: a negative error number, or a
/// positive number that is the caller's affair. They get entries by their location, never by value:
/// who wants to know what an entry holds reads it.
///
/// @param <T> what the callbacks keep for themselves, see {@link MmWalk#data}
/// @param pgd for each PGD entry that is not empty, also where the level is folded, as all that
///   follow
/// @param pud may say by {@link MmWalk#action} what to do next
/// @param pmd the same; must cope with huge PMDs
/// @param pte for each PTE, the empty ones too; inside a VMA under the PTE lock. Where there is
///   `installPte`, only for those that are not empty
/// @param hole for each range in which there is nothing
/// @param hugetlb for each huge page of a hugetlb VMA, with the VMA's hugetlb lock held for
///   reading, and not the lock of the entry
/// @param testWalk whether to walk a VMA: 0 to do so, 1 to leave it out
/// @param preVma before a VMA is walked
/// @param postVma after a VMA was walked, with or without success, if `preVma` had it
/// @param installPte what to put into an empty PTE; tables are then made where they are missing.
///   For core-mm only
/// @param walkLock what must be locked
public record MmWalkOps<T>(
        @Nullable EntryCallback<T> pgd,
        @Nullable EntryCallback<T> p4d,
        @Nullable EntryCallback<T> pud,
        @Nullable EntryCallback<T> pmd,
        @Nullable EntryCallback<T> pte,
        @Nullable HoleCallback<T> hole,
        @Nullable HugetlbCallback<T> hugetlb,
        @Nullable RangeCallback<T> testWalk,
        @Nullable RangeCallback<T> preVma,
        @Nullable EndCallback<T> postVma,
        @Nullable InstallPte<T> installPte,
        WalkLock walkLock) {

    /// Which locks a walk needs (include/linux/pagewalk.h: enum page_walk_lock).
    public enum WalkLock {
        /// The mmap lock is held, in either mode.
        RDLOCK,
        /// The mmap lock is held for writing; the walker write-locks the VMAs that it enters.
        WRLOCK,
        /// The mmap lock is held for writing, and the VMA is write-locked already.
        WRLOCK_VERIFY,
        /// The VMA is locked in either mode; the mmap lock need not be held.
        VMA_RDLOCK_VERIFY
    }

    /// Called for an entry of a page table.
    @FunctionalInterface
    public interface EntryCallback<T> {
        /// Visits one entry.
        ///
        /// @param addr start of the part of the entry's range that is walked
        /// @param next end of that part
        int entry(Word entry, long addr, long next, MmWalk<T> walk);
    }

    /// Called for a range in which there is nothing.
    @FunctionalInterface
    public interface HoleCallback<T> {
        /// Visits one range in which there is nothing.
        ///
        /// @param depth where the entry is missing: 0 in the PGD, 1 P4D, 2 PUD, 3 PMD, of folded
        ///   levels the highest; -1 where that is not known, as outside of VMAs
        int hole(long addr, long next, int depth, MmWalk<T> walk);
    }

    /// Called for the entry, or first entry, of a huge page of hugetlb, whatever it holds.
    @FunctionalInterface
    public interface HugetlbCallback<T> {
        /// Visits one huge page of hugetlb.
        ///
        /// @param hmask bits of an address that select a huge page
        int entry(Word pte, long hmask, long addr, long next, MmWalk<T> walk);
    }

    /// Called for the part of a VMA that is to be walked.
    @FunctionalInterface
    public interface RangeCallback<T> {
        int range(long start, long end, MmWalk<T> walk);
    }

    /// Called at the end of a VMA.
    @FunctionalInterface
    public interface EndCallback<T> {
        void end(MmWalk<T> walk);
    }

    /// Called for an empty PTE, under its lock.
    @FunctionalInterface
    public interface InstallPte<T> {
        /// Says by {@link MmWalk#newPte} what to put into it.
        int install(long addr, long next, MmWalk<T> walk);
    }

    /// Callbacks, none so far, for walks that need what `walkLock` says.
    public static <T> Builder<T> builder(WalkLock walkLock) {
        return new Builder<>(walkLock);
    }

    boolean belowPgd() {
        return p4d != null || belowP4d();
    }

    boolean belowP4d() {
        return pud != null || belowPud();
    }

    boolean belowPud() {
        return pmd != null || pte != null;
    }

    /// Collects callbacks.
    public static final class Builder<T> {
        private final WalkLock walkLock;
        private @Nullable EntryCallback<T> pgd;
        private @Nullable EntryCallback<T> p4d;
        private @Nullable EntryCallback<T> pud;
        private @Nullable EntryCallback<T> pmd;
        private @Nullable EntryCallback<T> pte;
        private @Nullable HoleCallback<T> hole;
        private @Nullable HugetlbCallback<T> hugetlb;
        private @Nullable RangeCallback<T> testWalk;
        private @Nullable RangeCallback<T> preVma;
        private @Nullable EndCallback<T> postVma;
        private @Nullable InstallPte<T> installPte;

        private Builder(WalkLock walkLock) {
            this.walkLock = walkLock;
        }

        public Builder<T> pgd(EntryCallback<T> callback) {
            pgd = callback;
            return this;
        }

        public Builder<T> p4d(EntryCallback<T> callback) {
            p4d = callback;
            return this;
        }

        public Builder<T> pud(EntryCallback<T> callback) {
            pud = callback;
            return this;
        }

        public Builder<T> pmd(EntryCallback<T> callback) {
            pmd = callback;
            return this;
        }

        public Builder<T> pte(EntryCallback<T> callback) {
            pte = callback;
            return this;
        }

        public Builder<T> hole(HoleCallback<T> callback) {
            hole = callback;
            return this;
        }

        public Builder<T> hugetlb(HugetlbCallback<T> callback) {
            hugetlb = callback;
            return this;
        }

        public Builder<T> testWalk(RangeCallback<T> callback) {
            testWalk = callback;
            return this;
        }

        public Builder<T> preVma(RangeCallback<T> callback) {
            preVma = callback;
            return this;
        }

        public Builder<T> postVma(EndCallback<T> callback) {
            postVma = callback;
            return this;
        }

        public Builder<T> installPte(InstallPte<T> callback) {
            installPte = callback;
            return this;
        }

        public MmWalkOps<T> build() {
            return new MmWalkOps<>(
                    pgd,
                    p4d,
                    pud,
                    pmd,
                    pte,
                    hole,
                    hugetlb,
                    testWalk,
                    preVma,
                    postVma,
                    installPte,
                    walkLock);
        }
    }
}
