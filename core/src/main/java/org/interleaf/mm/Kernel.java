// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Mmu;
import org.interleaf.machine.PhysicalMemory;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.TaskKilled;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// The memory manager of one running kernel: its parts, wired together.
public final class Kernel {
    private final Machine machine;
    private final Arch arch;
    private final MemMap memMap;
    private final PtLocks ptLocks;
    private final EntryAccess entries;
    private final Pgtable pgtable;
    private final PageAlloc pageAlloc;
    private final Swap swap;
    private final Swapfile swapfile;
    private final SwapState swapState;
    private final PageIo pageIo;
    private final SwapIn swapIn;
    private final CollapseSwapin collapseSwapin;
    private final DamonPaddr damonPaddr;
    private final MadviseReclaim madviseReclaim;
    private final TlbBatch tlbBatch;
    private final TryToUnmap tryToUnmap;
    private final Vmscan vmscan;
    private final Rmap rmap;
    private final Highmem highmem;
    private final Files files;
    private final Filemap filemap;
    private final FdTable fdTable;
    private final MappingRmap mappingRmap;
    private final Hugetlb hugetlb;
    private final Inspect inspect;
    private final TableTree tableTree;
    private final Mmu mmu;
    private final MmuNotifier mmuNotifier;
    private final MmAllLocks mmAllLocks;
    private final TlbFlush tlbFlush;
    private final PgtableGeneric pgtableGeneric;
    private final MmapLock mmapLock;
    private final VmaLock vmaLock;
    private final AnonVmas anonVmas;
    private final VmaSplit vmaSplit;
    private final Munmap munmap;
    private final Mmap mmap;
    private final Madvise madvise;
    private final Zap zap;
    private final FreePgtables freePgtables;
    private final Memory memory;
    private final SwapFault swapFault;
    private final MigrationWait migrationWait;
    private final NonpresentPtes nonpresentPtes;
    private final RmapWalk rmapWalk;
    private final TryToMigrate tryToMigrate;
    private final RemoveMigration removeMigration;
    private final HugeMigration hugeMigration;
    private final FolioSplit folioSplit;
    private final Migrate migrate;
    private final AnonFault anonFault;
    private final WpFault wpFault;
    private final HugeMemory hugeMemory;
    private final HugePud hugePud;
    private final HugeInsert hugeInsert;
    private final VmInsert vmInsert;
    private final FileFault fileFault;
    private final FinishFault finishFault;
    private final FilemapMapPages filemapMapPages;
    private final FindEntries findEntries;
    private final UnmapMapping unmapMapping;
    private final Truncate truncate;
    private final Shmem shmem;
    private final ShmemTruncate shmemTruncate;
    private final Vfs vfs;
    private final Devices devices;
    private final FolioWalk folioWalk;
    private final PageWalk pageWalk;
    private final Hmm hmm;
    private final Ptdump ptdump;
    private final MappingDirtyHelpers mappingDirtyHelpers;
    private final TestHmm testHmm;
    private final ProcMaps procMaps;
    private final NumaMaps numaMaps;
    private final Pagemap pagemap;
    private final Mincore mincore;
    private final PagemapScan pagemapScan;
    private final FixupUserFault fixupUserFault;
    private final Userfaultfd userfaultfd;
    private final Coredump coredump;
    private final UffdFault uffdFault;
    private final UffdQueues uffdQueues;
    private final UffdLocks uffdLocks;
    private final UffdEvents uffdEvents;
    private final UffdProtect uffdProtect;
    private final UffdShmem uffdShmem;
    private final UffdMfill uffdMfill;
    private final UffdMove uffdMove;
    private final GupRefs gupRefs;
    private final Gup gup;
    private final GupFast gupFast;
    private final ThpAllowable thpAllowable;
    private final RetractPageTables retractPageTables;
    private final CollapsePteMappedThp collapsePteMappedThp;
    private final CollapseFile collapseFile;
    private final Khugepaged khugepaged;
    private final UserAccess userAccess;
    private final List<MmStruct> mms = new ArrayList<>();
    private @Nullable List<MmStruct> mmsAtStart;
    private @Nullable Supplier<MmStruct> current;
    private final Fork fork;
    private final CopyPageRange copyPageRange;
    private final HugeFork hugeFork;
    private final Mprotect mprotect;
    private final TaskNuma taskNuma;
    private final NumaFault numaFault;
    private final Mremap mremap;
    private final MoveTables moveTables;
    private final Smaps smaps;
    private final MemoryFailure memoryFailure;
    private final Folio zeroFolio;
    private final @Nullable Folio hugeZeroFolio;

