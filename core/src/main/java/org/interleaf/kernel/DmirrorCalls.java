// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.mm.Errno;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.OpenFile;
import org.interleaf.mm.TestHmm;

import java.util.Map;

/// What a test can have a device do that mirrors an address space: the requests of its ioctl(2).
final class DmirrorCalls {
    /// The path by which such a device is opened; each open() makes one of its own.
    static final String DEVICE = "/dev/hmm_dmirror0";

    private final Kernel kernel;

    private DmirrorCalls(Kernel kernel) {
        this.kernel = kernel;
    }

    /// What is asked of an open file.
    @FunctionalInterface
    private interface Request {
        long on(OpenFile file, long[] args);
    }

    static void addTo(Map<String, Callable> functions, Kernel kernel) {
        DmirrorCalls calls = new DmirrorCalls(kernel);
        TestHmm driver = kernel.testHmm();
        calls.add(
                functions,
                "dmirror_fault",
                4,
                (file, args) -> driver.fault(file, args[1], args[2], args[3] != 0));
        calls.add(functions, "dmirror_read", 2, (file, args) -> driver.read(file, args[1], false));
        calls.add(
                functions,
                "dmirror_read_unlocked",
                2,
                (file, args) -> driver.read(file, args[1], true));
        calls.add(
                functions,
                "dmirror_write",
                3,
                (file, args) -> driver.write(file, args[1], (int) args[2]));
        calls.add(functions, "dmirror_snapshot", 2, (f, args) -> driver.snapshot(f, args[1]));
    }

    static void addConstants(Map<String, Long> map) {
        map.put("HMM_DMIRROR_PROT_ERROR", (long) TestHmm.PROT_ERROR);
        map.put("HMM_DMIRROR_PROT_NONE", (long) TestHmm.PROT_NONE);
        map.put("HMM_DMIRROR_PROT_READ", (long) TestHmm.PROT_READ);
        map.put("HMM_DMIRROR_PROT_WRITE", (long) TestHmm.PROT_WRITE);
        map.put("HMM_DMIRROR_PROT_PMD", (long) TestHmm.PROT_PMD);
        map.put("HMM_DMIRROR_PROT_PUD", (long) TestHmm.PROT_PUD);
        map.put("HMM_DMIRROR_PROT_ZERO", (long) TestHmm.PROT_ZERO);
    }

    /// `NAME(fd, address, …)`.
    private void add(Map<String, Callable> functions, String name, int args, Request request) {
        functions.put(name, Operation.of(args, Types.INT, (_, values) -> ask(values, request)));
    }

    private long ask(long[] args, Request request) {
        OpenFile file = kernel.fdTable().fget(args[0]);
        if (file == null) {
            return -Errno.EBADF;
        }
        long ret = request.on(file, args);
        kernel.fdTable().fput(file);
        return ret;
    }
}
