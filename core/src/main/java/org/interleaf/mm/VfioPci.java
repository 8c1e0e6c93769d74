// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.Word;

/// A PCI device in the hands of a process: `/dev/vfio0` (drivers/vfio/pci/vfio_pci_core.c). Its one
/// region, BAR 0, is memory without `struct page`s, and is mapped by special entries.
///
/// # Locking
///
/// `memory_lock` is held for reading where an entry is put in, and for writing while the device
/// does not answer. Who takes it for writing also takes all entries out; those of faults that come
/// after wait for it.
public final class VfioPci extends Device {
    private static final int VFIO_PCI_OFFSET_SHIFT = 40;

    /// `PCI_COMMAND_MEMORY`: the device answers to accesses of its memory.
    public static final long COMMAND_MEMORY = 2;

    private final Kernel kernel;
    private final Geometry geometry;
    private final long barPfn;
    private final long barPages;
    private final RwSem memoryLock;

    /// `PCI_COMMAND`, as the process sees it.
    private final Word command;

    /// @param barPfn the first frame of BAR 0
    VfioPci(Machine machine, Kernel kernel, long barPfn, long barPages) {
        super(machine, Devices.VFIO_PATH);
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.barPfn = barPfn;
        this.barPages = barPages;
        memoryLock = new RwSem(machine, null, this, "memory_lock");
        command = machine.word(null, this, "vconfig[PCI_COMMAND]", -1, COMMAND_MEMORY);
    }

    // ---- mapping

    /// drivers/vfio/pci/vfio_pci_core.c: vfio_pci_core_mmap(). Only shared mappings, inside of BAR
    /// 0.
    @Override
    int mmap(Vma vma) {
        long pgoff = vma.pgoff();
        long flags = vma.flags();
        long length = vma.end() - vma.start();
        boolean bar0 = pgoff >> (VFIO_PCI_OFFSET_SHIFT - geometry.pageShift()) == 0;
        long end = pgoff + (length >> geometry.pageShift());
        if (!bar0 || (flags & Vma.VM_SHARED) == 0 || end > barPages) {
            return -Errno.EINVAL;
        }
        vma.flags.writePlain(flags | Vma.VM_IO | Vma.VM_PFNMAP | Vma.VM_DONTEXPAND);
        return 0;
    }

    // ---- faults

    /// drivers/vfio/pci/vfio_pci_core.c: vfio_pci_mmap_page_fault().
    @Override
    public int fault(VmFault vmf) {
        return mmapHugeFault(vmf, Geometry.PTE);
    }

    /// `vfio_pci_mmap_ops.huge_fault`, which is there with `ARCH_SUPPORTS_HUGE_PFNMAP`.
    @Override
    public int hugeFault(VmFault vmf, int level) {
        return kernel.arch().hugePfnmap() ? mmapHugeFault(vmf, level) : VmFault.FALLBACK;
    }

    /// drivers/vfio/pci/vfio_pci_core.c: vfio_pci_mmap_huge_fault().
    private int mmapHugeFault(VmFault vmf, int level) {
        Vma vma = vmf.vma;
        long addr = vmf.address & -geometry.size(level);
        long delta = (addr - vma.start()) >> geometry.pageShift();
        long pfn = barPfn + vma.pgoff() + delta;
        if (!isAlignedForOrder(vma, addr, pfn, level)) {
            return VmFault.FALLBACK;
        }
        memoryLock.downRead();
        int ret = vmfInsertPfn(vmf, pfn, level);
        memoryLock.upRead();
        return ret;
    }

    /// include/linux/vfio_pci_core.h: is_aligned_for_order().
    private boolean isAlignedForOrder(Vma vma, long addr, long pfn, int level) {
        if (level == Geometry.PTE) {
            return true;
        }
        long size = geometry.size(level);
        return addr >= vma.start()
                && addr + size <= vma.end()
                && ((pfn << geometry.pageShift()) & (size - 1)) == 0;
    }

    /// drivers/vfio/pci/vfio_pci_core.c: vfio_pci_vmf_insert_pfn().
    private int vmfInsertPfn(VmFault vmf, long pfn, int level) {
        if ((command.readPlain() & COMMAND_MEMORY) == 0) {
            return VmFault.SIGBUS;
        }
        if (level == Geometry.PTE) {
            return kernel.vmInsert().vmfInsertPfn(vmf.vma, vmf.address, pfn);
        }
        if (!kernel.arch().supportsPfnmap(level)) {
            return VmFault.FALLBACK;
        }
        return level == Geometry.PUD
                ? kernel.hugePud().vmfInsertPfnPud(vmf, pfn, false)
                : kernel.hugeInsert().vmfInsertPfnPmd(vmf, pfn, false);
    }

    // ---- taking the memory away

    /// drivers/vfio/pci/vfio_pci_core.c: vfio_pci_zap_and_down_write_memory_lock().
    private void zapAndDownWriteMemoryLock() {
        memoryLock.downWrite();
        long bytes = 1L << VFIO_PCI_OFFSET_SHIFT; // vfio_pci_zap_bars()
        kernel.unmapMapping().unmapMappingRange(this, 0, bytes, true);
    }

    /// drivers/vfio/pci/vfio_pci_core.c: vfio_pci_ioctl_reset(). Nobody has the memory mapped while
    /// the device is being reset.
    public int ioctlReset() {
        zapAndDownWriteMemoryLock();
        memoryLock.upWrite();
        return 0;
    }

    /// drivers/vfio/pci/vfio_pci_config.c: vfio_basic_config_write(), of `PCI_COMMAND`. Without
    /// `PCI_COMMAND_MEMORY` accesses of the memory raise SIGBUS.
    public int writeCommand(long value) {
        if ((value & COMMAND_MEMORY) == 0) {
            zapAndDownWriteMemoryLock();
        } else {
            memoryLock.downWrite();
        }
        command.writePlain(value);
        memoryLock.upWrite();
        return 0;
    }
}