    /// A kernel for `arch` that manages `physical`, of which it takes the zero page and, where
    /// there is one, a huge zero page from the set-up's share.
    ///
    /// @param thp when faults map huge pages
    public Kernel(Machine machine, Arch arch, PhysicalMemory physical, HugeMemory.Thp thp) {
        this.machine = machine;
        this.arch = arch;
        Geometry geometry = arch.geometry();
        memMap = new MemMap(machine, physical, arch);
        ptLocks = new PtLocks(arch, memMap);
        entries = new EntryAccess(arch);
        pgtable = new Pgtable(machine, geometry, memMap, ptLocks);
        pageAlloc = new PageAlloc(machine, memMap);
        swap = new Swap(this);
        swapfile = new Swapfile(this);
        swapState = new SwapState(this);
        pageIo = new PageIo(this);
        tlbBatch = new TlbBatch(this);
        tryToUnmap = new TryToUnmap(this);
        vmscan = new Vmscan(this);
        swapIn = new SwapIn(this);
        collapseSwapin = new CollapseSwapin(this);
        damonPaddr = new DamonPaddr(this);
        madviseReclaim = new MadviseReclaim(this);
        rmap = new Rmap(memMap, geometry);
        highmem = new Highmem(physical);
        inspect = new Inspect(geometry, memMap);
        tableTree = new TableTree(geometry, memMap);
        HardwareTables format = new HardwareTables(geometry, memMap);
        mmu = new Mmu(machine, format, arch.faultDropsTranslation());
        mmuNotifier = new MmuNotifier(machine);
        mmAllLocks = new MmAllLocks(this);
        tlbFlush =
                switch (arch.tlbFlush()) {
                    case IPI -> new IpiTlbFlush(machine, mmu, mmuNotifier);
                    case BROADCAST ->
                            new BroadcastTlbFlush(machine, mmu, mmuNotifier, geometry.pageSize());
                };
        pgtableGeneric = new PgtableGeneric(machine, arch, memMap, ptLocks, entries, tlbFlush);
        mmapLock = new MmapLock(machine);
        vmaLock = new VmaLock(machine, mmapLock);
        anonVmas = new AnonVmas(machine, geometry, mmapLock, rmap);
        vmaSplit = new VmaSplit(this);
        munmap = new Munmap(this);
        mmap = new Mmap(this);
        madvise = new Madvise(this);
        zap = new Zap(this);
        freePgtables = new FreePgtables(this);
        memory = new Memory(this);
        swapFault = new SwapFault(this);
        migrationWait = new MigrationWait(this);
        nonpresentPtes = new NonpresentPtes(this);
        rmapWalk = new RmapWalk(this);
        tryToMigrate = new TryToMigrate(this);
        removeMigration = new RemoveMigration(this);
        hugeMigration = new HugeMigration(this);
        folioSplit = new FolioSplit(this);
        migrate = new Migrate(this);
        anonFault = new AnonFault(this);
        wpFault = new WpFault(this);
        hugeMemory = new HugeMemory(this, thp);
        hugePud = new HugePud(this);
        hugeInsert = new HugeInsert(this);
        vmInsert = new VmInsert(this);
        fileFault = new FileFault(this);
        finishFault = new FinishFault(this);
        filemapMapPages = new FilemapMapPages(this);
        findEntries = new FindEntries(this);
        unmapMapping = new UnmapMapping(this);
        truncate = new Truncate(this);
        shmem = new Shmem(this);
        shmemTruncate = new ShmemTruncate(this);
        vfs = new Vfs(this);
        devices = new Devices(this);
        folioWalk = new FolioWalk(this);
        pageWalk = new PageWalk(this);
        hmm = new Hmm(this);
        ptdump = new Ptdump(this);
        mappingDirtyHelpers = new MappingDirtyHelpers(this);
        testHmm = new TestHmm(this);
        userfaultfd = new Userfaultfd(this);
        coredump = new Coredump(this);
        uffdFault = new UffdFault(this);
        uffdQueues = new UffdQueues(this);
        uffdEvents = new UffdEvents(this);
        uffdLocks = new UffdLocks(this);
        uffdProtect = new UffdProtect(this);
        uffdShmem = new UffdShmem(this);
        uffdMfill = new UffdMfill(this);
        uffdMove = new UffdMove(this);
        gupRefs = new GupRefs(this);
        gup = new Gup(this, gupRefs);
        gupFast = new GupFast(this, gupRefs, gup);
        thpAllowable = new ThpAllowable(this);
        retractPageTables = new RetractPageTables(this);
        collapsePteMappedThp = new CollapsePteMappedThp(this);
        collapseFile = new CollapseFile(this);
        khugepaged = new Khugepaged(this);
        userAccess = new UserAccess(this);
        files = new Files(machine);
        fdTable = new FdTable(machine, files);
        filemap = new Filemap(this);
        mappingRmap = new MappingRmap(machine, geometry);
        hugetlb = new Hugetlb(this);
        fork = new Fork(this);
        copyPageRange = new CopyPageRange(this);
        mprotect = new Mprotect(this);
        taskNuma = new TaskNuma(this);
        numaFault = new NumaFault(this);
        procMaps = new ProcMaps(this);
        smaps = new Smaps(this);
        numaMaps = new NumaMaps(this);
        pagemap = new Pagemap(this);
        mincore = new Mincore(this);
        pagemapScan = new PagemapScan(this);
        fixupUserFault = new FixupUserFault(this);
        memoryFailure = new MemoryFailure(this);
        moveTables = new MoveTables(this);
        mremap = new Mremap(this);
        hugeFork = new HugeFork(this);
        machine.onReset(this::resetMms);
        zeroFolio = allocZeroFolio();
        hugeZeroFolio = pageAlloc.folioAlloc(geometry.hpagePmdOrder());
    }

