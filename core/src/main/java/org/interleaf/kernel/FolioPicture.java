// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.machine.Frame;
import org.interleaf.machine.Word;
import org.interleaf.mm.Folio;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MemMap;
import org.interleaf.mm.Page;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Thing.Fact;
import org.interleaf.trace.Thing.Kind;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The folios as a picture shows them, with their counts and what is in memory.
final class FolioPicture {
    /// Of a larger folio the contents of so many pages are shown.
    private static final int PAGES_MAX = 8;

    private final Kernel kernel;
    private final MemMap memMap;

    FolioPicture(Kernel kernel) {
        this.kernel = kernel;
        this.memMap = kernel.memMap();
    }

    /// The name of the folio that the page in frame `pfn` is part of; empty where memory has no
    /// such frame.
    String nameOf(long pfn) {
        return pfn < 0 || pfn >= memMap.size() ? "" : memMap.peekFolio(memMap.page(pfn)).toString();
    }

    void addTo(List<Thing> things) {
        for (int pfn = 0; pfn < memMap.size(); pfn++) {
            Page page = memMap.page(pfn);
            boolean used = page.frame().life().alive() && !page.isTable();
            if (used && memMap.peekFolio(page).pfn() == pfn) {
                things.add(folio(memMap.folioAt(pfn)));
            }
        }
    }

    private Thing folio(Folio folio) {
        Map<String, Fact> facts = new LinkedHashMap<>();
        facts.put("_refcount", number(folio.peekRefCount()));
        facts.put("mapped", number(folio.peekMapcount()));
        if (folio.peekOrder() > 0) {
            facts.put("order", number(folio.peekOrder()));
            facts.put("_pincount", number(folio.peekPincount()));
        }
        if (folio.peekSwap() >= 0) {
            facts.put("swap", Fact.of("slot " + folio.peekSwap()));
        }
        facts.put("flags", Fact.of(folio.peekFlags()));
        facts.put("mapping", Fact.of(folio.peekMapping()));
        if (folio.peekHugetlb()) {
            facts.put("type", Fact.of("hugetlb"));
        } else if (kernel.isReserved(folio)) {
            facts.put("type", Fact.of("zero page"));
        }
        addContents(folio, facts);
        return new Thing(Kind.FOLIO, folio.toString(), facts);
    }

    private void addContents(Folio folio, Map<String, Fact> facts) {
        int pages = Math.min(PAGES_MAX, 1 << folio.peekOrder());
        for (int i = 0; i < pages; i++) {
            Frame frame = memMap.page(folio.pfn() + i).frame();
            for (int w = 0; w < frame.words(); w++) {
                Word word = frame.word(w);
                facts.put(word.name(), Fact.of(word.show(word.peek())));
            }
        }
    }

    private static Fact number(long value) {
        return Fact.of(Long.toString(value));
    }
}
