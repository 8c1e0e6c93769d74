// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.check.PageLaws;
import org.interleaf.machine.Machine;
import org.interleaf.machine.PhysicalMemory;
import org.interleaf.mm.Arch;
import org.interleaf.mm.Architecture;
import org.interleaf.mm.Architectures;
import org.interleaf.mm.Folio;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.HugeMemory;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MmStruct;
import org.interleaf.mm.Mman;
import org.interleaf.trace.Violation;

import java.util.List;
import java.util.Objects;

/// Whether a page whose counts are wrong is noticed.
final class LawsOfPages {
    private static final Geometry TINY = new Geometry(12, new int[] {1, 1, 1, 0, 1});
    private static final Architecture.Shape SHAPE =
            new Architecture.Shape(TINY, List.of(), List.of());

    private final Kernel kernel;
    private final MmStruct mm;
    private final PageLaws laws;

    private LawsOfPages() {
        Machine machine = new Machine(1);
        PhysicalMemory memory = new PhysicalMemory(machine, 1, 16, TINY.hpagePmdOrder(), 2);
        kernel = new Kernel(machine, arch(), memory, HugeMemory.Thp.NEVER);
        mm = kernel.createMm("mm");
        kernel.activate(mm);
        laws = new PageLaws(kernel);
    }

    private static Arch arch() {
        return Arch.of(Objects.requireNonNull(Architectures.find("x86-64")), SHAPE);
    }

    /// What is not as it should be; empty where all is.
    static String broken() {
        LawsOfPages pages = new LawsOfPages();
        int prot = Mman.PROT_READ | Mman.PROT_WRITE;
        int flags = Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS;
        long addr = pages.kernel.mmap().mmap(pages.mm, 0, TINY.pageSize(), prot, flags);
        pages.kernel.userAccess().store(pages.mm, addr, 8, 1);
        long pfn = pages.kernel.inspect().mappedPfn(pages.mm, addr);
        Folio folio = pages.kernel.memMap().folioAt(pfn);
        String broken = pages.expect(List.of());
        folio.refAdd(1);
        broken += pages.expect(List.of("BUG: leaked reference"));
        folio.refAdd(-1);
        folio.head().frame().life().free();
        broken += pages.expect(List.of("BUG: mapped free page"));
        return broken;
    }

    private String expect(List<String> titles) {
        List<String> found = laws.check(pfn -> 0, pfn -> 0).stream().map(Violation::title).toList();
        return found.equals(titles) ? "" : "found " + found + " and not " + titles;
    }
}
