// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Region;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// The driver of a device that mirrors address spaces (lib/test_hmm.c), as drivers of devices with
/// MMUs of their own are written: it finds out where pages are by {@link Hmm}, keeps that in a page
/// table of the device, and takes out what the {@link MmuNotifier} says will change.
///
/// # Locking
///
/// The mutex of the device protects its page table. What {@link Hmm#hmmRangeFault} has found is put
/// in under it, if nothing was invalidated since; and an invalidation takes it as well, so it comes
/// either before, and is noticed, or after, and takes out what was put in. The device itself uses
/// its page table under the mutex, so an invalidation waits until it has let go of the pages.
///
/// Memory of the device's own, migration to it, and exclusive access are not modelled. As nobody
/// knows the time here, no attempt runs out of it.
public final class TestHmm {
    /// How many pages are faulted in at once.
    private static final int BATCH = 32;

    private static final long FAULT = HmmRange.PFN_REQ_FAULT;

    private final Kernel kernel;
    private final Machine machine;
    private final Inode cdev;

    TestHmm(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        cdev = new Cdev(machine);
    }

    /// The device's node. It is there from the beginning to the end.
    private static final class Cdev extends Inode {
        Cdev(Machine machine) {
            super(machine, "/dev/hmm_dmirror0", 0, Inode.DEVICE_RWSEM, Inode.MMAP_RWSEM);
        }

        @Override
        VmOps vmOps() {
            throw new AssertionError("[interleaf internal] " + this + " is mapped");
        }

        @Override
        void evict() {
            throw new AssertionError("[interleaf internal] " + this + " has gone");
        }
    }

    private long pageSize() {
        return kernel.geometry().pageSize();
    }

    int pageShift() {
        return kernel.geometry().pageShift();
    }

    private long index(long addr) {
        return addr >> pageShift();
    }

    // ---- opening and closing

    /// lib/test_hmm.c: dmirror_fops_open(). A device that mirrors all of `mm`.
    public OpenFile fopsOpen(MmStruct mm) {
        kernel.files().ihold(cdev);
        Dmirror dmirror = new Dmirror(machine, this, cdev, mm);
        kernel.mmuNotifier().mmuIntervalNotifierInsert(kernel, dmirror.notifier());
        return dmirror;
    }

    /// lib/test_hmm.c: dmirror_fops_release(). Nobody uses the device any more.
    void fopsRelease(Dmirror dmirror) {
        kernel.mmuNotifier().mmuIntervalNotifierRemove(kernel, dmirror.notifier());
        dmirror.region().free();
    }

    /// lib/test_hmm.c: dmirror_min_ops.
    MmuIntervalNotifier.Ops minOps(Dmirror dmirror) {
        return new MmuIntervalNotifier.Ops() {
            @Override
            public boolean invalidate(MmuIntervalNotifier sub, MmuNotifierRange range, long seq) {
                return intervalInvalidate(dmirror, sub, range, seq);
            }

            @Override
            public DmirrorPt peekMirror() {
                return dmirror.pt();
            }
        };
    }

    // ---- the driver's page table

    /// lib/test_hmm.c: dmirror_do_fault(). Has the device map what was found; the mutex is held.
    private int doFault(Dmirror dmirror, HmmRange range) {
        for (int i = 0; i < range.hmmPfns.length; i++) {
            long found = range.hmmPfns[i];
            kernel.warnOn(
                    (found & HmmRange.PFN_ERROR) != 0 || (found & HmmRange.PFN_VALID) == 0,
                    "dmirror_do_fault: a page that was asked for is not there");
            boolean write = (found & HmmRange.PFN_WRITE) != 0;
            if (!write
                    && kernel.warnOn(
                            (range.defaultFlags & HmmRange.PFN_WRITE) != 0,
                            "dmirror_do_fault: a page is not writable")) {
                return -Errno.EFAULT;
            }
            long index = index(range.start) + i;
            dmirror.pt().store(index, new DmirrorPt.Mapping(HmmRange.pfn(found), write));
            kernel.machine().hasEffect(); // the device's table is no word
        }
        return 0;
    }

