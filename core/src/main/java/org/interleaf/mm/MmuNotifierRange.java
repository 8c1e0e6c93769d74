// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Task;

/// `struct mmu_notifier_range` (include/linux/mmu_notifier.h): the part `[start, end)` of an
/// address space in which page-table entries are about to change.
///
/// @param by the task that changes them
/// @param blockable whether those who are told may sleep
public record MmuNotifierRange(
        Event event, MmStruct mm, long start, long end, Task by, boolean blockable) {
    /// The last address that there is: `ULONG_MAX`, but for the half that is the kernel's.
    static final long MAX = Long.MAX_VALUE;

    /// `enum mmu_notifier_event`: why entries change.
    public enum Event {
        UNMAP,
        CLEAR,
        PROTECTION_VMA,
        PROTECTION_PAGE,
        SOFT_DIRTY,
        RELEASE,
        MIGRATE,
        EXCLUSIVE
    }

    MmuNotifierRange nonblock() {
        return new MmuNotifierRange(event, mm, start, end, by, false);
    }
}
