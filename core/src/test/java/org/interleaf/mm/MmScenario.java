// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.check.KernelNames;
import org.interleaf.check.PageLaws;
import org.interleaf.check.Sanitizers;
import org.interleaf.explore.Ending;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Program;
import org.interleaf.machine.Machine;
import org.interleaf.machine.PhysicalMemory;
import org.interleaf.machine.Tlb;
import org.interleaf.machine.Word;
import org.interleaf.trace.Violation;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/// A process of a few threads, each on a CPU of its own, explored to the end with all sanitizers.
final class MmScenario implements Program {
    static final int RW = Mman.PROT_READ | Mman.PROT_WRITE;
    static final int ANON = Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS;

    /// Every level of a 4-level configuration, with two entries in each table.
    private static final Geometry TINY = new Geometry(12, new int[] {1, 1, 1, 0, 1});

    private static final int SINGLES = 16;
    private static final int BIGS = 2;

    final Machine machine;
    final Kernel kernel;
    final MmStruct mm;
    private final PhysicalMemory memory;
    private final Sanitizers sanitizers;
    private final PageLaws laws;
    private Supplier<String> state = () -> "";

    /// What was found in any execution, each finding once.
    final Set<String> found = new TreeSet<>();

    /// The final states seen.
    final Set<String> states = new TreeSet<>();

    MmScenario(int cpus, Arch arch, HugeMemory.Thp thp) {
        machine = new Machine(cpus);
        int bigOrder = arch.geometry().hpagePmdOrder();
        memory = new PhysicalMemory(machine, 1, SINGLES, bigOrder, BIGS);
        KernelNames names = new KernelNames(MmScenario.class.getClassLoader());
        sanitizers = new Sanitizers(names, false);
        machine.monitor(sanitizers);
        kernel = new Kernel(machine, arch, memory, thp);
        sanitizers.watch(kernel);
        mm = kernel.createMm("mm");
        kernel.activate(mm);
        laws = new PageLaws(kernel);
    }

    /// Flushes by IPI, tables freed through RCU, all locks split.
    static Arch x86() {
        return of("x86-64");
    }

    /// Broadcast flushes, tables freed through RCU, all locks split.
    static Arch arm64() {
        return of("arm64-4k");
    }

    /// One page-table lock for the whole process, broadcast flushes.
    static Arch unsplit() {
        Arch arch = of("arm64-4k");
        return arch.with(Kconfig.of(arch.architecture(), true, 2));
    }

    /// Flushes by IPI, tables freed right after.
    static Arch afterFlush() {
        return of("x86-64").with(Arch.TlbFlush.IPI, Arch.TableFree.AFTER_FLUSH);
    }

    private static Arch of(String name) {
        Architecture architecture = Objects.requireNonNull(Architectures.find(name));
        return Arch.of(architecture, new Architecture.Shape(TINY, List.of(), List.of()));
    }

    /// Each of the architectures above.
    static List<Arch> all() {
        return List.of(x86(), arm64(), unsplit(), afterFlush());
    }

    long pageSize() {
        return kernel.geometry().pageSize();
    }

    long pmdSize() {
        return kernel.geometry().size(Geometry.PMD);
    }

    /// Maps `len` bytes, readable and writable.
    long map(long len) {
        return kernel.mmap().mmap(mm, 0, len, RW, ANON);
    }

    /// As {@link #map}, at `addr`.
    long mapAt(long addr, long len) {
        return kernel.mmap().mmap(mm, addr, len, RW, ANON | Mman.MAP_FIXED);
    }

    long load(long addr) {
        return kernel.userAccess().load(mm, addr, 8);
    }

    void store(long addr, long value) {
        kernel.userAccess().store(mm, addr, 8, value);
    }

