// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// `struct mmu_notifier_ops` (include/linux/mmu_notifier.h): what is told to somebody who keeps
/// page tables or translations besides those of the CPUs. All are called in an SRCU read section.
public interface MmuNotifierOps {
    /// The address space is going away, or the subscription is: translations must go, and none may
    /// be made any more.
    default void release(MmStruct mm) {}

    /// Whether the page at `addr` was used. Its mark may stay.
    default boolean testYoung(MmStruct mm, long addr) {
        return false;
    }

    /// Entries of the range are about to change: translations of it must go, and none may be made
    /// until {@link #invalidateRangeEnd}. 0; or -EAGAIN, where the range is not blockable and this
    /// would have to sleep.
    default int invalidateRangeStart(MmuNotifierRange range) {
        return 0;
    }

    /// Entries of the range have changed.
    default void invalidateRangeEnd(MmuNotifierRange range) {}

    /// The CPUs have just forgotten translations of `[start, end)`; so must a device that walks the
    /// CPUs' page tables. Page-table locks may be held.
    default void archInvalidateSecondaryTlbs(MmStruct mm, long start, long end) {}
}