    private Folio allocZeroFolio() {
        Folio folio = pageAlloc.folioAlloc(0);
        if (folio == null) {
            throw new IllegalArgumentException("there is not one page of memory");
        }
        return folio;
    }

    // ---- processes

    /// kernel/fork.c: mm_alloc(), without a process to copy: an empty address space. For the
    /// set-up.
    public MmStruct createMm(String name) {
        MmStruct mm = allocMm(name);
        if (mm == null) {
            throw new IllegalArgumentException("there is no page of memory for " + name);
        }
        return mm;
    }

    /// kernel/fork.c: mm_alloc(). An empty address space; null where memory is out.
    @Nullable MmStruct allocMm(String name) {
        PageTable pgd = pgtable.allocPage(Geometry.PGD);
        if (pgd == null) {
            return null;
        }
        // Where PMD tables have locks of their own they also have lists of their own.
        int deposits = arch.splitPmdPtlocks() ? 0 : memMap.size();
        MmStruct mm = new MmStruct(machine, name, pgd, deposits);
        pgd.topOf(mm);
        mm.vmas.writeOnce(new VmaTree(machine, List.of()));
        mms.add(mm);
        return mm;
    }

    /// kernel/fork.c: __mmdrop(). Frees an address space that has nothing in it any more.
    void freeMm(MmStruct mm) {
        warnOn(mm.pgtables.readOnce() != 0, "non-zero pgtables_bytes on freeing mm"); // check_mm()
        pgtable.freePage(mm.pgd());
        mms.remove(mm);
    }

