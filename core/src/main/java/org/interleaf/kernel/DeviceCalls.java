// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.mm.Errno;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.OpenFile;
import org.interleaf.mm.VfioPci;

import java.util.Map;
import java.util.function.ToIntFunction;

/// What can be asked of `/dev/vfio0` beside mapping it.
final class DeviceCalls {
    private final Kernel kernel;

    private DeviceCalls(Kernel kernel) {
        this.kernel = kernel;
    }

    static void addTo(Map<String, Callable> functions, Kernel kernel) {
        DeviceCalls calls = new DeviceCalls(kernel);
        functions.put("vfio_device_reset", Operation.of(1, Types.INT, calls::reset));
        functions.put("vfio_pci_command", Operation.of(2, Types.INT, calls::command));
    }

    /// `vfio_device_reset(fd)`: ioctl(2) with `VFIO_DEVICE_RESET`.
    private long reset(CallSite site, long[] args) {
        return with(args[0], VfioPci::ioctlReset);
    }

    /// `vfio_pci_command(fd, value)`: write(2) to the command register in the configuration space.
    private long command(CallSite site, long[] args) {
        return with(args[0], device -> device.writeCommand(args[1]));
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