    /// lib/test_hmm.c: dmirror_do_update(). Takes out the entries of the range; the mutex is held.
    private void doUpdate(Dmirror dmirror, long start, long end) {
        dmirror.pt().eraseRange(index(start), index(end));
        kernel.machine().hasEffect();
    }

    /// lib/test_hmm.c: dmirror_interval_invalidate(). What the range maps is about to change.
    private boolean intervalInvalidate(
            Dmirror dmirror, MmuIntervalNotifier sub, MmuNotifierRange range, long seq) {
        if (range.blockable()) {
            dmirror.mutex().lock();
        } else if (!dmirror.mutex().trylock()) {
            return false;
        }
        kernel.mmuNotifier().mmuIntervalSetSeq(sub, seq);
        doUpdate(dmirror, range.start(), range.end());
        dmirror.mutex().unlock();
        return true;
    }

    // ---- faults of the device

    /// lib/test_hmm.c: dmirror_range_fault(). Has the device map the range. 0 or a negative error
    /// number.
    private int rangeFault(Dmirror dmirror, HmmRange range) {
        MmuNotifier notifier = kernel.mmuNotifier();
        Rounds retries = null;
        while (true) {
            retries = machine.retry(retries, "dmirror_range_fault");
            range.notifierSeq = notifier.mmuIntervalReadBegin(range.notifier);
            kernel.mmapLock().readLock(dmirror.notifier().mm());
            int ret = kernel.hmm().hmmRangeFault(range);
            kernel.mmapLock().readUnlock(dmirror.notifier().mm());
            if (ret == -Errno.EBUSY) {
                continue;
            }
            if (ret != 0) {
                return ret;
            }
            dmirror.mutex().lock();
            if (!notifier.mmuIntervalReadRetry(range.notifier, range.notifierSeq)) {
                break;
            }
            dmirror.mutex().unlock();
        }
        int ret = doFault(dmirror, range);
        dmirror.mutex().unlock();
        return ret;
    }

    /// lib/test_hmm.c: dmirror_range_fault_unlocked(). The same, where faults may drop the mmap
    /// lock.
    private int rangeFaultUnlocked(Dmirror dmirror, HmmRange range) {
        Rounds retries = null;
        while (true) {
            retries = machine.retry(retries, "dmirror_range_fault_unlocked");
            int ret = kernel.hmm().hmmRangeFaultUnlockedTimeout(range, 0);
            if (ret != 0) {
                return ret;
            }
            dmirror.mutex().lock();
            if (!kernel.mmuNotifier().mmuIntervalReadRetry(range.notifier, range.notifierSeq)) {
                break;
            }
            dmirror.mutex().unlock();
        }
        int ret = doFault(dmirror, range);
        dmirror.mutex().unlock();
        return ret;
    }

    /// lib/test_hmm.c: dmirror_fault(), dmirror_fault_unlocked(). Has the device map the pages of
    /// `[start, end)`. 0 or a negative error number.
    private int fault(Dmirror dmirror, long start, long end, boolean write, boolean unlocked) {
        MmStruct mm = dmirror.notifier().mm();
        if (!kernel.fork().mmgetNotZero(mm)) {
            return -Errno.EFAULT;
        }
        int ret = 0;
        for (long addr = start; ret == 0 && addr < end; addr += BATCH * pageSize()) {
            HmmRange range =
                    new HmmRange(
                            kernel.geometry(),
                            dmirror.notifier(),
                            addr,
                            Math.min(addr + BATCH * pageSize(), end),
                            FAULT | (write ? HmmRange.PFN_REQ_WRITE : 0),
                            0);
            ret = unlocked ? rangeFaultUnlocked(dmirror, range) : rangeFault(dmirror, range);
        }
        kernel.fork().mmput(mm);
        return ret;
    }

