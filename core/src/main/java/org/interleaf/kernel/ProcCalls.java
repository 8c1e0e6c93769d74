// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.mm.Errno;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.Pagemap;
import org.interleaf.mm.Smaps;

import java.util.Map;
import java.util.function.ToLongFunction;

/// Reading of files below `/proc/PID`, of the process as which the P runs.
final class ProcCalls {
    private final Kernel kernel;
    private final Processes processes;

    private ProcCalls(Kernel kernel, Processes processes) {
        this.kernel = kernel;
        this.processes = processes;
    }

    static void addTo(Map<String, Callable> functions, Kernel kernel, Processes processes) {
        ProcCalls calls = new ProcCalls(kernel, processes);
        calls.addSmaps(functions, "smaps", s -> s.sharedHugetlb() + s.privateHugetlb());
        calls.addSmaps(functions, "Shared_Hugetlb", Smaps.Sizes::sharedHugetlb);
        calls.addSmaps(functions, "Private_Hugetlb", Smaps.Sizes::privateHugetlb);
        functions.put("pagemap", Operation.of(1, Types.LONG, calls::pagemap));
        functions.put("VmPTE", Operation.of(0, Types.LONG, calls::vmPte));
    }

    static void addConstants(Map<String, Long> map) {
        map.put("PM_PRESENT", Pagemap.PM_PRESENT);
        map.put("PM_FILE", Pagemap.PM_FILE);
        map.put("PM_MMAP_EXCLUSIVE", Pagemap.PM_MMAP_EXCLUSIVE);
    }

    /// `NAME(address)`: bytes of huge pages that `smaps` tells of for the mapping there; -EFAULT
    /// where there is none.
    private void addSmaps(
            Map<String, Callable> functions, String name, ToLongFunction<Smaps.Sizes> what) {
        functions.put(
                name,
                Operation.of(
                        1,
                        Types.LONG,
                        (site, args) -> {
                            Smaps.Sizes sizes = kernel.smaps().show(processes.mm(), args[0]);
                            return sizes == null ? -Errno.EFAULT : what.applyAsLong(sizes);
                        }));
    }

    /// `pagemap(address)`: what `pagemap` tells of the page there, to a reader who may not know
    /// where it is.
    private long pagemap(CallSite site, long[] args) {
        return kernel.pagemap().entry(processes.mm(), args[0]);
    }

    /// `VmPTE()`: that line of `status`, in kB.
    private long vmPte(CallSite site, long[] args) {
        return kernel.pagemap().vmPte(processes.mm());
    }
}
