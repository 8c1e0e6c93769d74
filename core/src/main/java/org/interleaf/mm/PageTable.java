// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Frame;
import org.interleaf.machine.LockClass;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Region;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// A page-table page and its `struct ptdesc` (include/linux/mm_types.h). Entries and list live and
/// die with the frame. The lock is allocated apart, as where a spinlock is too big for the `ptdesc`
/// (ALLOC_SPLIT_PTLOCKS): it goes when the destructor of the table has run, which is just before.
public final class PageTable implements Word.FieldNames {
    static final long NO_PARENT = -1;

    private static final int PARENTS = 4;

    private final Frame frame;
    private final Word[] entries;
    private final Region lockLife;
    private final SpinLock[] ptls;
    private final LockClass pteClass;
    private final LockClass pmdClass;
    private final int ptesPerPage;
    private final Word level;
    private final DepositList deposited;

    /// `pt_share_count`: how many other address spaces use this PMD table, see {@link
    /// HugetlbPmdShare}.
    final Word shareCount;

    /// The entries that lead to the table, as many as are kept; see {@link TableTree}.
    private final Word[] parents = new Word[PARENTS];

    /// Whether entries have led to the table and none does any more, and it is not deposited.
    private final Word unhooked;

    private @Nullable MmStruct topOf;

    /// @param pages pages of a PTE table
    /// @param ptesPerPage how many PTEs are in one of them
    PageTable(Machine machine, Frame frame, int entryCount, int pages, int ptesPerPage) {
        this.frame = frame;
        this.pteClass = machine.lockClasses().of("ptlock_ptr(ptdesc)");
        this.pmdClass = machine.lockClasses().of("ptlock_ptr(ptdesc)#2");
        this.level = machine.word(null, this, "level", -1, 0);
        this.ptesPerPage = ptesPerPage;
        this.lockLife = new Region(machine);
        lockLife.owner("lock of table " + frame.pfn());
        this.ptls = new SpinLock[pages];
        for (int i = 0; i < pages; i++) {
            String name = i == 0 ? "ptl" : "ptl of page " + i;
            ptls[i] = new SpinLock(machine, lockLife, this, name, this::ptlClass);
        }
        this.entries = new Word[entryCount];
        for (int i = 0; i < entryCount; i++) {
            entries[i] = machine.word(frame.life(), this, "entry", i, 0);
            entries[i].format(value -> Entry.show(level(), value));
        }
        for (int i = 0; i < PARENTS; i++) {
            parents[i] = machine.word(null, this, "parent", i, NO_PARENT);
        }
        this.unhooked = machine.word(null, this, "unhooked", -1, 0);
        this.shareCount = machine.word(frame.life(), this, "pt_share_count", -1, 0);
        this.deposited = new DepositList(machine, frame.life(), this, entryCount);
    }

    /// How many words a table of `entries` entries in `pages` pages is made of: the locks and their
    /// life, the entries, the list of what is deposited with it, its level, its share count,
    /// whether it is unhooked, and those of parents.
    static int words(int entries, int pages) {
        return pages + 1 + entries + (entries + 1) + 3 + PARENTS;
    }

    /// The frame that holds the table.
    public long pfn() {
        return frame.pfn();
    }

    public Frame frame() {
        return frame;
    }

    /// Level of the table, as in {@link Geometry}.
    public int level() {
        return (int) level.peek();
    }

    /// include/linux/mm.h: ptlock_init(). Locks of PTE tables and of those above are initialised at
    /// different places.
    private LockClass ptlClass() {
        return level() == Geometry.PTE ? pteClass : pmdClass;
    }

    /// The table becomes an empty one of `newLevel`. Part of the step that allocated its frame:
    /// nobody can tell the clearing of a page from its allocation without having used it after
    /// free.
    void initialise(int newLevel) {
        level.poke(newLevel);
        lockLife.allocateAlong();
        for (Word entry : entries) {
            if (entry.peek() != 0) {
                entry.poke(0);
            }
        }
        deposited.clear();
        setUnhooked(false);
        if (shareCount.peek() != 0) {
            shareCount.poke(0);
        }
        for (Word parent : parents) {
            if (parent.peek() != NO_PARENT) {
                parent.poke(NO_PARENT);
            }
        }
    }

