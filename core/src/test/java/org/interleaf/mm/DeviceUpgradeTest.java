// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.check.KernelNames;
import org.interleaf.check.PageLaws;
import org.interleaf.check.Sanitizers;
import org.interleaf.explore.Ending;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Program;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.PhysicalMemory;
import org.interleaf.machine.PhysicalMemory.Blocks;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongUnaryOperator;

/// Writes to entries of devices that somebody has write-protected, as trackers of writes do: the
/// same memory becomes writable in place, and is not counted again.
final class DeviceUpgradeTest {
    /// A process of two threads that maps a device by entries of one level.
    private static final class Scenario implements Program {
        private final Machine machine = new Machine(2);
        private final Kernel kernel;
        private final MmStruct mm;
        private final Sanitizers sanitizers;
        private final PageLaws laws;
        private final int level;
        private final long addr;
        private final Set<String> found = new TreeSet<>();
        private final Set<String> states = new TreeSet<>();

        Scenario(int level) {
            this.level = level;
            Arch arch =
                    Arch.of(
                            Objects.requireNonNull(Architectures.find("x86-64")),
                            Objects.requireNonNull(Architectures.find("x86-64")).tiny());
            Geometry geometry = arch.geometry();
            int order = geometry.shift(level) - geometry.pageShift();
            List<Blocks> blocks =
                    List.of(
                            new Blocks(0, 16, 16),
                            new Blocks(geometry.hpagePmdOrder(), 1, 1),
                            new Blocks(order, 0, 2));
            PhysicalMemory memory = new PhysicalMemory(machine, 2, blocks);
            sanitizers = new Sanitizers(new KernelNames(getClass().getClassLoader()), false);
            machine.monitor(sanitizers);
            kernel = new Kernel(machine, arch, memory, HugeMemory.Thp.NEVER);
            sanitizers.watch(kernel);
            kernel.devices().addDax(level, 2);
            mm = kernel.createMm("mm");
            kernel.activate(mm);
            laws = new PageLaws(kernel);
            addr = map();
        }

        private long map() {
            int rw = OpenFile.READ | OpenFile.WRITE;
            OpenFile file = Objects.requireNonNull(kernel.devices().open("/dev/dax0.0", rw));
            long size = kernel.geometry().size(level);
            long a = kernel.mmap().mmap(mm, 0, size, MmScenario.RW, Mman.MAP_SHARED, file, 0);
            kernel.userAccess().store(mm, a, 8, 1);
            return a;
        }

        private Word entry() {
            Word entry = Objects.requireNonNull(kernel.pgtable().find(Geometry.PUD, mm, addr));
            return level == Geometry.PUD ? entry : below(entry);
        }

        private Word below(Word pud) {
            Word pmd = kernel.pgtable().offset(Geometry.PMD, pud, addr);
            return level == Geometry.PMD
                    ? pmd
                    : kernel.memMap()
                            .table(Entry.pfn(pmd.peek()))
                            .entry(kernel.geometry().index(Geometry.PTE, addr));
        }

        /// Puts something else into the entry, as only its owner may, with nothing in the TLBs.
        private void change(LongUnaryOperator to) {
            Word entry = entry();
            SpinLock ptl = kernel.ptLocks().coreLock(mm, PageTable.of(entry));
            ptl.lock();
            long old = entry.xchg(0, Order.FULL);
            kernel.tlbFlush().flushTlbMm(mm);
            entry.writeOnce(to.applyAsLong(old));
            ptl.unlock();
        }

        void writeProtect() {
            change(entry -> Entry.mkclean(Entry.wrprotect(entry)));
        }

        void task(Runnable body) {
            int id = machine.tasks().size();
            machine.spawn("P" + id, id, body);
        }

        Exploration explore() {
            machine.startDaemons();
            machine.seal();
            return Explorer.explore(this, Limits.NONE.withMaxExecutions(1_000_000), "test");
        }

        @Override
        public Machine machine() {
            return machine;
        }

        @Override
        public void finished(Ending ending) {
            sanitizers.findings().all().forEach(v -> found.add(v.title() + ": " + v.text()));
            laws.check(pfn -> 0, pfn -> 0).forEach(v -> found.add(v.text()));
            long entry = entry().peek();
            Folio folio = kernel.memMap().folioAt(Entry.pfn(entry));
            states.add(
                    Entry.show(level, entry).replaceAll("\\d+ ", "")
                            + ", mapped "
                            + folio.peekMapcount()
                            + ": "
                            + kernel.inspect().user(mm, addr, 8));
        }
    }

    private static String name(int level) {
        return level == Geometry.PTE ? "page" : "huge page";
    }

    @ParameterizedTest
    @ValueSource(ints = {Geometry.PUD, Geometry.PMD, Geometry.PTE})
    void aWriteMakesTheEntryWritableInPlace(int level) {
        Scenario s = new Scenario(level);
        s.writeProtect();
        s.task(() -> s.kernel.userAccess().store(s.mm, s.addr, 8, 2));
        assertThat(s.explore().complete()).isTrue();
        assertThat(s.found).isEmpty();
        assertThat(s.states).containsExactly(name(level) + " rw dirty young, mapped 1: 2");
    }

    @ParameterizedTest
    @ValueSource(ints = {Geometry.PUD, Geometry.PMD, Geometry.PTE})
    void twoWritesMakeItWritableOnce(int level) {
        Scenario s = new Scenario(level);
        s.writeProtect();
        s.task(() -> s.kernel.userAccess().store(s.mm, s.addr, 1, 2));
        s.task(() -> s.kernel.userAccess().store(s.mm, s.addr + 1, 1, 3));
        assertThat(s.explore().complete()).isTrue();
        assertThat(s.found).isEmpty();
        assertThat(s.states).containsExactly(name(level) + " rw dirty young, mapped 1: 770");
    }

    @ParameterizedTest
    @ValueSource(ints = {Geometry.PUD, Geometry.PMD})
    void aWriteToTheSamePlaceOfOtherMemoryIsABug(int level) {
        Scenario s = new Scenario(level);
        long other = s.kernel.geometry().size(level) >> s.kernel.geometry().pageShift();
        s.change(e -> Entry.make(Entry.pfn(e) + other, Entry.flags(Entry.wrprotect(e))));
        s.task(
                () -> {
                    s.kernel.mmapLock().readLock(s.mm);
                    Vma vma = Objects.requireNonNull(s.kernel.mmap().vmaLookup(s.mm, s.addr));
                    s.kernel.memory().handleMmFault(vma, s.addr, VmFault.FLAG_WRITE);
                    s.kernel.mmapLock().readUnlock(s.mm);
                });
        s.explore();
        assertThat(s.found).anyMatch(text -> text.contains("finds maps other memory"));
        assertThat(s.states).allMatch(text -> text.startsWith("huge page r "));
    }
}
