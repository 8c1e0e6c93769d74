// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.syntax.Names;
import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.mm.Errno;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.NumaMaps;
import org.interleaf.mm.Pagemap;
import org.interleaf.mm.Smaps;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/// What a process can learn about which of its memory is there: mincore(2), and files in
/// `/proc/self`.
final class ResidencyCalls {
    private final Kernel kernel;
    private final Processes processes;

    private ResidencyCalls(Kernel kernel, Processes processes) {
        this.kernel = kernel;
        this.processes = processes;
    }

    static void addTo(Map<String, Callable> functions, Kernel kernel, Processes processes) {
        ResidencyCalls calls = new ResidencyCalls(kernel, processes);
        functions.put("mincore", Operation.of(3, Types.INT, calls::mincore));
        functions.put(
                "smaps",
                Operation.of(1, 2, Types.LONG, calls::smaps)
                        .checkedBy(site -> checkName(site, Smaps.Sizes.LINES)));
        functions.put(
                "numa_maps",
                Operation.of(2, Types.LONG, calls::numaMaps)
                        .checkedBy(site -> checkName(site, NumaMaps.Counts.NUMBERS)));
        functions.put("pagemap_scan_wp", Operation.of(2, Types.LONG, calls::pagemapScanWp));
        functions.put("VmPTE", Operation.of(0, Types.LONG, calls::vmPte));
        Type entry = Types.LONG;
        functions.put("pagemap", Operation.of(1, entry, (site, args) -> calls.pagemap(args[0], 0)));
        functions.put(
                "pagemap_nth",
                Operation.of(2, entry, (site, args) -> calls.pagemap(args[0], (int) args[1])));
    }

    static void addConstants(Map<String, Long> map) {
        map.put("PM_PRESENT", Pagemap.PM_PRESENT);
        map.put("PM_SWAP", Pagemap.PM_SWAP);
        map.put("PM_FILE", Pagemap.PM_FILE);
        map.put("PM_MMAP_EXCLUSIVE", Pagemap.PM_MMAP_EXCLUSIVE);
        map.put("PM_PFRAME_MASK", Pagemap.PM_PFRAME_MASK);
    }

    private long mincore(CallSite site, long[] args) {
        return kernel.mincore().mincore(processes.mm(), args[0], args[1], args[2]);
    }

    /// `smaps(address)`: the bytes of the mapping there that are in memory, `smaps(address,
    /// "Rss")`: those that a line tells of; -EFAULT where there is no mapping.
    private long smaps(CallSite site, long[] args) {
        Smaps.Sizes sizes = kernel.smaps().show(processes.mm(), args[0]);
        if (sizes == null) {
            return -Errno.EFAULT;
        }
        return site.strings().size() < 2 ? sizes.all() : sizes.line(name(site));
    }

    /// `pagemap_scan_wp(address, length)`: ioctl(2) with `PAGEMAP_SCAN` and `PM_SCAN_WP_MATCHING`.
    private long pagemapScanWp(CallSite site, long[] args) {
        return kernel.pagemapScan().doPagemapScan(processes.mm(), args[0], args[1]);
    }

    /// `VmPTE()`: that line of `/proc/self/status`, in kB.
    private long vmPte(CallSite site, long[] args) {
        return kernel.smaps().vmPte(processes.mm());
    }

    /// `numa_maps(address, "anon")`: the number of that name; -EFAULT where there is no mapping.
    private long numaMaps(CallSite site, long[] args) {
        NumaMaps.Counts counts = kernel.numaMaps().show(processes.mm(), args[0]);
        return counts == null ? -Errno.EFAULT : counts.number(name(site));
    }

    /// The second argument, which {@link #checkName} has looked at.
    private static String name(CallSite site) {
        return Objects.requireNonNull(site.strings().get(1));
    }

    /// The second argument, if there is one, must be one of `names`, in quotes.
    private static void checkName(CallSite site, List<String> names) {
        if (site.strings().size() < 2) {
            return;
        }
        String name = site.strings().get(1);
        String known = "known are " + String.join(", ", names);
        if (name == null) {
            throw site.error("`" + site.function() + "` takes a name in quotes", known);
        }
        if (!names.contains(name)) {
            throw site.error(
                    "`" + site.function() + "` has no `" + name + "`",
                    Names.hint(name, names, known));
        }
    }

    /// `pagemap(address)`, `pagemap_nth(address, n)`: the entry of the page there, or of the n-th
    /// after it, as one read of all pages up to that one finds it; 0 beyond the end.
    private long pagemap(long address, int n) {
        long page = address & -kernel.geometry().pageSize();
        long[] entries = kernel.pagemap().read(processes.mm(), page, n + 1);
        return n < entries.length ? entries[n] : 0;
    }
}