    /// Whether this stands for the tables that are none, which walks into the wild end up in.
    public boolean isWild() {
        return frame.pfn() == 0;
    }

    /// Whether `word` is one of the entries.
    public boolean isEntry(Word word) {
        int index = word.index();
        return index >= 0 && index < entries.length && entries[index] == word;
    }

    /// The memory of the table's lock.
    Region lockLife() {
        return lockLife;
    }

    // ---- where the table hangs

    private static final int INDEX_BITS = 20;

    /// An entry has been made to lead to the table.
    void hang(PageTable upper, Word entry) {
        setUnhooked(false);
        replaceParent(NO_PARENT, parentOf(upper, entry));
    }

    /// An entry does not lead to the table any more.
    void unhang(PageTable upper, Word entry) {
        replaceParent(parentOf(upper, entry), NO_PARENT);
        setUnhooked(parent() == NO_PARENT);
    }

    /// Takes note of whether the table is out of reach though it has been in use.
    void setUnhooked(boolean newUnhooked) {
        if (peekUnhooked() != newUnhooked) {
            unhooked.poke(newUnhooked ? 1 : 0);
        }
    }

    /// Whether entries have led to the table and none does any more, and it is not deposited;
    /// looked at from outside.
    public boolean peekUnhooked() {
        return unhooked.peek() != 0;
    }

    private static long parentOf(PageTable upper, Word entry) {
        return upper.pfn() << INDEX_BITS | upper.indexOf(entry);
    }

    private void replaceParent(long from, long to) {
        for (Word parent : parents) {
            if (parent.peek() == from) {
                parent.poke(to);
                return;
            }
        }
    }

    /// One of the entries that lead to the table, in the form of which {@link #parentPfn} and
    /// {@link #parentIndex} make sense; {@link #NO_PARENT} where none does.
    long parent() {
        for (Word parent : parents) {
            if (parent.peek() != NO_PARENT) {
                return parent.peek();
            }
        }
        return NO_PARENT;
    }

    /// The frame of the table that the entry is in.
    static long parentPfn(long parent) {
        return parent >>> INDEX_BITS;
    }

    /// Which of its entries it is.
    static int parentIndex(long parent) {
        return (int) parent & (1 << INDEX_BITS) - 1;
    }

    /// How many other address spaces use the table, looked at from outside.
    public long peekShareCount() {
        return shareCount.peek();
    }

    /// Makes this the top table of an address space.
    void topOf(MmStruct mm) {
        topOf = mm;
    }

    /// The address space whose top table this is; null for tables of other levels.
    @Nullable MmStruct topOf() {
        return level() == Geometry.PGD ? topOf : null;
    }

    // ---- entries and locks

    /// The location of entry `index`.
    public Word entry(int index) {
        return entries[index];
    }

    /// Which entry of its table `entry` is.
    public int indexOf(Word entry) {
        int index = entry.index();
        if (index < 0 || index >= entries.length || entries[index] != entry) {
            throw new IllegalArgumentException(entry + " is no entry of " + this);
        }
        return index;
    }

    /// The entry `n` places after `entry`, in the same table: `ptep + n`.
    public static Word plus(Word entry, int n) {
        PageTable table = of(entry);
        return table.entries[table.indexOf(entry) + n];
    }

    /// The lock in the table's `ptdesc`, whoever uses it.
    public SpinLock ptl() {
        return ptls[0];
    }

    /// The lock in the `ptdesc` of the page that `pte` is in: another than the table's where PTE
    /// tables take several pages and it is not in the first.
    SpinLock ptlOfPage(Word pte) {
        return ptls[indexOf(pte) / ptesPerPage];
    }

    /// The table that `entry` is part of: `virt_to_ptdesc()`.
    public static PageTable of(Word entry) {
        if (entry.owner() instanceof PageTable table) {
            return table;
        }
        throw new IllegalArgumentException(entry + " is not in a page table");
    }

    /// The tables deposited with this PMD table where it has a lock of its own.
    DepositList deposited() {
        return deposited;
    }

    @Override
    public String fieldName(String field, int index) {
        return field.equals("entry")
                ? Geometry.name(level()) + "[" + index + "] of table " + pfn()
                : this + "." + field + (index < 0 ? "" : "[" + index + "]");
    }

    @Override
    public String toString() {
        return Geometry.name(level()) + " table " + pfn();
    }
}