    /// Says who knows in which address space the running thread is. For the set-up.
    public void currentMm(Supplier<MmStruct> newCurrent) {
        current = newCurrent;
    }

    /// `current->mm`, of which the running thread is a user; null where nobody has said.
    @Nullable MmStruct currentMm() {
        return current == null ? null : current.get();
    }

    /// Before each execution there are the address spaces of the set-up.
    private void resetMms() {
        if (mmsAtStart == null) {
            mmsAtStart = List.copyOf(mms);
        }
        mms.clear();
        mms.addAll(mmsAtStart);
    }

    /// The address spaces that there are; looked at from outside.
    public List<MmStruct> mms() {
        return mms;
    }

    /// Says that every CPU runs a thread of `mm`, as far as TLB flushes and the number of its users
    /// are concerned. For the set-up.
    public void activate(MmStruct mm) {
        mm.cpumask.writeOnce((1L << machine.cpuCount()) - 1);
        mm.users.writeOnce(machine.cpuCount());
    }

    // ---- zero pages

    /// The folio of `ZERO_PAGE()`: mapped, without being counted, wherever memory was only read.
    public Folio zeroFolio() {
        return zeroFolio;
    }

    /// include/linux/pgtable.h: is_zero_pfn().
    public boolean isZeroPfn(long pfn) {
        return pfn == zeroFolio.pfn();
    }

    /// include/linux/mm.h: is_zero_page().
    public boolean isZeroPage(Page page) {
        return isZeroPfn(page.pfn());
    }

    /// include/linux/mm.h: is_zero_folio().
    public boolean isZeroFolio(Folio folio) {
        return folio == zeroFolio;
    }

    /// mm/huge_memory.c: mm_get_huge_zero_folio(). It is there from the beginning and never freed;
    /// null where there was no memory for it.
    public @Nullable Folio hugeZeroFolio() {
        return hugeZeroFolio;
    }

    /// include/linux/huge_mm.h: is_huge_zero_pfn().
    public boolean isHugeZeroPfn(long pfn) {
        return hugeZeroFolio != null && pfn == hugeZeroFolio.pfn();
    }

    /// Whether the kernel keeps the folio for itself: it is never freed, and not counted.
    public boolean isReserved(Folio folio) {
        return folio == zeroFolio || folio == hugeZeroFolio;
    }

    // ---- short names

    /// mm/mmu_gather.c: tlb_gather_mmu().
    public MmuGather tlbGatherMmu(MmStruct mm) {
        return new MmuGather(this, mm);
    }

    /// mm/mmu_gather.c: tlb_remove_table_sync_one().
    public void tlbRemoveTableSyncOne() {
        MmuGather.tlbRemoveTableSyncOne(this);
    }

    /// mm/pgtable-generic.c: pmdp_get_lockless_sync(). Waits for those who read entries in halves
    /// with interrupts off.
    void pmdpGetLocklessSync() {
        if (entries.halves()) {
            tlbRemoveTableSyncOne();
        }
    }

    /// `WARN_ON_ONCE(condition)`: the kernel complains with `text` where the condition holds;
    /// returns the condition.
    boolean warnOn(boolean condition, String text) {
        if (condition) {
            machine.monitor().complained(machine.current(), "WARNING", text);
        }
        return condition;
    }

    /// `BUG_ON(condition)`: where it holds, the kernel says `text` and the task ends.
    void bugOn(boolean condition, String text) {
        if (condition) {
            machine.monitor().complained(machine.current(), "BUG", text);
            throw TaskKilled.INSTANCE;
        }
    }

