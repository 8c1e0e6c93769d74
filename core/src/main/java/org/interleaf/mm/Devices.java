// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// The devices with memory that a machine has, and their memory.
public final class Devices {
    static final String DAX_PATH = "/dev/dax0.0";
    static final String VFIO_PATH = "/dev/vfio0";

    private final Kernel kernel;
    private final List<Device> devices = new ArrayList<>();

    Devices(Kernel kernel) {
        this.kernel = kernel;
    }

    /// drivers/dax/device.c: dev_dax_probe(); mm/memremap.c: memremap_pages(). For the set-up:
    /// `/dev/dax0.0` with `units` times what an entry of `level` maps, from the free memory.
    public void addDax(int level, int units) {
        Geometry geometry = kernel.geometry();
        List<Folio> folios = new ArrayList<>();
        for (int i = 0; i < units; i++) {
            int order = geometry.shift(level) - geometry.pageShift();
            Folio folio = kernel.pageAlloc().folioAlloc(order);
            if (folio == null) {
                throw new IllegalArgumentException("no memory for " + DAX_PATH);
            }
            folio.setZoneDevice();
            folios.add(folio);
        }
        devices.add(new DevDax(kernel.machine(), kernel, level, folios));
    }

    /// drivers/vfio/pci/vfio_pci_core.c: vfio_pci_core_enable(). For the set-up: `/dev/vfio0`,
    /// whose BAR 0 has `units` times what an entry of `level` maps, from the free memory.
    public void addVfio(int level, int units) {
        Geometry geometry = kernel.geometry();
        int order = geometry.shift(level) - geometry.pageShift();
        long first = -1;
        for (int i = 0; i < units; i++) {
            long pfn = kernel.memMap().memory().allocate(order);
            first = i == 0 ? pfn : first;
            if (pfn < 0 || pfn != first + ((long) i << order)) {
                throw new IllegalArgumentException("no memory in a row for " + VFIO_PATH);
            }
        }
        long pages = (long) units << order;
        devices.add(new VfioPci(kernel.machine(), kernel, first, pages));
    }

    /// fs/open.c: do_sys_openat2(), for a device. Null where there is none of that name.
    ///
    /// @param mode {@link OpenFile#READ} and {@link OpenFile#WRITE}
    public @Nullable OpenFile open(String path, int mode) {
        for (Device device : devices) {
            if (device.toString().equals(path)) {
                kernel.files().ihold(device);
                return new OpenFile(kernel.machine(), device, mode);
            }
        }
        return null;
    }

    /// mm/memremap.c: free_zone_device_folio(), for `MEMORY_DEVICE_GENERIC`. The last reference has
    /// been dropped, which only happens where too many are: the page is ready to be used again.
    void freeZoneDeviceFolio(Folio folio) {
        folio.refcount.writeOnce(1);
    }
}
