// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.litmus.vocabulary.UserMemory;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.Mman;
import org.interleaf.mm.OpenFile;

import java.util.Map;

/// The system calls that tests can make. They return what the kernel returns: 0 or a result, or a
/// negative error number.
final class SystemCalls {
    private static final Type VOID_POINTER = Types.VOID.pointer();

    private final Kernel kernel;
    private final Processes processes;
    private final UserMemory memory;

    private SystemCalls(Kernel kernel, Processes processes, UserMemory memory) {
        this.kernel = kernel;
        this.processes = processes;
        this.memory = memory;
    }

    static void addTo(
            Map<String, Callable> functions,
            Kernel kernel,
            Processes processes,
            UserMemory memory) {
        SystemCalls calls = new SystemCalls(kernel, processes, memory);
        functions.put("mmap", Operation.of(3, 6, VOID_POINTER, calls::mmap));
        functions.put("munmap", Operation.of(2, Types.INT, calls::munmap));
        functions.put("mprotect", Operation.of(3, Types.INT, calls::mprotect));
        functions.put("mremap", Operation.of(4, 5, VOID_POINTER, calls::mremap));
        functions.put("madvise", Operation.of(3, Types.INT, calls::madvise));
        FileCalls.addTo(functions, kernel, processes);
        DeviceCalls.addTo(functions, kernel);
        functions.put("memset", Operation.of(3, VOID_POINTER, calls::memset));
    }

    /// `mmap(length, prot, flags)`, or with all six arguments of mmap(2).
    private long mmap(CallSite site, long[] args) {
        int n = site.strings().size();
        if (n != 3 && n != 6) {
            throw new IllegalArgumentException("mmap takes 3 or 6 arguments");
        }
        if (n == 3) {
            return kernel.mmap().mmap(processes.mm(), 0, args[0], (int) args[1], (int) args[2]);
        }
        boolean anonymous = ((int) args[3] & Mman.MAP_ANONYMOUS) != 0;
        OpenFile file = anonymous ? null : kernel.fdTable().fget(args[4]);
        long ret =
                kernel.mmap()
                        .mmap(
                                processes.mm(),
                                args[0],
                                args[1],
                                (int) args[2],
                                (int) args[3],
                                file,
                                args[5]);
        if (file != null) {
            kernel.fdTable().fput(file);
        }
        return ret;
    }

    private long munmap(CallSite site, long[] args) {
        return kernel.mmap().munmap(processes.mm(), args[0], args[1]);
    }

    private long mprotect(CallSite site, long[] args) {
        return kernel.mprotect().mprotect(processes.mm(), args[0], args[1], (int) args[2]);
    }

    private long mremap(CallSite site, long[] args) {
        long newAddr = site.strings().size() > 4 ? args[4] : 0;
        return kernel.mremap()
                .mremap(processes.mm(), args[0], args[1], args[2], (int) args[3], newAddr);
    }

    private long madvise(CallSite site, long[] args) {
        int advice = (int) args[2];
        if (advice == Mman.MADV_COLLAPSE) {
            return kernel.khugepaged().madviseCollapse(processes.mm(), args[0], args[0] + args[1]);
        }
        return kernel.mmap().madvise(processes.mm(), args[0], args[1], advice);
    }

    /// Writes every modelled word of every page in the range: user stores, one for each.
    private long memset(CallSite site, long[] args) {
        long value = (args[1] & 0xff) * 0x0101_0101_0101_0101L;
        long pageSize = kernel.geometry().pageSize();
        long words = kernel.memMap().memory().frame(0).words();
        long end = args[0] + args[2];
        long at = args[0];
        while (at < end) {
            if ((at & (pageSize - 1)) >= words * Long.BYTES) {
                at = (at | (pageSize - 1)) + 1;
                continue;
            }
            boolean whole = (at & (Long.BYTES - 1)) == 0 && end - at >= Long.BYTES;
            memory.store(site, at, whole ? Long.BYTES : 1, value);
            at += whole ? Long.BYTES : 1;
        }
        return args[0];
    }
}
