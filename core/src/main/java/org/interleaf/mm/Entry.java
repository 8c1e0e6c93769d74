// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// The values of page-table entries of every level, and the kernel's questions about them
/// (include/linux/pgtable.h and the architectures' pgtable.h). Values are plain numbers: two are
/// the same entry exactly when they are equal (`pte_same()`).
///
/// Bits 0 to 11 are flags, a frame number is in the upper half: where entries are read in two
/// halves, no two frames have the same one, as those of a machine whose memory is far apart. A
/// table entry holds {@link #PRESENT} and the frame of the table; a leaf above PTE level also holds
/// {@link #LEAF}.
public final class Entry {
    /// The hardware uses the entry.
    public static final long PRESENT = 1;

    public static final long WRITE = 1 << 1;
    public static final long USER = 1 << 2;
    public static final long ACCESSED = 1 << 3;
    public static final long DIRTY = 1 << 4;

    /// The entry maps memory although it is above PTE level.
    public static final long LEAF = 1 << 5;

    /// The kernel must not look for a `struct page` behind the entry.
    public static final long SPECIAL = 1 << 6;

    /// Present for the kernel but not for the hardware: NUMA hinting, or `PROT_NONE`.
    public static final long PROTNONE = 1 << 7;

    /// The entry is one of several that map a larger page together: the contiguous bit of arm64,
    /// Svnapot of riscv.
    public static final long CONT = 1 << 8;

    /// In an entry that is not present: what else it says than none. Accessed and dirty bits may be
    /// set beside it.
    private static final long SOFTLEAF = 7 << 9;

    /// The page migrates; it was mapped read-only.
    public static final long MIGRATION_READ = 1 << 9;

    /// The page migrates; it was mapped read-only and is the process' own.
    public static final long MIGRATION_READ_EXCLUSIVE = 2 << 9;

    /// The page migrates; it was mapped writable.
    public static final long MIGRATION_WRITE = 3 << 9;

    /// The memory of the page is bad.
    public static final long HWPOISON = 4 << 9;

    /// No page at all, but something to remember; see {@link #marker(long)}.
    private static final long MARKER = 5 << 9;

    /// The page is in swap; see {@link #swap(long, boolean)}.
    private static final long SWAP = 6 << 9;

    /// In a swap entry: the page is the process' own.
    private static final long SWP_EXCLUSIVE = USER;

    /// `PTE_MARKER_UFFD_WP`: what comes here is to be write-protected for a userfaultfd.
    public static final long MARKER_UFFD_WP = 1;

    /// `PTE_MARKER_POISONED`: who touches this must be told that memory is bad.
    public static final long MARKER_POISONED = 1 << 1;

    /// `PAGE_NONE`: the protection of what nobody may access, and of NUMA hinting.
    public static final long PAGE_NONE = USER | PROTNONE;

    private static final long PROT = PRESENT | PROTNONE | WRITE | USER;

    /// A userfaultfd is to be told of writes; also in entries that are not present.
    public static final long UFFD = 1 << 12;

    private static final long FLAGS = 0x1fff;
    private static final int PFN_SHIFT = 32;

    private Entry() {}

    // ---- any level

    /// `pte_none()` and so on.
    public static boolean none(long entry) {
        return entry == 0;
    }

    /// `pte_pfn()` and so on: the frame that is mapped, or that holds the next table.
    public static long pfn(long entry) {
        return entry >>> PFN_SHIFT;
    }

    /// An entry that points to the table in frame `pfn`.
    public static long table(long pfn) {
        return pfn << PFN_SHIFT | PRESENT | USER | WRITE;
    }

    /// `pte_write()` and so on.
    public static boolean write(long entry) {
        return (entry & WRITE) != 0;
    }

    /// `pte_dirty()` and so on.
    public static boolean dirty(long entry) {
        return (entry & DIRTY) != 0;
    }

    /// `pte_young()` and so on.
    public static boolean young(long entry) {
        return (entry & ACCESSED) != 0;
    }

    /// `pte_special()` and so on.
    public static boolean special(long entry) {
        return (entry & SPECIAL) != 0;
    }

    /// `pte_access_permitted()`, `pmd_access_permitted()`: the hardware would let user code do
    /// this.
    public static boolean accessPermitted(long entry, boolean write) {
        long need = PRESENT | USER | (write ? WRITE : 0);
        return (entry & need) == need;
    }

    /// `pte_protnone()`, `pmd_protnone()`.
    public static boolean protnone(long entry) {
        return (entry & (PROTNONE | PRESENT)) == PROTNONE;
    }

