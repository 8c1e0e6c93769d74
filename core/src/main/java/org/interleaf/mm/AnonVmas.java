// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Which anon_vma a VMA has (the first part of mm/rmap.c).
///
/// # Locking
///
/// `vma->anon_vma` becomes non-null under the mmap lock held for reading, the anon_vma's lock and,
/// inside it, `page_table_lock`: that keeps threads apart that fault in the same VMA. It becomes
/// null when the VMA is unmapped.
///
/// There is no fork: every anon_vma is its own root, and a VMA is linked to at most one. The links,
/// and the interval tree by which rmap finds VMAs, are represented by their number.
public final class AnonVmas {
    private final Machine machine;
    private final Geometry geometry;
    private final MmapLock mmapLock;

    AnonVmas(Machine machine, Geometry geometry, MmapLock mmapLock) {
        this.machine = machine;
        this.geometry = geometry;
        this.mmapLock = mmapLock;
    }

    /// mm/rmap.c: __anon_vma_prepare(). Gives the VMA an anon_vma, that of a neighbour if possible.
    /// The mmap lock is held; sleeps.
    public void anonVmaPrepare(Vma vma) {
        mmapLock.assertLocked(vma.mm());
        machine.mightSleep("__anon_vma_prepare");
        AnonVma anonVma = findMergeableAnonVma(vma);
        AnonVma allocated = null;
        if (anonVma == null) {
            anonVma = new AnonVma(machine);
            allocated = anonVma;
        }
        anonVma.rwsem().downWrite();
        SpinLock ptl = vma.mm().pageTableLock();
        ptl.lock(); // against threads
        if (vma.anonVma.read(Order.PLAIN) == null) {
            vma.anonVma.write(anonVma, Order.RELEASE);
            changeActive(anonVma, 1);
            allocated = null;
        }
        ptl.unlock();
        anonVma.rwsem().upWrite();
        if (allocated != null) {
            putAnonVma(allocated);
        }
    }

    /// mm/vma.c: find_mergeable_anon_vma(). The anon_vma of a neighbour that could be one VMA with
    /// this one; the next one's if there is a choice.
    private @Nullable AnonVma findMergeableAnonVma(Vma vma) {
        VmaTree tree = Objects.requireNonNull(vma.mm().vmas.read(Order.DEPENDENCY));
        Vma next = tree.lookup(vma.end());
        if (next != null) {
            AnonVma anonVma = reusableAnonVma(next, vma, next);
            if (anonVma != null) {
                return anonVma;
            }
        }
        Vma prev = tree.previous(vma);
        return prev == null ? null : reusableAnonVma(prev, prev, vma);
    }

    /// mm/vma.c: reusable_anon_vma(). The anon_vma of `old`, one of the neighbours `a` and `b`.
    /// Another thread may be setting it up at this moment, so it is read once.
    private @Nullable AnonVma reusableAnonVma(Vma old, Vma a, Vma b) {
        return anonVmaCompatible(a, b) ? old.anonVma.readOnce() : null;
    }

    /// mm/vma.c: anon_vma_compatible(). Whether `a` and, after it, `b` differ at most in what
    /// mprotect() can change.
    private boolean anonVmaCompatible(Vma a, Vma b) {
        long access = Vma.VM_READ | Vma.VM_WRITE | Vma.VM_EXEC;
        long differences = (a.flags() ^ b.flags()) & ~access;
        if (a.end() != b.start() || differences != 0) {
            return false;
        }
        return a.pgoff() + ((a.end() - a.start()) >> geometry.pageShift()) == b.pgoff();
    }

    /// mm/rmap.c: anon_vma_clone(), for a split: `dst`, which has the anon_vma of `src` already, is
    /// linked to it. The mmap lock is held for writing.
    void anonVmaClone(Vma dst, Vma src) {
        mmapLock.assertWriteLocked(src.mm());
        AnonVma active = src.anonVma.read(Order.PLAIN);
        if (active == null) {
            return;
        }
        active.rwsem().downWrite();
        changeActive(active, 1);
        active.rwsem().upWrite();
        if (dst.anonVma.peek() != active) {
            throw new AssertionError("[interleaf internal] a VMA was cloned without its anon_vma");
        }
    }

    /// mm/rmap.c: unlink_anon_vmas(). Rmap does not find the VMA any more; the anon_vma is freed
    /// with its last VMA. The mmap lock is held, if only for reading: the VMA is detached then.
    void unlinkAnonVmas(Vma vma) {
        mmapLock.assertLocked(vma.mm());
        AnonVma active = vma.anonVma.read(Order.PLAIN);
        if (active == null) {
            return;
        }
        active.rwsem().downWrite();
        boolean last = changeActive(active, -1) == 0;
        vma.anonVma.write(null, Order.PLAIN);
        active.rwsem().upWrite();
        if (last) {
            // Outside of the lock, which freeing it may take.
            putAnonVma(active);
        }
    }

    /// The number of VMAs linked to the anon_vma after the change; its lock is held for writing.
    private long changeActive(AnonVma anonVma, long delta) {
        long now = anonVma.numActiveVmas.readPlain() + delta;
        anonVma.numActiveVmas.writePlain(now);
        return now;
    }

    /// include/linux/rmap.h: put_anon_vma(); mm/rmap.c: anon_vma_free(). Who drops the last
    /// reference waits for whoever took the lock without one.
    private void putAnonVma(AnonVma anonVma) {
        if (anonVma.refcount.fetchAdd(-1, Order.FULL) == 1) {
            machine.mightSleep("anon_vma_free");
            if (anonVma.rwsem().isLocked()) {
                anonVma.rwsem().downWrite();
                anonVma.rwsem().upWrite();
            }
        }
    }
}
