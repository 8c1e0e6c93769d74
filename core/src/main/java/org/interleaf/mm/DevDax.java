// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.jspecify.annotations.Nullable;

import java.util.List;

/// Memory of a device, mapped directly: `/dev/dax0.0` (drivers/dax/device.c).
///
/// Its pages are in `ZONE_DEVICE`. They have folios as large as what one entry maps, which are
/// counted like all others, beginning at one; nobody ever frees them. There is one alignment for
/// all of the device, and all its entries are of that size. It cannot be removed, so what the
/// kernel does to learn whether it still is there (`dax_read_lock()`, `dax_alive()`) is left out.
public final class DevDax extends Device {
    private final Kernel kernel;
    private final Geometry geometry;
    private final List<Folio> folios;

    /// The level of the entries that map it.
    private final int level;

    DevDax(Machine machine, Kernel kernel, int level, List<Folio> folios) {
        super(machine, Devices.DAX_PATH);
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.level = level;
        this.folios = folios;
    }

    /// `dev_dax->align`.
    private long align() {
        return geometry.size(level);
    }

    // ---- mapping

    /// drivers/dax/device.c: __check_vma(). Only shared mappings of whole units. 0 or -EINVAL.
    private int checkVma(Vma vma) {
        if ((vma.flags() & Vma.VM_MAYSHARE) == 0) {
            return -Errno.EINVAL;
        }
        return ((vma.start() | vma.end()) & (align() - 1)) == 0 ? 0 : -Errno.EINVAL;
    }

    /// drivers/dax/device.c: dax_mmap_prepare().
    @Override
    int mmap(Vma vma) {
        int err = checkVma(vma);
        if (err == 0) {
            vma.flags.writePlain(vma.flags() | Vma.VM_HUGEPAGE);
        }
        return err;
    }

    /// drivers/dax/device.c: dax_get_unmapped_area().
    @Override
    long areaAlign(long len, long offset) {
        long first = (offset + align() - 1) & -align();
        return offset + len - first < align() ? 1 : align();
    }

    /// drivers/dax/device.c: dev_dax_may_split().
    @Override
    public int maySplit(Vma vma, long addr) {
        return (addr & (align() - 1)) == 0 ? 0 : -Errno.EINVAL;
    }

    // ---- faults

    /// drivers/dax/device.c: dev_dax_fault().
    @Override
    public int fault(VmFault vmf) {
        return hugeFault(vmf, Geometry.PTE);
    }

    /// drivers/dax/device.c: dev_dax_huge_fault().
    @Override
    public int hugeFault(VmFault vmf, int faultLevel) {
        return faultLevel == Geometry.PTE ? ptefault(vmf) : hugeEntryFault(vmf, faultLevel);
    }

    /// drivers/dax/device.c: __dev_dax_pte_fault().
    private int ptefault(VmFault vmf) {
        if (checkVma(vmf.vma) != 0 || level != Geometry.PTE) {
            return VmFault.SIGBUS;
        }
        Folio folio = pgoffToFolio(vmf.pgoff);
        if (folio == null) {
            return VmFault.SIGBUS;
        }
        setMapping(vmf.vma, vmf.address, folio);
        boolean write = vmf.has(VmFault.FLAG_WRITE);
        return kernel.vmInsert().vmfInsertPageMkwrite(vmf, folio.head(), write);
    }

    /// drivers/dax/device.c: __dev_dax_pmd_fault(), __dev_dax_pud_fault().
    private int hugeEntryFault(VmFault vmf, int faultLevel) {
        Vma vma = vmf.vma;
        long faultSize = geometry.size(faultLevel);
        long addr = vmf.address & -faultSize;
        if (checkVma(vma) != 0 || faultSize < align()) {
            return VmFault.SIGBUS;
        }
        if (faultSize > align()) {
            return VmFault.FALLBACK;
        }
        if (addr < vma.start() || addr + faultSize > vma.end()) {
            return VmFault.SIGBUS;
        }
        Folio folio = pgoffToFolio(vma.linearPageIndex(geometry, addr));
        if (folio == null) {
            return VmFault.SIGBUS;
        }
        setMapping(vma, addr, folio);
        boolean write = vmf.has(VmFault.FLAG_WRITE);
        return faultLevel == Geometry.PUD
                ? kernel.hugePud().vmfInsertFolioPud(vmf, folio, write)
                : kernel.hugeInsert().vmfInsertFolioPmd(vmf, folio, write);
    }

    /// drivers/dax/bus.c: dax_pgoff_to_phys(). The folio that begins at page `pgoff` of the device;
    /// null beyond its end, and where no folio begins there.
    private @Nullable Folio pgoffToFolio(long pgoff) {
        int pages = 1 << (geometry.shift(level) - geometry.pageShift());
        long index = pgoff / pages;
        return index < folios.size() && pgoff % pages == 0 ? folios.get((int) index) : null;
    }

    /// drivers/dax/device.c: dax_set_mapping(). Under no lock: whoever else does so writes the
    /// same. Only the head has a mapping.
    private void setMapping(Vma vma, long addr, Folio folio) {
        long pgoff = vma.linearPageIndex(geometry, addr);
        if (folio.mapping.readPlain() == 0) {
            folio.setMapping(this, pgoff);
        }
    }
}
