// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.Region;

/// `struct dmirror` (lib/test_hmm.c): a simulated device that mirrors the address space of the
/// process which opened it. It has pages without having references to them.
final class Dmirror extends OpenFile {
    /// The object's memory.
    private final Region region;

    private final MmuIntervalNotifier notifier;

    /// The driver's lock: the device uses its page table under it, and invalidations take it.
    private final Mutex mutex;

    private final DmirrorPt pt;
    private final TestHmm driver;

    Dmirror(Machine machine, TestHmm driver, Inode inode, MmStruct mm) {
        super(machine, inode, READ | WRITE);
        this.driver = driver;
        region = new Region(machine);
        region.owner("struct dmirror");
        region.allocate();
        mutex = new Mutex(machine, region, this, "mutex", "&dmirror->mutex");
        pt = new DmirrorPt(machine, region, this, driver.pageShift());
        notifier =
                new MmuIntervalNotifier(
                        machine, region, mm, 0, MmuNotifierRange.MAX, driver.minOps(this));
    }

    Region region() {
        return region;
    }

    MmuIntervalNotifier notifier() {
        return notifier;
    }

    Mutex mutex() {
        return mutex;
    }

    DmirrorPt pt() {
        return pt;
    }

    @Override
    void release() {
        driver.fopsRelease(this);
    }

    @Override
    public String toString() {
        return "dmirror";
    }
}