    // ---- entries that are not present

    /// `swp_entry_to_pte()`: an entry of one of the kinds `MIGRATION_…` for the frame `pfn`.
    public static long softleaf(long kind, long pfn, long bits) {
        return pfn << PFN_SHIFT | kind | bits & (ACCESSED | DIRTY | UFFD);
    }

    /// Whether it is one of these: neither present nor none.
    public static boolean isSoftleaf(long entry) {
        return !ptePresent(entry) && (entry & SOFTLEAF) != 0;
    }

    /// `softleaf_is_migration()`.
    public static boolean isMigration(long entry) {
        return isSoftleaf(entry) && softleafKind(entry) <= MIGRATION_WRITE;
    }

    /// Which of the kinds `MIGRATION_…` it is.
    public static long softleafKind(long entry) {
        return entry & SOFTLEAF;
    }

    /// `swp_entry_to_pte()`: an entry for a slot of the swap device, of which there is one;
    /// `pte_swp_mkexclusive()` where `exclusive`.
    public static long swap(long offset, boolean exclusive) {
        return offset << PFN_SHIFT | SWAP | (exclusive ? SWP_EXCLUSIVE : 0);
    }

    /// `softleaf_is_swap()`.
    public static boolean isSwap(long entry) {
        return isSoftleaf(entry) && softleafKind(entry) == SWAP;
    }

    /// `swp_offset()`: the slot that a swap entry speaks of.
    public static long swpOffset(long entry) {
        return entry >>> PFN_SHIFT;
    }

    /// `pte_swp_exclusive()`.
    public static boolean swpExclusive(long entry) {
        return (entry & SWP_EXCLUSIVE) != 0;
    }

    /// `pte_swp_clear_exclusive()`.
    public static long swpClearExclusive(long entry) {
        return entry & ~SWP_EXCLUSIVE;
    }

    /// `pte_move_swp_offset()`: the same for a slot `delta` further on.
    public static long moveSwpOffset(long entry, long delta) {
        return entry + (delta << PFN_SHIFT);
    }

    /// `make_hwpoison_entry()`.
    public static long hwpoison(long pfn) {
        return softleaf(HWPOISON, pfn, 0);
    }

    /// `softleaf_is_hwpoison()`.
    public static boolean isHwpoison(long entry) {
        return isSoftleaf(entry) && softleafKind(entry) == HWPOISON;
    }

    /// `softleaf_has_pfn()`: whether the frame in it is that of a page.
    public static boolean softleafHasPfn(long entry) {
        return isMigration(entry) || isHwpoison(entry);
    }

    /// `make_pte_marker()`: an entry with markers, the bits `MARKER_…`.
    public static long makeMarker(long markers) {
        return softleaf(MARKER, markers, 0);
    }

    /// `pte_is_marker()`.
    public static boolean isMarker(long entry) {
        return isSoftleaf(entry) && softleafKind(entry) == MARKER;
    }

    /// `softleaf_to_marker()`: what is marked.
    public static long marker(long entry) {
        return entry >>> PFN_SHIFT;
    }

    /// `pte_is_uffd_marker()`: a marker that is for userfaultfd to change.
    public static boolean isUffdMarker(long entry) {
        return isMarker(entry) && (marker(entry) & (MARKER_UFFD_WP | MARKER_POISONED)) != 0;
    }

    /// `pte_is_uffd_wp_marker()`.
    public static boolean isUffdWpMarker(long entry) {
        return isMarker(entry) && (marker(entry) & MARKER_UFFD_WP) != 0;
    }

    /// `pte_swp_mkuffd()`, `pmd_swp_mkuffd()`.
    public static long swpMkuffd(long entry) {
        return entry | UFFD;
    }

    /// The same entry of another kind.
    public static long withKind(long entry, long kind) {
        return entry & ~SOFTLEAF | kind;
    }

    // ---- PTE level

    /// `pte_present()`.
    public static boolean ptePresent(long pte) {
        return (pte & (PRESENT | PROTNONE)) != 0;
    }

    // ---- above PTE level

    /// `pmd_present()`, `pud_present()`: also true while a huge entry is invalidated.
    public static boolean present(long entry) {
        return (entry & (PRESENT | PROTNONE | LEAF)) != 0;
    }

    /// `pmd_leaf()`, `pud_leaf()`, `pmd_trans_huge()`: maps memory, or did before {@link
    /// #mkinvalid}.
    public static boolean leaf(long entry) {
        return (entry & LEAF) != 0;
    }

