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
        map.put("MAP_SHARED", (long) Mman.MAP_SHARED);
        map.put("MAP_NORESERVE", (long) Mman.MAP_NORESERVE);
        map.put("MAP_POPULATE", (long) Mman.MAP_POPULATE);
        hugetlb(map);
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
        UserfaultfdCalls.addConstants(map);
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
                long shift = Long.numberOfTrailingZeros(leaf.size());
                map.putIfAbsent("CONT_" + level + "_SHIFT", shift);
            }
        }
    }

    private static void hugetlb(Map<String, Long> map) {
        map.put("MAP_HUGETLB", (long) Mman.MAP_HUGETLB);
        map.put("MAP_HUGE_SHIFT", (long) Mman.MAP_HUGE_SHIFT);
        String[] sizes = {"16KB", "64KB", "512KB", "1MB", "2MB", "8MB", "16MB", "32MB"};
        int[] shifts = {14, 16, 19, 20, 21, 23, 24, 25};
        for (int i = 0; i < sizes.length; i++) {
            map.put("MAP_HUGE_" + sizes[i], (long) shifts[i] << Mman.MAP_HUGE_SHIFT);
            map.put("MFD_HUGE_" + sizes[i], (long) shifts[i] << Mman.MAP_HUGE_SHIFT);
        }
        map.put("MAP_HUGE_512MB", 29L << Mman.MAP_HUGE_SHIFT);
        map.put("MAP_HUGE_1GB", 30L << Mman.MAP_HUGE_SHIFT);
        map.put("MAP_HUGE_16GB", 34L << Mman.MAP_HUGE_SHIFT);
        map.put("MFD_HUGETLB", (long) Mman.MFD_HUGETLB);
        map.put("MFD_HUGE_SHIFT", (long) Mman.MAP_HUGE_SHIFT);
        map.put("MFD_CLOEXEC", (long) Mman.MFD_CLOEXEC);
        map.put("MREMAP_MAYMOVE", (long) Mman.MREMAP_MAYMOVE);
        map.put("MREMAP_FIXED", (long) Mman.MREMAP_FIXED);
        map.put("O_RDONLY", (long) FileCalls.O_RDONLY);
        map.put("O_WRONLY", (long) FileCalls.O_WRONLY);
        map.put("O_RDWR", (long) FileCalls.O_RDWR);
        map.put("O_CREAT", (long) FileCalls.O_CREAT);
        map.put("FALLOC_FL_KEEP_SIZE", (long) Mman.FALLOC_FL_KEEP_SIZE);
        map.put("FALLOC_FL_PUNCH_HOLE", (long) Mman.FALLOC_FL_PUNCH_HOLE);
    }

    private static void errors(Map<String, Long> map) {
        map.put("EPERM", (long) Errno.EPERM);
        map.put("EINTR", (long) Errno.EINTR);
        map.put("EAGAIN", (long) Errno.EAGAIN);
        map.put("ENOMEM", (long) Errno.ENOMEM);
        map.put("EFAULT", (long) Errno.EFAULT);
        map.put("ENOENT", (long) Errno.ENOENT);
        map.put("EBADF", (long) Errno.EBADF);
        map.put("EACCES", (long) Errno.EACCES);
        map.put("ENODEV", (long) Errno.ENODEV);
        map.put("EMFILE", (long) Errno.EMFILE);
        map.put("EFBIG", (long) Errno.EFBIG);
        map.put("ENOSPC", (long) Errno.ENOSPC);
        map.put("EBUSY", (long) Errno.EBUSY);
        map.put("EEXIST", (long) Errno.EEXIST);
        map.put("EINVAL", (long) Errno.EINVAL);
        map.put("EOPNOTSUPP", (long) Errno.EOPNOTSUPP);
        map.put("EOVERFLOW", (long) Errno.EOVERFLOW);
    }
}
