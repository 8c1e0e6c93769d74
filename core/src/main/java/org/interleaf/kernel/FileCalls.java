// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.mm.Errno;
import org.interleaf.mm.Hstate;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.OpenFile;

import java.util.Map;
import java.util.Objects;
import java.util.function.ToLongFunction;

/// The system calls on files, and what sysfs tells of the pools.
final class FileCalls {
    static final int O_ACCMODE = 3;
    static final int O_RDONLY = 0;
    static final int O_WRONLY = 1;
    static final int O_RDWR = 2;
    static final int O_CREAT = 0x40;

    private final Kernel kernel;
    private final Processes processes;

    private FileCalls(Kernel kernel, Processes processes) {
        this.kernel = kernel;
        this.processes = processes;
    }

    static void addTo(Map<String, Callable> functions, Kernel kernel, Processes processes) {
        FileCalls calls = new FileCalls(kernel, processes);
        functions.put("open", Operation.of(2, 3, Types.INT, calls::open));
        functions.put("memfd_create", Operation.of(2, Types.INT, calls::memfdCreate));
        functions.put("close", Operation.of(1, Types.INT, calls::close));
        functions.put("unlink", Operation.of(1, Types.INT, calls::unlink));
        functions.put("ftruncate", Operation.of(2, Types.INT, calls::ftruncate));
        functions.put("fallocate", Operation.of(4, Types.INT, calls::fallocate));
        functions.put("move_pages", Operation.of(1, Types.INT, calls::movePages));
        calls.addPools(functions);
        DmirrorCalls.addTo(functions, kernel);
    }

    private void addPools(Map<String, Callable> functions) {
        addLook(functions, "nr_hugepages", Hstate::peekNr);
        addLook(functions, "free_hugepages", Hstate::peekFree);
        addLook(functions, "resv_hugepages", Hstate::peekResv);
        addLook(functions, "surplus_hugepages", Hstate::peekSurplus);
        functions.put("nr_hugepages_store", Operation.of(2, Types.INT, this::nrHugepagesStore));
    }

    /// `NAME(size)`: a file of `/sys/kernel/mm/hugepages/hugepages-SIZE`.
    private void addLook(
            Map<String, Callable> functions, String name, ToLongFunction<Hstate> what) {
        functions.put(
                name,
                Operation.look(1, Types.LONG, (site, args) -> what.applyAsLong(hstate(args[0]))));
    }

    private Hstate hstate(long size) {
        Hstate h = kernel.hugetlb().pool().sizeToHstate(size);
        if (h == null) {
            throw new IllegalArgumentException("there are no huge pages of " + size + " bytes");
        }
        return h;
    }

    /// Writes `nr_hugepages` of a pool.
    private long nrHugepagesStore(CallSite site, long[] args) {
        kernel.hugetlb().pool().setMaxHugePages(hstate(args[0]), Math.max(0, args[1]));
        return 0;
    }

    private static String path(CallSite site) {
        return Objects.requireNonNullElse(site.strings().get(0), "a file");
    }

    /// `open("name", flags)`: a device, a file of tmpfs or one of the mounted hugetlbfs.
    private long open(CallSite site, long[] args) {
        if (path(site).equals(DmirrorCalls.DEVICE)) {
            return kernel.fdTable().install(kernel.testHmm().fopsOpen(processes.mm()));
        }
        int flags = (int) args[1];
        int mode =
                switch (flags & O_ACCMODE) {
                    case O_RDONLY -> OpenFile.READ;
                    case O_WRONLY -> OpenFile.WRITE;
                    default -> OpenFile.READ | OpenFile.WRITE;
                };
        boolean create = (flags & O_CREAT) != 0;
        OpenFile file = kernel.vfs().open(path(site), create, mode);
        return file == null ? -Errno.ENOENT : kernel.fdTable().install(file);
    }

    private long memfdCreate(CallSite site, long[] args) {
        int[] error = new int[1];
        OpenFile file = kernel.vfs().memfdCreate(path(site), (int) args[1], error);
        return file == null ? error[0] : kernel.fdTable().install(file);
    }

    private long close(CallSite site, long[] args) {
        return kernel.fdTable().close(args[0]);
    }

    private long unlink(CallSite site, long[] args) {
        return kernel.vfs().unlink(path(site)) ? 0 : -Errno.ENOENT;
    }

    private long ftruncate(CallSite site, long[] args) {
        OpenFile file = kernel.fdTable().fget(args[0]);
        if (file == null) {
            return -Errno.EBADF;
        }
        long ret = kernel.vfs().ftruncate(file, args[1]);
        kernel.fdTable().fput(file);
        return ret;
    }

    /// `move_pages(address)`: the huge page there, to another node.
    private long movePages(CallSite site, long[] args) {
        return kernel.hugetlb().migrate().movePages(processes.mm(), args[0]);
    }

    private long fallocate(CallSite site, long[] args) {
        OpenFile file = kernel.fdTable().fget(args[0]);
        if (file == null) {
            return -Errno.EBADF;
        }
        int mode = (int) args[1];
        long ret = kernel.vfs().fallocate(processes.mm(), file, mode, args[2], args[3]);
        kernel.fdTable().fput(file);
        return ret;
    }
}
