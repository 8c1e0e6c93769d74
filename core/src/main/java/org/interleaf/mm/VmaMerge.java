// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Merging a part of a VMA that becomes like its neighbours with them (vma_merge_existing_range()
/// of mm/vma.c).
///
/// # Locking
///
/// The mmap lock is held for writing. All VMAs concerned are write-locked; their bounds change with
/// `i_mmap_rwsem` and the lock of the anon_vma held for writing, which keeps rmap out. A VMA that
/// is no longer needed is freed at once: who finds VMAs without any of these locks finds its memory
/// used for something else.
final class VmaMerge {
    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;

    VmaMerge(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
    }

    /// The part of `struct vma_merge_struct` that the caller of vma_modify() fills in: `[start,
    /// end)` of `middle` is to have these flags and this userfaultfd.
    record Change(Vma middle, long start, long end, long flags, @Nullable UserfaultfdCtx ctx) {
        static Change ofFlags(Vma middle, long start, long end, long flags) {
            return new Change(middle, start, end, flags, middle.userfaultfdCtx());
        }
    }

    /// What becomes of whom: the rest of `struct vma_merge_struct`.
    private static final class Merge {
        final Change change;

        /// The neighbour below, if it takes the part over.
        @Nullable Vma prev;

        /// The neighbour above, likewise.
        @Nullable Vma next;

        /// `__remove_middle`: whether nothing is left of the VMA.
        boolean removeMiddle;

        Merge(Change change) {
            this.change = change;
        }

        Vma target() {
            return prev != null ? prev : Objects.requireNonNull(next);
        }

        List<Vma> removed() {
            List<Vma> removed = new ArrayList<>();
            if (removeMiddle) {
                removed.add(change.middle);
            }
            if (prev != null && next != null) {
                removed.add(next);
            }
            return removed;
        }

        /// `adj_next`: the VMA that only gets another end, where one is left beside the target.
        @Nullable Vma adjusted() {
            return removeMiddle ? null : change.middle;
        }
    }

    /// mm/vma.c: vma_merge_existing_range(). The VMA that the part belongs to now, with what was
    /// asked for; null where there is nothing to merge it with.
    @Nullable Vma mergeExistingRange(Change change) {
        Vma middle = change.middle;
        kernel.mmapLock().assertWriteLocked(middle.mm());
        boolean leftSide = change.start == middle.start();
        boolean rightSide = change.end == middle.end();
        if ((change.flags & Vma.VM_SPECIAL) != 0 || !leftSide && !rightSide) {
            return null;
        }
        VmaTree tree = Objects.requireNonNull(middle.mm().vmas.read(Order.PLAIN));
        Merge merge = new Merge(change);
        Vma below = leftSide ? tree.previous(middle) : null;
        Vma above = rightSide ? tree.next(middle) : null;
        merge.prev = below != null && canMergeAfter(change, below) ? below : null;
        merge.next = above != null && canMergeRight(change, above, merge.prev) ? above : null;
        if (merge.prev == null && merge.next == null) {
            return null;
        }
        merge.removeMiddle = leftSide && rightSide;
        lockAll(merge);
        dupAnonVma(merge);
        commit(merge);
        return merge.target();
    }

    /// mm/vma.c: can_vma_merge_left(), can_vma_merge_after().
    private boolean canMergeAfter(Change change, Vma prev) {
        return prev.end() == change.start
                && isMergeable(change, prev)
                && isMergeableAnonVma(change.middle, prev)
                && prev.pgoff() + pages(prev.start(), prev.end()) == pgoff(change, change.start);
    }

    /// mm/vma.c: can_vma_merge_right(), can_vma_merge_before().
    private boolean canMergeRight(Change change, Vma next, @Nullable Vma prev) {
        boolean fits =
                next.start() == change.end
                        && isMergeable(change, next)
                        && isMergeableAnonVma(change.middle, next)
                        && pgoff(change, change.end) == next.pgoff();
        if (!fits || prev == null) {
            return fits;
        }
        AnonVma ofPrev = prev.anonVma.read(Order.PLAIN);
        AnonVma ofNext = next.anonVma.read(Order.PLAIN);
        return ofPrev == null || ofNext == null || ofPrev == ofNext;
    }

    /// mm/vma.c: is_mergeable_vma().
    private static boolean isMergeable(Change change, Vma vma) {
        return vma.flags() == change.flags
                && Objects.equals(vma.file, change.middle.file)
                && vma.userfaultfdCtx() == change.ctx;
    }

