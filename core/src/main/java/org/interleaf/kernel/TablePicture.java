// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.mm.Entry;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MemMap;
import org.interleaf.mm.PageTable;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Thing.Fact;
import org.interleaf.trace.Thing.Kind;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The page tables as a picture shows them: every frame that is one, whether or not an entry leads
/// to it.
final class TablePicture {
    private final Kernel kernel;
    private final MemMap memMap;
    private final Geometry geometry;
    private final FolioPicture folios;

    TablePicture(Kernel kernel, FolioPicture folios) {
        this.kernel = kernel;
        this.memMap = kernel.memMap();
        this.geometry = kernel.geometry();
        this.folios = folios;
    }

    /// What steps call the table in frame `pfn`.
    static String name(long pfn) {
        return "table " + pfn;
    }

    void addTo(List<Thing> things) {
        Set<Long> deposited = new LinkedHashSet<>();
        kernel.mms().forEach(mm -> kernel.inspect().deposited(mm, deposited::add));
        for (int pfn = 0; pfn < memMap.size(); pfn++) {
            if (memMap.page(pfn).isTable() && memMap.page(pfn).frame().life().alive()) {
                things.add(table(memMap.table(pfn), deposited.contains((long) pfn)));
            }
        }
    }

    private Thing table(PageTable table, boolean deposited) {
        Map<String, Fact> facts = new LinkedHashMap<>();
        facts.put("level", Fact.of(Geometry.name(table.level())));
        if (deposited) {
            facts.put("deposited", Fact.of("deposited"));
        }
        for (int i = 0; i < geometry.entries(table.level()); i++) {
            long entry = table.entry(i).peek();
            if (!Entry.none(entry)) {
                facts.put("[" + i + "]", fact(table.level(), entry));
            }
        }
        return new Thing(Kind.TABLE, name(table.pfn()), facts);
    }

    private Fact fact(int level, long entry) {
        boolean toTable = level > Geometry.PTE && Entry.isTable(entry);
        long pfn = Entry.pfn(entry);
        String about = toTable ? name(pfn) : folios.nameOf(pfn);
        return new Fact(Entry.show(level, entry), about);
    }
}
