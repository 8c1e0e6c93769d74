// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.mm.Errno;
import org.interleaf.mm.Inode;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.OpenFile;
import org.interleaf.mm.VfioPci;

import java.util.Map;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;

/// What can be asked of the memory of devices beside mapping it.
final class DeviceCalls {
    private final Kernel kernel;

    private DeviceCalls(Kernel kernel) {
        this.kernel = kernel;
    }

    static void addTo(Map<String, Callable> functions, Kernel kernel) {
        DeviceCalls calls = new DeviceCalls(kernel);
        functions.put("vfio_device_reset", Operation.of(1, Types.INT, calls::reset));
        functions.put("vfio_pci_command", Operation.of(2, Types.INT, calls::command));
        functions.put("wp_shared_mapping_range", Operation.of(3, Types.LONG, calls::wpShared));
        functions.put(
                "clean_record_shared_mapping_range",
                Operation.of(3, Types.LONG, calls::cleanRecordShared));
    }

    /// `vfio_device_reset(fd)`: ioctl(2) with `VFIO_DEVICE_RESET`.
    private long reset(CallSite site, long[] args) {
        return with(args[0], VfioPci::ioctlReset);
    }

    /// `vfio_pci_command(fd, value)`: write(2) to the command register in the configuration space.
    private long command(CallSite site, long[] args) {
        return with(args[0], device -> device.writeCommand(args[1]));
    }

    /// `wp_shared_mapping_range(fd, first, nr)`: has `nr` pages of the device's memory be mapped
    /// read-only; how many entries were writable.
    private long wpShared(CallSite site, long[] args) {
        return withFile(
                args[0],
                inode ->
                        kernel.mappingDirtyHelpers().wpSharedMappingRange(inode, args[1], args[2]));
    }

    /// `clean_record_shared_mapping_range(fd, first, nr)`: cleans the entries of `nr` pages; those
    /// that were dirty, a bit for each.
    private long cleanRecordShared(CallSite site, long[] args) {
        if (args[2] > Long.SIZE) {
            throw new IllegalArgumentException("at most " + Long.SIZE + " pages at a time");
        }
        return withFile(
                args[0],
                inode ->
                        kernel.mappingDirtyHelpers()
                                .cleanRecordSharedMappingRange(inode, args[1], args[2])
                                .bitmap());
    }

    private long withFile(long fd, ToLongFunction<Inode> operation) {
        OpenFile file = kernel.fdTable().fget(fd);
        if (file == null) {
            return -Errno.EBADF;
        }
        long ret = operation.applyAsLong(file.inode());
        kernel.fdTable().fput(file);
        return ret;
    }

    private long with(long fd, ToIntFunction<VfioPci> operation) {
        OpenFile file = kernel.fdTable().fget(fd);
        if (file == null) {
            return -Errno.EBADF;
        }
        if (!(file.inode() instanceof VfioPci device)) {
            throw new IllegalArgumentException(file + " is no PCI device");
        }
        int ret = operation.applyAsInt(device);
        kernel.fdTable().fput(file);
        return ret;
    }
}