    /// mm/vma.c: is_mergeable_anon_vma(). Not where one of them has pages of a parent: its
    /// anon_vmas would be searched for the pages of the other.
    private static boolean isMergeableAnonVma(Vma source, Vma target) {
        AnonVma ofSource = source.anonVma.read(Order.PLAIN);
        AnonVma ofTarget = target.anonVma.read(Order.PLAIN);
        if (ofTarget == null && ofSource != null) {
            return source.inherited() == null; // vma_is_fork_child()
        }
        if (ofTarget != null && ofSource == null) {
            return target.inherited() == null;
        }
        return ofSource == ofTarget;
    }

    private long pgoff(Change change, long addr) {
        return change.middle.linearPageIndex(geometry, addr);
    }

    private long pages(long from, long to) {
        return (to - from) >> geometry.pageShift();
    }

    private void lockAll(Merge merge) {
        kernel.vmaLock().vmaStartWrite(merge.change.middle);
        if (merge.next != null) {
            kernel.vmaLock().vmaStartWrite(merge.next);
        }
        if (merge.prev != null) {
            kernel.vmaLock().vmaStartWrite(merge.prev);
        }
    }

    /// mm/vma.c: dup_anon_vma(). The target is responsible for the pages of the others from now on.
    private void dupAnonVma(Merge merge) {
        Vma target = merge.target();
        Vma source = merge.change.middle;
        if (merge.prev != null
                && merge.next != null
                && merge.next.anonVma.read(Order.PLAIN) != null) {
            source = merge.next;
        }
        AnonVma anonVma = source.anonVma.read(Order.PLAIN);
        if (anonVma != null && target.anonVma.read(Order.PLAIN) == null) {
            target.anonVma.write(anonVma, Order.PLAIN);
            kernel.anonVmas().anonVmaClone(target, source);
        }
    }

    /// mm/vma.c: commit_merge(), with vma_prepare() and vma_complete().
    private void commit(Merge merge) {
        Vma target = merge.target();
        Vma adjusted = merge.adjusted();
        AnonVma anonVma = target.anonVma.read(Order.PLAIN);
        Inode inode = target.isAnonymous() ? null : target.inode();
        if (inode != null) {
            inode.mmapRwsem().downWrite();
        }
        if (anonVma != null) {
            anonVma.rwsem().downWrite();
        }
        if (inode != null) {
            kernel.mappingRmap().remove(target);
            if (adjusted != null) {
                kernel.mappingRmap().remove(adjusted);
            }
        }
        setRanges(merge);
        if (inode != null) {
            if (adjusted != null) {
                kernel.mappingRmap().insert(adjusted);
            }
            kernel.mappingRmap().insert(target);
            merge.removed().forEach(kernel.mappingRmap()::remove);
        }
        if (anonVma != null) {
            anonVma.rwsem().upWrite();
        }
        if (inode != null) {
            inode.mmapRwsem().upWrite();
        }
        merge.removed().forEach(this::freeRemoved);
    }

    /// The part of commit_merge() that moves the bounds, and puts the target in the place of what
    /// it takes over.
    private void setRanges(Merge merge) {
        Change change = merge.change;
        Vma middle = change.middle;
        Vma prev = merge.prev;
        Vma next = merge.next;
        if (prev != null) {
            long end = next == null ? change.end : next.end();
            kernel.vmaSplit().vmaAdjustTransHuge(prev, prev.start(), end);
            if (!merge.removeMiddle) {
                kernel.vmaSplit().splitHugePmdIfNeeded(middle, end);
                middle.pgoff.writePlain(middle.pgoff() + pages(middle.start(), end));
                middle.start.writePlain(end);
            }
            prev.end.writePlain(end);
        } else if (next != null) {
            Vma shrinking = merge.removeMiddle ? next : middle;
            kernel.vmaSplit().splitHugePmdIfNeeded(shrinking, change.start);
            if (!merge.removeMiddle) {
                middle.end.writePlain(change.start);
            }
            next.pgoff.writePlain(next.pgoff() - pages(change.start, next.start()));
            next.start.writePlain(change.start);
        }
        MmStruct mm = middle.mm();
        VmaTree tree = Objects.requireNonNull(mm.vmas.read(Order.PLAIN));
        List<Vma> left = tree.replaced(merge.removed(), List.of());
        mm.vmas.write(new VmaTree(machine, left), Order.RELEASE);
    }

    /// The end of vma_complete() for a VMA that is part of another one now.
    private void freeRemoved(Vma vma) {
        kernel.vmaLock().vmaMarkDetached(vma);
        if (!vma.isAnonymous()) {
            kernel.files().fput(vma.file());
        }
        kernel.anonVmas().unlinkAnonVmas(vma);
        vma.free();
    }
}