    // ---- what user space asks for

    /// The device that the file is; null where it is another file.
    private static @Nullable Dmirror device(OpenFile file) {
        return file instanceof Dmirror dmirror ? dmirror : null;
    }

    /// lib/test_hmm.c: dmirror_fault(), as an operation of its own. Has the device map the pages
    /// with a part in `[addr, addr + len)`. 0 or a negative error number.
    public long fault(OpenFile file, long addr, long len, boolean write) {
        Dmirror dmirror = device(file);
        if (dmirror == null) {
            return -Errno.ENOTTY;
        }
        long start = addr & -pageSize();
        long end = addr + len + pageSize() - 1 & -pageSize();
        return end < start ? -Errno.EINVAL : fault(dmirror, start, end, write, false);
    }

    /// lib/test_hmm.c: dmirror_read(), dmirror_read_unlocked(), of one byte where those copy whole
    /// pages. The byte that the device finds at `addr`, or a negative error number.
    ///
    /// @param unlocked whether faults may drop the mmap lock
    public long read(OpenFile file, long addr, boolean unlocked) {
        Dmirror dmirror = device(file);
        return dmirror == null ? -Errno.ENOTTY : access(dmirror, addr, -1, unlocked);
    }

    /// lib/test_hmm.c: dmirror_write(), of one byte where that copies whole pages. 0 or a negative
    /// error number.
    public long write(OpenFile file, long addr, int value) {
        Dmirror dmirror = device(file);
        return dmirror == null ? -Errno.ENOTTY : access(dmirror, addr, value & 0xff, false);
    }

    /// Reads where `value` is -1, else writes.
    private long access(Dmirror dmirror, long addr, int value, boolean unlocked) {
        boolean write = value >= 0;
        long start = addr & -pageSize();
        Rounds retries = null;
        while (true) {
            retries = machine.retry(retries, write ? "dmirror_write" : "dmirror_read");
            dmirror.mutex().lock();
            long ret = write ? doWrite(dmirror, addr, value) : doRead(dmirror, addr);
            dmirror.mutex().unlock();
            if (ret != -Errno.ENOENT) {
                return ret;
            }
            ret = fault(dmirror, start, start + pageSize(), write, unlocked);
            if (ret != 0) {
                return ret;
            }
        }
    }

    /// lib/test_hmm.c: dmirror_do_read(). -ENOENT where the device does not map the page.
    private long doRead(Dmirror dmirror, long addr) {
        DmirrorPt.Mapping to = dmirror.pt().load(index(addr));
        return to == null ? -Errno.ENOENT : contents(to, addr).readPlain() >> shift(addr) & 0xff;
    }

    /// lib/test_hmm.c: dmirror_do_write(). -ENOENT where the device may not write to the page.
    private long doWrite(Dmirror dmirror, long addr, int value) {
        DmirrorPt.Mapping to = dmirror.pt().load(index(addr));
        if (to == null || !to.write()) {
            return -Errno.ENOENT;
        }
        long mask = 0xffL << shift(addr);
        contents(to, addr).storeBits(mask, (long) value << shift(addr), Order.PLAIN);
        return 0;
    }

    private Word contents(DmirrorPt.Mapping to, long addr) {
        return kernel.memMap().contents(to.pfn(), addr & pageSize() - 1);
    }

    private static int shift(long addr) {
        return (int) (addr % Long.BYTES) * Byte.SIZE;
    }

    // ---- looking only

    /// include/uapi: HMM_DMIRROR_PROT_*
    public static final int PROT_ERROR = 0xff;

    public static final int PROT_NONE = 0;
    public static final int PROT_READ = 1;
    public static final int PROT_WRITE = 2;
    public static final int PROT_PMD = 4;
    public static final int PROT_PUD = 8;
    public static final int PROT_ZERO = 0x10;

