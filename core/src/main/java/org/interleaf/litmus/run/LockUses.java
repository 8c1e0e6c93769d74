// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.SpinLock;

/// What can be done with locks. A look that finds a lock taken lets a loop wait for its release.
public final class LockUses {
    private LockUses() {}

    /// `spin_lock()`.
    public static long lock(SpinLock lock, Frame frame) {
        frame.did();
        lock.lock();
        return 0;
    }

    /// `spin_unlock()`.
    public static long unlock(SpinLock lock, Frame frame) {
        frame.did();
        lock.unlock();
        return 0;
    }

    /// `spin_trylock()`.
    public static long trylock(SpinLock lock, Frame frame) {
        return Arithmetic.truth(lock.trylock());
    }

    /// `spin_is_locked()`.
    public static long isLocked(SpinLock lock, Frame frame) {
        long value = lock.word().readOnce();
        return Arithmetic.truth(value != 0);
    }

    /// `spin_unlock_wait()`.
    public static long unlockWait(SpinLock lock, Frame frame) {
        frame.did();
        lock.word().await(-1, 0);
        return 0;
    }

    /// `mutex_lock()`.
    public static long lock(Mutex lock, Frame frame) {
        frame.did();
        lock.lock();
        return 0;
    }

    /// `mutex_trylock()`.
    public static long trylock(Mutex lock, Frame frame) {
        frame.did();
        return Arithmetic.truth(lock.trylock());
    }

    /// `mutex_unlock()`.
    public static long unlock(Mutex lock, Frame frame) {
        frame.did();
        lock.unlock();
        return 0;
    }

    /// `down_read()`.
    public static long downRead(RwSem sem, Frame frame) {
        frame.did();
        sem.downRead();
        return 0;
    }

    /// `down_read_trylock()`.
    public static long downReadTrylock(RwSem sem, Frame frame) {
        frame.did();
        return Arithmetic.truth(sem.downReadTrylock());
    }

    /// `up_read()`.
    public static long upRead(RwSem sem, Frame frame) {
        frame.did();
        sem.upRead();
        return 0;
    }

    /// `down_write()`.
    public static long downWrite(RwSem sem, Frame frame) {
        frame.did();
        sem.downWrite();
        return 0;
    }

    /// `down_write_trylock()`.
    public static long downWriteTrylock(RwSem sem, Frame frame) {
        frame.did();
        return Arithmetic.truth(sem.downWriteTrylock());
    }

    /// `up_write()`.
    public static long upWrite(RwSem sem, Frame frame) {
        frame.did();
        sem.upWrite();
        return 0;
    }

    /// `downgrade_write()`.
    public static long downgradeWrite(RwSem sem, Frame frame) {
        frame.did();
        sem.downgradeWrite();
        return 0;
    }

    /// `srcu_read_lock()`; yields what stands for the section.
    public static long srcuReadLock(Srcu srcu, Frame frame, CallSite site) {
        frame.did();
        return srcu.readLock(frame.task(), frame.newSrcuSection(site));
    }

    /// `synchronize_srcu()`.
    public static long synchronizeSrcu(Srcu srcu, Frame frame) {
        frame.did();
        frame.machine().mightSleep("synchronize_srcu");
        srcu.synchronize();
        return 0;
    }
}