    /// include/linux/lockdep.h: lockdep_assert_held(). Complains where the running task does not
    /// hold `lock`; no access.
    void assertHeld(SpinLock lock) {
        if (!lock.held()) {
            warnOn(true, lock.name() + " is not held");
        }
    }

    /// As {@link #warnOn(boolean, String)}, about an object that is named only if the condition
    /// holds.
    boolean warnOn(boolean condition, String text, Object about) {
        return condition && warnOn(true, text + ": " + about);
    }

    // ---- parts

    public Machine machine() {
        return machine;
    }

    public Arch arch() {
        return arch;
    }

    public Geometry geometry() {
        return arch.geometry();
    }

    public MemMap memMap() {
        return memMap;
    }

    public PtLocks ptLocks() {
        return ptLocks;
    }

    public EntryAccess entries() {
        return entries;
    }

    public Pgtable pgtable() {
        return pgtable;
    }

    public PgtableGeneric pgtableGeneric() {
        return pgtableGeneric;
    }

    public PageAlloc pageAlloc() {
        return pageAlloc;
    }

    public Swap swap() {
        return swap;
    }

    /// The slots of the swap device.
    public Swapfile swapfile() {
        return swapfile;
    }

    SwapState swapState() {
        return swapState;
    }

    PageIo pageIo() {
        return pageIo;
    }

    public DamonPaddr damonPaddr() {
        return damonPaddr;
    }

    CollapseSwapin collapseSwapin() {
        return collapseSwapin;
    }

    SwapIn swapIn() {
        return swapIn;
    }

    MadviseReclaim madviseReclaim() {
        return madviseReclaim;
    }

    TlbBatch tlbBatch() {
        return tlbBatch;
    }

    TryToUnmap tryToUnmap() {
        return tryToUnmap;
    }

    Vmscan vmscan() {
        return vmscan;
    }

    public Rmap rmap() {
        return rmap;
    }

    public Highmem highmem() {
        return highmem;
    }

    Files files() {
        return files;
    }

    /// The open files of the process.
    public FdTable fdTable() {
        return fdTable;
    }

    Filemap filemap() {
        return filemap;
    }

    SwapFault swapFault() {
        return swapFault;
    }

    MigrationWait migrationWait() {
        return migrationWait;
    }

    NonpresentPtes nonpresentPtes() {
        return nonpresentPtes;
    }

    RmapWalk rmapWalk() {
        return rmapWalk;
    }

    TryToMigrate tryToMigrate() {
        return tryToMigrate;
    }

    RemoveMigration removeMigration() {
        return removeMigration;
    }

    HugeMigration hugeMigration() {
        return hugeMigration;
    }

    FolioSplit folioSplit() {
        return folioSplit;
    }

    Migrate migrate() {
        return migrate;
    }

    MappingRmap mappingRmap() {
        return mappingRmap;
    }

    public Fork fork() {
        return fork;
    }

    CopyPageRange copyPageRange() {
        return copyPageRange;
    }

    /// NUMA hinting.
    public TaskNuma taskNuma() {
        return taskNuma;
    }

    /// Faults of NUMA hinting.
    NumaFault numaFault() {
        return numaFault;
    }

    public Mprotect mprotect() {
        return mprotect;
    }

    public Mremap mremap() {
        return mremap;
    }

    public MemoryFailure memoryFailure() {
        return memoryFailure;
    }

    public Smaps smaps() {
        return smaps;
    }

    ProcMaps procMaps() {
        return procMaps;
    }

    public NumaMaps numaMaps() {
        return numaMaps;
    }

    public Pagemap pagemap() {
        return pagemap;
    }

    public FixupUserFault fixupUserFault() {
        return fixupUserFault;
    }

    public PagemapScan pagemapScan() {
        return pagemapScan;
    }

    public Mincore mincore() {
        return mincore;
    }

    MoveTables moveTables() {
        return moveTables;
    }

    HugeFork hugeFork() {
        return hugeFork;
    }

