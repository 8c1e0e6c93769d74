// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.machine.LockClass;
import org.interleaf.machine.LockClasses;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/// The orders of locks that the kernel's sources demand in their comments. Who breaks one is found
/// although nobody has taken the locks the right way round.
///
/// # What is left out
///
/// That `hugetlb_fault_mutex_table`, the hugetlb lock of a VMA and `i_mmap_rwsem` come before the
/// lock of a folio of hugetlb: fs/hugetlbfs/inode.c: remove_inode_single_folio() takes both with
/// the folio locked, and gets by since the fault mutex keeps everybody else away.
final class LockOrder {
    private static final String PTE = "ptlock_ptr(ptdesc)";
    private static final String ANON_VMA = "&anon_vma->rwsem";
    private static final String MMAP_LOCK = "&mm->mmap_lock";
    private static final String VM_LOCK = "vm_lock";
    private static final String FOLIO = "PG_locked";

    /// Locks of page tables, outermost first.
    private static final List<String> TABLES = List.of("&mm->page_table_lock", PTE + "#2", PTE);

    private static final List<Rule> RULES =
            List.of(
                    rule(
                            "the lock order in mm/rmap.c",
                            "&sb->s_type->i_mutex_key",
                            MMAP_LOCK,
                            FOLIO,
                            "&mapping->i_mmap_rwsem",
                            ANON_VMA),
                    rule(
                            "the rules for VMA locks in mm/mmap_lock.c",
                            MMAP_LOCK,
                            VM_LOCK,
                            "&mapping->i_mmap_rwsem",
                            ANON_VMA),
                    rule(
                            "the lock order for hugetlb in mm/rmap.c",
                            "&hugetlb_fault_mutex_table[i]",
                            "&vma_lock->rw_sema",
                            "&hugetlbfs_i_mmap_rwsem_key"),
                    rule(
                            "the lock order for hugetlb in mm/rmap.c",
                            "&hugetlb_fault_mutex_table[i]",
                            "&resv_map->rw_sema",
                            "&hugetlbfs_i_mmap_rwsem_key"),
                    new Rule(
                            "the lock order in mm/rmap.c",
                            List.of(PTE + "#2", PTE, "&xa->xa_lock")),
                    new Rule(
                            "the lock order in mm/rmap.c",
                            List.of(PTE + "#2", PTE, "&sb->s_type->i_lock_key")));

    private final LockClasses classes;

    /// Each of `order` comes before those that follow.
    private record Rule(String source, List<String> order) {}

    LockOrder(LockClasses classes) {
        this.classes = classes;
    }

    /// A rule for locks outside of all locks of page tables.
    private static Rule rule(String source, String... order) {
        List<String> all = new ArrayList<>(List.of(order));
        all.addAll(TABLES);
        return new Rule(source, all);
    }

    /// What takes a demand: that `second` may be taken with `first` held.
    @FunctionalInterface
    interface Demand {
        /// One demand.
        ///
        /// @param source who demands it
        void that(LockClass first, LockClass second, String source);
    }

    /// Tells all demands on classes of more than one lock.
    void demands(Demand demand) {
        for (Rule rule : RULES) {
            pairs(
                    rule,
                    (first, second) -> {
                        if (!first.equals(FOLIO) && !second.equals(FOLIO)) {
                            demand.that(classes.of(first), classes.of(second), rule.source);
                        }
                    });
        }
    }

    /// Tells the demands on `lock`, which is a class of its own.
    void demandsOn(LockClass lock, Demand demand) {
        for (Rule rule : RULES) {
            pairs(
                    rule,
                    (first, second) -> {
                        if (lock.name().equals(first)) {
                            demand.that(lock, classes.of(second), rule.source);
                        } else if (lock.name().equals(second)) {
                            demand.that(classes.of(first), lock, rule.source);
                        }
                    });
        }
    }

    private static void pairs(Rule rule, BiConsumer<String, String> pair) {
        for (int i = 0; i < rule.order.size(); i++) {
            for (int k = i + 1; k < rule.order.size(); k++) {
                pair.accept(rule.order.get(i), rule.order.get(k));
            }
        }
    }
}
