// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.mm.Arch;
import org.interleaf.mm.Errno;
import org.interleaf.mm.Foll;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.LeafSize;
import org.interleaf.mm.Mman;

import java.util.LinkedHashMap;
import java.util.Map;

/// The constants that tests may name.
final class Constants {
    private Constants() {}

    static Map<String, Long> all(Arch arch) {
        Map<String, Long> map = new LinkedHashMap<>();
        sizes(map, arch.geometry());
        contiguous(map, arch);
        map.put("NULL", 0L);
        map.put("PROT_NONE", (long) Mman.PROT_NONE);
        map.put("PROT_READ", (long) Mman.PROT_READ);
        map.put("PROT_WRITE", (long) Mman.PROT_WRITE);
        map.put("PROT_EXEC", (long) Mman.PROT_EXEC);
        map.put("MAP_PRIVATE", (long) Mman.MAP_PRIVATE);
        map.put("MAP_FIXED", (long) Mman.MAP_FIXED);
        map.put("MAP_ANONYMOUS", (long) Mman.MAP_ANONYMOUS);
        map.put("MAP_ANON", (long) Mman.MAP_ANONYMOUS);
        map.put("MAP_FAILED", -1L);
        map.put("MADV_DONTNEED", (long) Mman.MADV_DONTNEED);
        map.put("MADV_HUGEPAGE", (long) Mman.MADV_HUGEPAGE);
        map.put("MADV_NOHUGEPAGE", (long) Mman.MADV_NOHUGEPAGE);
        map.put("MADV_POPULATE_READ", (long) Mman.MADV_POPULATE_READ);
        map.put("MADV_POPULATE_WRITE", (long) Mman.MADV_POPULATE_WRITE);
        map.put("MADV_COLLAPSE", (long) Mman.MADV_COLLAPSE);
        map.put("FOLL_WRITE", (long) Foll.WRITE);
        map.put("FOLL_FORCE", (long) Foll.FORCE);
        map.put("FOLL_LONGTERM", (long) Foll.LONGTERM);
        map.put("FOLL_NOFAULT", (long) Foll.NOFAULT);
        map.put("FOLL_SPLIT_PMD", (long) Foll.SPLIT_PMD);
        map.put("FOLL_HONOR_NUMA_FAULT", (long) Foll.HONOR_NUMA_FAULT);
        errors(map);
        return map;
    }

    private static void sizes(Map<String, Long> map, Geometry geometry) {
        String[] names = {"PAGE", "PMD", "PUD", "P4D", "PGDIR"};
        for (int level = Geometry.PTE; level <= Geometry.PGD; level++) {
            map.put(names[level] + "_SIZE", geometry.size(level));
            map.put(names[level] + "_SHIFT", (long) geometry.shift(level));
            map.put(names[level] + "_MASK", -geometry.size(level));
        }
        map.put("HPAGE_PMD_SIZE", geometry.size(Geometry.PMD));
        map.put("HPAGE_PMD_NR", (long) geometry.hpagePmdNr());
        map.put("HPAGE_PMD_ORDER", (long) geometry.hpagePmdOrder());
        map.put("PTRS_PER_PTE", (long) geometry.entries(Geometry.PTE));
        map.put("PTRS_PER_PMD", (long) geometry.entries(Geometry.PMD));
        map.put("TASK_SIZE", geometry.taskSize());
    }

    /// Pages that several entries map together, where the architecture has them.
    private static void contiguous(Map<String, Long> map, Arch arch) {
        for (LeafSize leaf : arch.leafSizes()) {
            if (leaf.contiguous()) {
                String level = leaf.level() == Geometry.PTE ? "PTE" : "PMD";
                map.putIfAbsent("CONT_" + level + "_SIZE", leaf.size());
                map.putIfAbsent("CONT_" + level + "S", (long) leaf.slots());
            }
        }
    }

    private static void errors(Map<String, Long> map) {
        map.put("EINTR", (long) Errno.EINTR);
        map.put("EAGAIN", (long) Errno.EAGAIN);
        map.put("ENOMEM", (long) Errno.ENOMEM);
        map.put("EFAULT", (long) Errno.EFAULT);
        map.put("EBUSY", (long) Errno.EBUSY);
        map.put("EEXIST", (long) Errno.EEXIST);
        map.put("EINVAL", (long) Errno.EINVAL);
        map.put("EOPNOTSUPP", (long) Errno.EOPNOTSUPP);
        map.put("EOVERFLOW", (long) Errno.EOVERFLOW);
    }
}