    public Hugetlb hugetlb() {
        return hugetlb;
    }

    public Inspect inspect() {
        return inspect;
    }

    public TableTree tableTree() {
        return tableTree;
    }

    public Mmu mmu() {
        return mmu;
    }

    public Ptdump ptdump() {
        return ptdump;
    }

    public MappingDirtyHelpers mappingDirtyHelpers() {
        return mappingDirtyHelpers;
    }

    public MmuNotifier mmuNotifier() {
        return mmuNotifier;
    }

    MmAllLocks mmAllLocks() {
        return mmAllLocks;
    }

    public TlbFlush tlbFlush() {
        return tlbFlush;
    }

    public MmapLock mmapLock() {
        return mmapLock;
    }

    public VmaLock vmaLock() {
        return vmaLock;
    }

    public AnonVmas anonVmas() {
        return anonVmas;
    }

    VmaSplit vmaSplit() {
        return vmaSplit;
    }

    Munmap munmap() {
        return munmap;
    }

    public Mmap mmap() {
        return mmap;
    }

    Madvise madvise() {
        return madvise;
    }

    public Zap zap() {
        return zap;
    }

    FreePgtables freePgtables() {
        return freePgtables;
    }

    public Memory memory() {
        return memory;
    }

    AnonFault anonFault() {
        return anonFault;
    }

    WpFault wpFault() {
        return wpFault;
    }

    public HugeMemory hugeMemory() {
        return hugeMemory;
    }

    public HugePud hugePud() {
        return hugePud;
    }

    HugeInsert hugeInsert() {
        return hugeInsert;
    }

    VmInsert vmInsert() {
        return vmInsert;
    }

    FileFault fileFault() {
        return fileFault;
    }

    FinishFault finishFault() {
        return finishFault;
    }

    FilemapMapPages filemapMapPages() {
        return filemapMapPages;
    }

    FindEntries findEntries() {
        return findEntries;
    }

    UnmapMapping unmapMapping() {
        return unmapMapping;
    }

    Truncate truncate() {
        return truncate;
    }

    public Shmem shmem() {
        return shmem;
    }

    ShmemTruncate shmemTruncate() {
        return shmemTruncate;
    }

    public Vfs vfs() {
        return vfs;
    }

    /// The devices with memory.
    public Devices devices() {
        return devices;
    }

    public Userfaultfd userfaultfd() {
        return userfaultfd;
    }

    public PageWalk pageWalk() {
        return pageWalk;
    }

    public Hmm hmm() {
        return hmm;
    }

    public TestHmm testHmm() {
        return testHmm;
    }

    public Coredump coredump() {
        return coredump;
    }

    UffdFault uffdFault() {
        return uffdFault;
    }

    public UffdQueues uffdQueues() {
        return uffdQueues;
    }

    public UffdProtect uffdProtect() {
        return uffdProtect;
    }

    UffdEvents uffdEvents() {
        return uffdEvents;
    }

    UffdLocks uffdLocks() {
        return uffdLocks;
    }

    UffdShmem uffdShmem() {
        return uffdShmem;
    }

    public UffdMfill uffdMfill() {
        return uffdMfill;
    }

    public UffdMove uffdMove() {
        return uffdMove;
    }

    public FolioWalk folioWalk() {
        return folioWalk;
    }

    public GupRefs gupRefs() {
        return gupRefs;
    }

    public Gup gup() {
        return gup;
    }

    public GupFast gupFast() {
        return gupFast;
    }

    ThpAllowable thpAllowable() {
        return thpAllowable;
    }

    RetractPageTables retractPageTables() {
        return retractPageTables;
    }

    CollapsePteMappedThp collapsePteMappedThp() {
        return collapsePteMappedThp;
    }

    CollapseFile collapseFile() {
        return collapseFile;
    }

    public Khugepaged khugepaged() {
        return khugepaged;
    }

    public UserAccess userAccess() {
        return userAccess;
    }
}
