// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// The `FOLL_` flags of get_user_pages() and its family (include/linux/mm_types.h, mm/internal.h).
public final class Foll {
    /// The entry must be writable.
    public static final int WRITE = 1;

    /// Take a reference.
    public static final int GET = 1 << 1;

    /// The core dump: holes are errors.
    public static final int DUMP = 1 << 2;

    /// Ignore the protection of the VMA where the owner could lift it.
    public static final int FORCE = 1 << 3;

    /// Do not wait for I/O or for a lock.
    public static final int NOWAIT = 1 << 4;

    /// Do not fault.
    public static final int NOFAULT = 1 << 5;

    /// Tell of bad memory by an error number of its own.
    public static final int HWPOISON = 1 << 6;

    /// The pin will last.
    public static final int LONGTERM = 1 << 8;

    /// Split a huge PMD first.
    public static final int SPLIT_PMD = 1 << 9;

    /// Treat NUMA-hinting entries as absent.
    public static final int HONOR_NUMA_FAULT = 1 << 12;

    /// Mark the page accessed, and dirty for a write.
    public static final int TOUCH = 1 << 16;

    /// The second try after a fault that dropped the lock.
    public static final int TRIED = 1 << 17;

    /// The process is not the caller's.
    public static final int REMOTE = 1 << 18;

    /// Take a pin.
    public static final int PIN = 1 << 19;

    /// Give up rather than leave the fast path.
    public static final int FAST_ONLY = 1 << 20;

    /// The mmap lock may be dropped on the way.
    public static final int UNLOCKABLE = 1 << 21;

    /// On behalf of MADV_POPULATE_READ or MADV_POPULATE_WRITE.
    public static final int MADV_POPULATE = 1 << 22;

    /// References that a pin on a small folio counts for: `GUP_PIN_COUNTING_BIAS`.
    public static final int GUP_PIN_COUNTING_BIAS = 1024;

    private Foll() {}

    public static boolean has(int flags, int flag) {
        return (flags & flag) != 0;
    }
}
