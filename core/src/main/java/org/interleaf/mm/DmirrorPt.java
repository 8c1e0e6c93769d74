// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Ref;
import org.interleaf.machine.Region;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/// The page table of a device that mirrors an address space: an array of pages by the number of the
/// page in the address space (`pt` of struct dmirror in lib/test_hmm.c, a struct xarray).
public final class DmirrorPt {
    /// What holds the entries: page numbers that are equal modulo this share a location.
    private static final int SLOTS = 8;

    private final Machine machine;
    private final Dmirror dmirror;
    private final int pageShift;
    private final SpinLock xaLock;
    private final Ref<Pages>[] slots;

    /// An entry: the page, and whether the device may write to it.
    record Mapping(long pfn, boolean write) {}

    /// The entries of a slot, as one version that never changes.
    private static final class Pages extends Shared {
        final NavigableMap<Long, Mapping> entries;

        Pages(Machine machine, NavigableMap<Long, Mapping> entries) {
            super(machine);
            this.entries = entries;
        }

        @Override
        public String toString() {
            StringBuilder text = new StringBuilder();
            entries.forEach(
                    (index, to) -> {
                        text.append(text.isEmpty() ? "" : ", ");
                        text.append(index).append(": page ").append(to.pfn);
                        text.append(to.write ? " rw" : " r");
                    });
            return text.isEmpty() ? "nothing" : text.toString();
        }
    }

    DmirrorPt(Machine machine, Region region, Dmirror dmirror, int pageShift) {
        this.machine = machine;
        this.pageShift = pageShift;
        this.dmirror = dmirror;
        xaLock = new SpinLock(machine, region, dmirror, "pt.xa_lock");
        slots = slots(machine, region);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private Ref<Pages>[] slots(Machine machine, Region region) {
        Ref<Pages>[] refs = new Ref[SLOTS];
        for (int i = 0; i < SLOTS; i++) {
            refs[i] = new Ref<>(machine, Pages.class, region, this, "pt", i);
        }
        return refs;
    }

    private Ref<Pages> slot(long index) {
        return slots[(int) (index % SLOTS)];
    }

    private static @Nullable Mapping find(@Nullable Pages pages, long index) {
        return pages == null ? null : pages.entries.get(index);
    }

    /// lib/xarray.c: xa_load().
    @Nullable Mapping load(long index) {
        return find(slot(index).read(Order.DEPENDENCY), index);
    }

    /// lib/xarray.c: xa_store(); where `to` is null xa_erase().
    void store(long index, @Nullable Mapping to) {
        xaLock.lock();
        Pages old = slot(index).read(Order.PLAIN);
        NavigableMap<Long, Mapping> entries =
                new TreeMap<>(old == null ? new TreeMap<>() : old.entries);
        if (to == null) {
            entries.remove(index);
        } else {
            entries.put(index, to);
        }
        slot(index).write(new Pages(machine, entries), Order.RELEASE);
        xaLock.unlock();
    }

    /// `xa_for_each_range()` with xa_erase(): takes out the entries from `first` to `last`.
    void eraseRange(long first, long last) {
        for (int i = 0; i < SLOTS && i <= last - first; i++) {
            Pages pages = slot(first + i).read(Order.DEPENDENCY);
            if (pages != null) {
                for (long index : pages.entries.subMap(first, true, last, true).keySet()) {
                    store(index, null);
                }
            }
        }
    }

    /// The address space that is mirrored.
    public MmStruct mm() {
        return dmirror.notifier().mm();
    }

    /// The page at page number `index`; -1 where the device has none. Looked at from outside.
    public long peekPfn(long index) {
        Mapping to = find(slot(index).peek(), index);
        return to == null ? -1 : to.pfn;
    }

    /// Whether the device maps frame `pfn`, or where that is -1 any, at `addr`, for writing if
    /// `forWriting`; looked at from outside.
    boolean peekMaps(long addr, long pfn, boolean forWriting) {
        long index = addr >> pageShift;
        Mapping to = find(slot(index).peek(), index);
        return to != null && (pfn < 0 || to.pfn == pfn) && (to.write || !forWriting);
    }

    /// Whether the device may write to the page at `index`; looked at from outside.
    public boolean peekWrite(long index) {
        Mapping to = find(slot(index).peek(), index);
        return to != null && to.write;
    }

    /// The page numbers for which there is an entry at location `slot`; looked at from outside.
    public Iterable<Long> peekIndexes(int slot) {
        Pages pages = slots[slot].peek();
        return pages == null ? List.of() : pages.entries.keySet();
    }

    @Override
    public String toString() {
        return dmirror.toString();
    }
}
