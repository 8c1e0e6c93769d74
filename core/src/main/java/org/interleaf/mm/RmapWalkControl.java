// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

import java.util.function.Predicate;

/// `struct rmap_walk_control` (include/linux/rmap.h): what a walk over the mappings of a folio is
/// for. One task's, for one walk.
final class RmapWalkControl {
    /// `rmap_one`.
    @FunctionalInterface
    interface RmapOne {
        /// What to do about a VMA that may map the folio, or a part of it from `addr` on; false
        /// ends the walk.
        boolean visit(Folio folio, Vma vma, long addr);
    }

    /// `anon_lock`: how the lock of the anon_vma is taken.
    @FunctionalInterface
    interface AnonLock {
        /// The anon_vma, read-locked; null where there is nothing to walk.
        @Nullable AnonVma lock(Folio folio, RmapWalkControl rwc);
    }

    private final RmapOne rmapOne;
    private @Nullable Predicate<Folio> done;
    private @Nullable Predicate<Vma> invalidVma;
    private @Nullable AnonLock anonLock;
    private boolean tryLock;
    private boolean contended;

    RmapWalkControl(RmapOne rmapOne) {
        this.rmapOne = rmapOne;
    }

    /// `done`: whether the walk is over, asked after each VMA.
    RmapWalkControl done(Predicate<Folio> isDone) {
        done = isDone;
        return this;
    }

    /// `invalid_vma`: VMAs that are left out.
    RmapWalkControl invalidVma(Predicate<Vma> isInvalid) {
        invalidVma = isInvalid;
        return this;
    }

    /// `anon_lock`, instead of that of rmap_walk_anon_lock().
    RmapWalkControl anonLock(AnonLock lock) {
        anonLock = lock;
        return this;
    }

    /// `try_lock`: the walk gives up where it would have to wait; see {@link #contended}.
    RmapWalkControl tryLock() {
        tryLock = true;
        return this;
    }

    boolean triesLock() {
        return tryLock;
    }

    /// Whether the walk gave up because of {@link #tryLock}.
    boolean contended() {
        return contended;
    }

    void setContended() {
        contended = true;
    }

    @Nullable AnonLock anonLock() {
        return anonLock;
    }

    /// Calls `rmap_one` unless the VMA is left out; whether the walk goes on.
    boolean visit(Folio folio, Vma vma, long addr) {
        if (invalidVma != null && invalidVma.test(vma)) {
            return true;
        }
        return rmapOne.visit(folio, vma, addr) && (done == null || !done.test(folio));
    }
}
