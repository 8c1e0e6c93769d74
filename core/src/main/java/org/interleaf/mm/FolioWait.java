// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.WaitQueue;

/// Those who wait for a folio to be unlocked and have no reference to it: the entry of
/// `folio_wait_table` (mm/filemap.c), which each folio has to itself here.
///
/// # Locking
///
/// Who queues is sure of the folio at that moment, and does not look at it afterwards: it is woken
/// by whoever unlocks the folio. Both hold the lock of the queue, and so none is missed:
///
/// | waits                                 | unlocks                                |
/// |---------------------------------------|----------------------------------------|
/// | queue lock; sets `PG_waiters`         | clears `PG_locked`: `PG_waiters` was set? |
/// | locked still? is queued; queue unlock | queue lock; wakes; clears `PG_waiters` |
final class FolioWait {
    private final Machine machine;
    private final Folio folio;
    private final SpinLock lock;
    private final WaitQueue queue;

    FolioWait(Machine machine, Folio folio) {
        this.machine = machine;
        this.folio = folio;
        lock = new SpinLock(machine, null, folio, "wait_table.lock", "&folio_wait_table[i]");
        queue = new WaitQueue(machine, folio, "wait_table.head");
    }

    /// mm/filemap.c: softleaf_entry_wait_on_locked(). Waits until the folio is unlocked, of which
    /// an entry under `ptl` tells, that the caller holds and this drops: as long as it is held the
    /// entry is there, and so whoever made it has a reference. There is none after that.
    void softleafEntryWaitOnLocked(SpinLock ptl) {
        boolean queued = queueIfLocked();
        ptl.unlock();
        if (queued) {
            queue.sleep();
        }
    }

    /// Whether the folio is locked, and the task now on the queue.
    private boolean queueIfLocked() {
        lock.lock();
        folio.setFlag(Folio.PG_WAITERS);
        boolean locked = folio.testFlag(Folio.PG_LOCKED); // folio_trylock_flag()
        if (locked) {
            queue.prepare();
        } else if (folio.refcount.peek()
                == 0) { // A count that is frozen is that of a locked folio.
            String text = "wait for " + folio + ", which nobody has a reference to";
            machine.monitor().complained(machine.current(), "BUG", text);
        }
        lock.unlock();
        return locked;
    }

    /// mm/filemap.c: folio_wake_bit(), wake_page_function(). The folio was unlocked, and had
    /// waiters. Where somebody else has locked it by now they are his to wake.
    void folioWakeBit() {
        lock.lock();
        if (queue.active()) {
            if (folio.testFlag(Folio.PG_LOCKED)) {
                lock.unlock();
                return;
            }
            queue.wakeAll();
        }
        folio.clearFlag(Folio.PG_WAITERS);
        lock.unlock();
    }
}