    /// Points to a table.
    public static boolean isTable(long entry) {
        return (entry & (PRESENT | LEAF)) == PRESENT;
    }

    /// `pmd_bad()` and so on: neither none nor a table.
    public static boolean bad(long entry) {
        return !isTable(entry);
    }

    /// `pmd_mkinvalid()`: the hardware ignores the entry, the kernel still sees a huge one.
    public static long mkinvalid(long entry) {
        return entry & ~(PRESENT | PROTNONE);
    }

    // ---- making and changing

    /// `mk_pte()` with the protection bits `prot`.
    public static long make(long pfn, long prot) {
        return pfn << PFN_SHIFT | prot & FLAGS;
    }

    /// `pte_advance_pfn()`: the same for the page `nr` further on.
    public static long advancePfn(long entry, long nr) {
        return entry + (nr << PFN_SHIFT);
    }

    /// `pte_mkdirty()`.
    public static long mkdirty(long entry) {
        return entry | DIRTY;
    }

    /// `pte_mkclean()`.
    public static long mkclean(long entry) {
        return entry & ~DIRTY;
    }

    /// `pte_mkyoung()`.
    public static long mkyoung(long entry) {
        return entry | ACCESSED;
    }

    /// `pte_mkold()`.
    public static long mkold(long entry) {
        return entry & ~ACCESSED;
    }

    /// `pte_mkwrite()`.
    public static long mkwrite(long entry) {
        return entry | WRITE;
    }

    /// `pte_wrprotect()`.
    public static long wrprotect(long entry) {
        return entry & ~WRITE;
    }

    /// `pte_modify()`, `pmd_modify()`, `pud_modify()`: the same with the protection bits of `prot`.
    public static long modify(long entry, long prot) {
        return entry & ~PROT | prot & PROT;
    }

    /// `pte_uffd()`, `pmd_uffd()`; also `pte_swp_uffd()` of entries that are not present.
    public static boolean uffd(long entry) {
        return (entry & UFFD) != 0;
    }

    /// `pte_mkuffd()`, `pmd_mkuffd()`: no longer writable.
    public static long mkuffd(long entry) {
        return wrprotect(entry) | UFFD;
    }

    /// `pte_clear_uffd()`, `pte_swp_clear_uffd()` and so on.
    public static long clearUffd(long entry) {
        return entry & ~UFFD;
    }

    /// `pte_mkspecial()`.
    public static long mkspecial(long entry) {
        return entry | SPECIAL;
    }

    /// `pmd_mkhuge()`.
    public static long mkhuge(long entry) {
        return entry | LEAF;
    }

    /// `pte_cont()`, `pmd_cont()`, `pte_napot()`.
    public static boolean cont(long entry) {
        return (entry & CONT) != 0;
    }

    /// `pte_mkcont()`, `pmd_mkcont()`, `pte_mknapot()`.
    public static long mkcont(long entry) {
        return entry | CONT;
    }

    /// The flags of an entry without its frame.
    public static long flags(long entry) {
        return entry & FLAGS;
    }

    /// The entry in words, such as `none`, `table 12` or `page 7 rw`.
    public static String show(int level, long entry) {
        if (none(entry)) {
            return "none";
        }
        if (level > Geometry.PTE && isTable(entry)) {
            return "table " + pfn(entry);
        }
        if (isSoftleaf(entry) && !leaf(entry)) {
            return showSoftleaf(entry);
        }
        StringBuilder text = new StringBuilder();
        text.append(level > Geometry.PTE ? "huge page " : "page ").append(pfn(entry));
        text.append((entry & PRESENT) != 0 ? " r" : protnone(entry) ? " protnone " : " invalid ");
        text.append(write(entry) ? "w" : "").append(cont(entry) ? " cont" : "");
        text.append(uffd(entry) ? " uffd" : "");
        text.append(dirty(entry) ? " dirty" : "").append(young(entry) ? " young" : "");
        return text.append(special(entry) ? " special" : "").toString();
    }

    private static String showSoftleaf(long entry) {
        if (isMarker(entry)) {
            return (marker(entry) & MARKER_POISONED) != 0
                    ? "marker of poison"
                    : "marker of uffd-wp";
        }
        if (isSwap(entry)) {
            return "slot " + swpOffset(entry) + (swpExclusive(entry) ? " exclusive" : "");
        }
        String what = isHwpoison(entry) ? "poison of page " : "migration of page ";
        return what + pfn(entry);
    }
}
