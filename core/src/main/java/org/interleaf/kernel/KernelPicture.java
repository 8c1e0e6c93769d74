// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.machine.Tlb;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MmStruct;
import org.interleaf.mm.SwapInfo;
import org.interleaf.mm.Vma;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Thing.Fact;
import org.interleaf.trace.Thing.Kind;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The kernel's memory as a picture shows it: address spaces, page tables, folios, TLBs. Looks only
/// from outside.
final class KernelPicture {
    private final Kernel kernel;
    private final TablePicture tables;
    private final FolioPicture folios;

    KernelPicture(Kernel kernel) {
        this.kernel = kernel;
        this.folios = new FolioPicture(kernel);
        this.tables = new TablePicture(kernel, folios);
    }

    /// Everything that is there at this moment.
    List<Thing> things() {
        List<Thing> things = new ArrayList<>();
        kernel.mms().forEach(mm -> things.add(process(mm)));
        tables.addTo(things);
        folios.addTo(things);
        for (int cpu = 0; cpu < kernel.machine().cpuCount(); cpu++) {
            things.add(tlb(cpu));
        }
        SwapInfo swap = kernel.swapfile().peekDevice();
        if (swap != null) {
            things.add(swapDevice(swap));
        }
        return things;
    }

    private Thing swapDevice(SwapInfo swap) {
        Map<String, Fact> facts = new LinkedHashMap<>();
        for (int slot = 1; slot <= swap.pages(); slot++) {
            long pfn = swap.peekFolio(slot);
            String folio = pfn < 0 ? "" : folios.nameOf(pfn);
            facts.put("slot " + slot, new Fact(swap.peekShow(slot), folio));
        }
        return new Thing(Kind.SWAP, "swap", facts);
    }

    private Thing process(MmStruct mm) {
        Map<String, Fact> facts = new LinkedHashMap<>();
        String root = TablePicture.name(mm.pgd().pfn());
        facts.put("pgd", new Fact(root, root));
        for (Vma vma : kernel.inspect().vmas(mm)) {
            facts.put(vma.toString(), Fact.of(vma.purpose()));
        }
        return new Thing(Kind.PROCESS, mm.name(), facts);
    }

    private Thing tlb(int cpu) {
        Tlb tlb = kernel.mmu().tlb(cpu);
        Map<String, Fact> facts = new LinkedHashMap<>();
        for (int i = 0; i < tlb.size(); i++) {
            String space = String.valueOf(kernel.machine().heap().resolve(tlb.space(i)));
            String range = "0x" + Long.toHexString(tlb.start(i)) + " of " + space;
            String text =
                    "page "
                            + tlb.pfn(i)
                            + (tlb.writable(i) ? " rw" : " r")
                            + (tlb.dirty(i) ? " dirty" : "");
            facts.put(range, new Fact(text, folios.nameOf(tlb.pfn(i))));
        }
        return new Thing(Kind.TLB, "TLB of CPU " + cpu, facts);
    }
}