    /// Splits the huge page at `addr`, as somebody who holds the mmap lock for reading.
    void split(long addr) {
        kernel.mmapLock().readLock(mm);
        Vma vma = Objects.requireNonNull(kernel.mmap().vmaLookup(mm, addr));
        Word pmd = Objects.requireNonNull(kernel.pgtable().mmFindPmd(mm, addr));
        kernel.hugeMemory().splitHugePmd(vma, pmd, addr);
        kernel.mmapLock().readUnlock(mm);
    }

    /// The VMAs, looked at from outside.
    List<Vma> vmas() {
        return Objects.requireNonNull(mm.vmas.peek()).vmas();
    }

    void task(Runnable body) {
        int id = machine.tasks().size();
        machine.spawn("P" + id, id % machine.cpuCount(), body);
    }

    MmScenario observe(Supplier<String> text) {
        state = text;
        return this;
    }

    /// Explores all interleavings; fails where they are too many.
    Exploration explore() {
        machine.startDaemons();
        machine.seal();
        Limits limits = Limits.NONE.withMaxExecutions(3_000_000).withMaxSteps(20_000);
        return Explorer.explore(this, limits, "test");
    }

    @Override
    public Machine machine() {
        return machine;
    }

    @Override
    public void finished(Ending ending) {
        sanitizers.findings().all().forEach(v -> found.add(v.title() + ": " + v.text()));
        if (ending.kind() != Ending.Kind.COMPLETE) {
            found.add(ending.kind().toString());
            return;
        }
        findings().forEach(found::add);
        states.add(state.get());
    }

    /// What is wrong with the state at this moment, when nothing is under way.
    List<String> findings() {
        List<String> all =
                new ArrayList<>(
                        laws.check(pfn -> 0, pfn -> 0).stream().map(Violation::text).toList());
        for (int c = 0; c < machine.cpuCount(); c++) {
            checkTlb(c, kernel.mmu().tlb(c), all);
        }
        if (mm.tlbFlushPending.peek() != 0) {
            all.add("tlb_flush_pending is " + mm.tlbFlushPending.peek());
        }
        checkRmap(all);
        for (Vma vma : vmas()) {
            if (vma.refcnt.peek() != 1) {
                all.add(vma + " has a vm_refcnt of " + vma.refcnt.peek());
            }
        }
        return all;
    }

    /// Whatever is mapped is in a VMA, by whose anon_vma rmap would find it.
    private void checkRmap(List<String> all) {
        VmaTree tree = Objects.requireNonNull(mm.vmas.peek());
        for (long addr = 0; addr < kernel.geometry().taskSize(); addr += pageSize()) {
            long pfn = kernel.inspect().mappedPfn(mm, addr);
            if (pfn < 0) {
                continue;
            }
            Folio folio = kernel.memMap().peekFolio(kernel.memMap().page(pfn));
            Vma vma = tree.lookup(addr);
            if (vma == null) {
                all.add("mapped outside of all VMAs");
            } else if (!kernel.isReserved(folio)) {
                long index = folio.index.peek() + pfn - folio.pfn();
                boolean found = index == vma.pgoff.peek() + (addr - vma.start.peek()) / pageSize();
                AnonVma anonVma = vma.anonVma.peek();
                if (!found || anonVma == null || folio.mapping.peek() >> 1 != anonVma.pointer()) {
                    all.add(folio + " cannot be found by rmap");
                }
            }
        }
    }

    /// No translation outlives the entry that it came from.
    private void checkTlb(int cpu, Tlb tlb, List<String> all) {
        for (int i = 0; i < tlb.size(); i++) {
            if (tlb.pfn(i) != kernel.inspect().mappedPfn(mm, tlb.start(i))) {
                all.add("stale translation on cpu " + cpu);
            }
        }
    }

    /// How many frames are allocated at this moment.
    int framesInUse() {
        int n = 0;
        for (int pfn = 0; pfn < memory.frameCount(); pfn++) {
            n += memory.frame(pfn).life().alive() ? 1 : 0;
        }
        return n;
    }
}
