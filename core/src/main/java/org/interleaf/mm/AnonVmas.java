// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Which anon_vma a VMA has (the first part of mm/rmap.c).
///
/// # Locking
///
/// `vma->anon_vma` becomes non-null under the mmap lock held for reading, the anon_vma's lock and,
/// inside it, `page_table_lock`: that keeps threads apart that fault in the same VMA. It becomes
/// null when the VMA is unmapped.
///
/// A VMA that fork made is linked to the anon_vmas of the VMA that it is a copy of as well: they
/// have pages that both map. The interval tree by which rmap finds VMAs is a list here, and is
/// changed in the steps that change the numbers of VMAs.
public final class AnonVmas {
    private final Machine machine;
    private final Geometry geometry;
    private final MmapLock mmapLock;
    private final Rmap rmap;

    AnonVmas(Machine machine, Geometry geometry, MmapLock mmapLock, Rmap rmap) {
        this.rmap = rmap;
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
            changeActive(anonVma, vma, 1);
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

    /// mm/rmap.c: anon_vma_clone(), for a split or a move: `dst`, which has the anon_vma of `src`
    /// already, is linked to it. The mmap lock is held for writing.
    void anonVmaClone(Vma dst, Vma src) {
        mmapLock.assertWriteLocked(src.mm());
        AnonVma active = src.anonVma.read(Order.PLAIN);
        if (active == null) {
            return;
        }
        active.rwsem().downWrite();
        changeActive(active, dst, 1);
        AnonVmaChain inherited = src.inherited();
        link(inherited, dst, 1);
        dst.inherit(inherited);
        active.rwsem().upWrite();
        if (dst.anonVma.peek() != active) {
            throw new AssertionError("[interleaf internal] a VMA was cloned without its anon_vma");
        }
    }

    /// mm/rmap.c: anon_vma_fork(). `child`, a copy of `src` in another process, gets an anon_vma of
    /// its own, and is linked to those of `src`: they have the pages that both map. One of those
    /// that has no VMA of its own left and at most one child is used instead of a new one. The mmap
    /// locks of both processes are held for writing.
    void anonVmaFork(Vma child, Vma src) {
        AnonVma parent = src.anonVma.read(Order.PLAIN);
        if (parent == null) {
            return;
        }
        parent.rwsem().downWrite();
        AnonVmaChain inherited = AnonVmaChain.of(machine, src.inherited(), parent);
        AnonVma reused = null;
        for (AnonVma each : inherited.links()) {
            if (each.numChildren.readPlain() < 2 && each.numActiveVmas.readPlain() == 0) {
                reused = each;
                break;
            }
        }
        if (reused == null) {
            reused = new AnonVma(machine, parent);
            reused.root().refcount.fetchAdd(1, Order.RELAXED);
            parent.numChildren.writePlain(parent.numChildren.readPlain() + 1);
        } else {
            inherited = inherited.without(machine, reused);
        }
        changeActive(reused, child, 1);
        link(inherited, child, 1);
        child.inherit(inherited);
        child.anonVma.write(reused, Order.PLAIN);
        parent.rwsem().upWrite();
    }

    private void link(@Nullable AnonVmaChain inherited, Vma vma, int delta) {
        if (inherited != null) {
            for (AnonVma each : inherited.links()) {
                each.numLinks.writePlain(each.numLinks.readPlain() + delta);
                each.link(machine, vma, delta > 0);
            }
        }
    }

    /// mm/rmap.c: unlink_anon_vmas(). Rmap does not find the VMA any more; an anon_vma is freed
    /// with its last VMA. The mmap lock is held, if only for reading: the VMA is detached then.
    void unlinkAnonVmas(Vma vma) {
        mmapLock.assertLocked(vma.mm());
        AnonVma active = vma.anonVma.read(Order.PLAIN);
        if (active == null) {
            return;
        }
        List<AnonVma> empty = new ArrayList<>();
        active.rwsem().downWrite();
        AnonVmaChain inherited = vma.inherited();
        if (inherited != null) {
            link(inherited, vma, -1);
            vma.inherit(null);
            for (AnonVma each : inherited.links()) {
                if (each.numActiveVmas.readPlain() == 0) {
                    addIfEmpty(each, empty);
                }
            }
        }
        if (changeActive(active, vma, -1) == 0) {
            addIfEmpty(active, empty);
        }
        vma.anonVma.write(null, Order.PLAIN);
        active.rwsem().upWrite();
        for (AnonVma each : empty) {
            // Outside of the lock, which freeing it may take.
            putAnonVma(each);
        }
    }

    /// Nobody is linked to the anon_vma, which has no VMAs of its own, if its tree is empty.
    private static void addIfEmpty(AnonVma anonVma, List<AnonVma> empty) {
        // Only fork makes such links, so where there was none no access is spent on it.
        if (anonVma.numLinks.peek() == 0) {
            AnonVma parent = anonVma.parent();
            if (parent != null) {
                parent.numChildren.writePlain(parent.numChildren.readPlain() - 1);
            }
            empty.add(anonVma);
        }
    }

    /// The number of VMAs linked to the anon_vma after the change; its lock is held for writing.
    private long changeActive(AnonVma anonVma, Vma vma, long delta) {
        long now = anonVma.numActiveVmas.readPlain() + delta;
        anonVma.numActiveVmas.writePlain(now);
        anonVma.link(machine, vma, delta > 0);
        return now;
    }

    /// Complains where nobody has the folio locked: what it is mapped as a part of, and where,
    /// could change. Not an access.
    void assertLocked(Folio folio) {
        if (!folio.peekFlag(Folio.PG_LOCKED)) {
            String text = "rmap walk of " + folio + ", which is not locked";
            machine.monitor().complained(machine.current(), "WARNING", text);
        }
    }

    /// mm/rmap.c: folio_get_anon_vma(). The anon_vma of a locked folio, with a reference; null
    /// where nothing maps the folio any more.
    @Nullable AnonVma folioGetAnonVma(Folio folio) {
        assertLocked(folio);
        machine.rcu().readLock();
        long mapping = folio.mapping.readOnce();
        AnonVma anonVma = null;
        if (Folio.isAnonMapping(mapping) && rmap.folioMapped(folio)) {
            anonVma = (AnonVma) Objects.requireNonNull(machine.heap().resolve(mapping >> 1));
            if (anonVma.refcount.addUnless(1, 0, Order.FULL) == 0) {
                anonVma = null;
            } else if (!rmap.folioMapped(folio)) {
                machine.rcu().readUnlock();
                putAnonVma(anonVma);
                return null;
            }
        }
        machine.rcu().readUnlock();
        return anonVma;
    }

    /// mm/rmap.c: folio_lock_anon_vma_read(). The anon_vma of a locked folio, read-locked; null
    /// where nothing maps the folio any more. As long as something does, its anon_vma stays.
    @Nullable AnonVma folioLockAnonVmaRead(Folio folio) {
        return folioLockAnonVmaRead(folio, null);
    }

    /// @param rwc the walk that it is for, which may not want to wait
    @Nullable AnonVma folioLockAnonVmaRead(Folio folio, @Nullable RmapWalkControl rwc) {
        assertLocked(folio);
        machine.rcu().readLock();
        long mapping = folio.mapping.readOnce();
        if (!Folio.isAnonMapping(mapping) || rmap.folioMapcount(folio) == 0) {
            machine.rcu().readUnlock();
            return null;
        }
        AnonVma anonVma = (AnonVma) Objects.requireNonNull(machine.heap().resolve(mapping >> 1));
        if (!anonVma.rwsem().downReadTrylock()) {
            if (rwc != null && rwc.triesLock()) {
                rwc.setContended();
                machine.rcu().readUnlock();
                return null;
            }
            return lockAnonVmaSleeping(folio, anonVma);
        }
        boolean mapped = rmap.folioMapcount(folio) > 0;
        if (!mapped) {
            anonVma.rwsem().upRead();
        }
        machine.rcu().readUnlock();
        return mapped ? anonVma : null;
    }

    /// The end of folio_lock_anon_vma_read(), where the lock is not free. Ends the RCU section.
    private @Nullable AnonVma lockAnonVmaSleeping(Folio folio, AnonVma anonVma) {
        boolean pinned = anonVma.refcount.addUnless(1, 0, Order.FULL) != 0;
        boolean mapped = pinned && rmap.folioMapcount(folio) > 0;
        machine.rcu().readUnlock();
        if (!mapped) {
            if (pinned) {
                putAnonVma(anonVma);
            }
            return null;
        }
        anonVma.rwsem().downRead();
        if (anonVma.refcount.fetchAdd(-1, Order.FULL) == 1) {
            anonVma.rwsem().upRead();
            freeAnonVma(anonVma);
            return null;
        }
        return anonVma;
    }

    /// include/linux/rmap.h: put_anon_vma().
    void putAnonVma(AnonVma anonVma) {
        if (anonVma.refcount.fetchAdd(-1, Order.FULL) == 1) {
            freeAnonVma(anonVma);
        }
    }

    /// mm/rmap.c: __put_anon_vma(), anon_vma_free(). Who drops the last reference waits for whoever
    /// took the lock without one.
    private void freeAnonVma(AnonVma anonVma) {
        machine.mightSleep("anon_vma_free");
        if (anonVma.rwsem().isLocked()) {
            anonVma.rwsem().downWrite();
            anonVma.rwsem().upWrite();
        }
        if (anonVma.parent() != null) {
            putAnonVma(anonVma.root());
        }
    }
}