    /// lib/test_hmm.c: dmirror_snapshot(), of one page. What the device could have of the page at
    /// `addr` without a fault, `PROT_…`; or a negative error number.
    public long snapshot(OpenFile file, long addr) {
        Dmirror dmirror = device(file);
        if (dmirror == null) {
            return -Errno.ENOTTY;
        }
        MmStruct mm = dmirror.notifier().mm();
        if (!kernel.fork().mmgetNotZero(mm)) {
            return -Errno.EINVAL;
        }
        long ret = rangeSnapshot(dmirror, addr & -pageSize());
        kernel.fork().mmput(mm);
        return ret;
    }

    /// lib/test_hmm.c: dmirror_range_snapshot(). With an interval of its own, which is on the stack
    /// and so has to be gone when the function returns.
    private long rangeSnapshot(Dmirror dmirror, long start) {
        MmuNotifier notifier = kernel.mmuNotifier();
        MmStruct mm = dmirror.notifier().mm();
        Region stack = new Region(machine);
        stack.owner("stack of dmirror_range_snapshot");
        stack.allocate();
        MmuIntervalNotifier.Ops ops =
                (sub, range, seq) -> snapshotInvalidate(dmirror, sub, range, seq);
        MmuIntervalNotifier own =
                new MmuIntervalNotifier(machine, stack, mm, start, pageSize(), ops);
        HmmRange range = new HmmRange(kernel.geometry(), own, start, start + pageSize(), 0, 0);
        notifier.mmuIntervalNotifierInsert(kernel, own);
        Rounds retries = null;
        long ret;
        while (true) {
            retries = machine.retry(retries, "dmirror_range_snapshot");
            range.notifierSeq = notifier.mmuIntervalReadBegin(own);
            kernel.mmapLock().readLock(mm);
            ret = kernel.hmm().hmmRangeFault(range);
            kernel.mmapLock().readUnlock(mm);
            if (ret == 0) {
                dmirror.mutex().lock();
                boolean valid = !notifier.mmuIntervalReadRetry(own, range.notifierSeq);
                dmirror.mutex().unlock();
                if (valid) {
                    ret = mkentry(range.hmmPfns[0]);
                    break;
                }
            } else if (ret != -Errno.EBUSY) {
                break;
            }
        }
        notifier.mmuIntervalNotifierRemove(kernel, own);
        stack.free();
        return ret;
    }

    /// lib/test_hmm.c: dmirror_snapshot_invalidate().
    private boolean snapshotInvalidate(
            Dmirror dmirror, MmuIntervalNotifier sub, MmuNotifierRange range, long seq) {
        if (range.blockable()) {
            dmirror.mutex().lock();
        } else if (!dmirror.mutex().trylock()) {
            return false;
        }
        kernel.mmuNotifier().mmuIntervalSetSeq(sub, seq);
        dmirror.mutex().unlock();
        return true;
    }

    /// lib/test_hmm.c: dmirror_mkentry().
    private long mkentry(long found) {
        if ((found & HmmRange.PFN_ERROR) != 0) {
            return PROT_ERROR;
        }
        if ((found & HmmRange.PFN_VALID) == 0) {
            return PROT_NONE;
        }
        Page page = kernel.memMap().page(HmmRange.pfn(found));
        long perm = kernel.isZeroPage(page) ? PROT_ZERO : 0;
        perm |= (found & HmmRange.PFN_WRITE) != 0 ? PROT_WRITE : PROT_READ;
        int order = HmmRange.mapOrder(found);
        int pageShift = kernel.geometry().pageShift();
        if (order + pageShift == kernel.geometry().shift(Geometry.PMD)) {
            perm |= PROT_PMD;
        } else if (order + pageShift == kernel.geometry().shift(Geometry.PUD)) {
            perm |= PROT_PUD;
        }
        return perm;
    }
}
