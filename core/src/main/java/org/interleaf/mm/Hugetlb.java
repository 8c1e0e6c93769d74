// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;

/// The parts of hugetlb, wired together, and the mutexes of its faults.
public final class Hugetlb {
    /// `num_fault_mutexes` for each CPU; always a power of two in all.
    private static final int MUTEXES_PER_CPU = 8;

    private final HugetlbPool pool;
    private final HugetlbVmas vmas;
    private final HugetlbReserve reserve;
    private final HugePte pte;
    private final HugetlbWalk walk;
    private final HugetlbRmap rmap;
    private final HugetlbPmdShare pmdShare;
    private final HugetlbZap zap;
    private final HugetlbFault fault;
    private final HugetlbWp wp;
    private final HugetlbFork fork;
    private final HugetlbMigrate migrate;
    private final HugetlbMfill mfill;
    private final HugetlbProtect protect;
    private final HugetlbTruncate truncate;
    private final Hugetlbfs hugetlbfs;
    private final Mutex[] faultMutexTable;

    Hugetlb(Kernel kernel) {
        Machine machine = kernel.machine();
        pool = new HugetlbPool(kernel);
        vmas = new HugetlbVmas(kernel);
        reserve = new HugetlbReserve(kernel, pool, vmas);
        pte = new HugePte(kernel);
        walk = new HugetlbWalk(kernel);
        rmap = new HugetlbRmap(kernel);
        pmdShare = new HugetlbPmdShare(kernel, this);
        zap = new HugetlbZap(kernel, this);
        wp = new HugetlbWp(kernel, this);
        protect = new HugetlbProtect(kernel, this);
        migrate = new HugetlbMigrate(kernel, this);
        mfill = new HugetlbMfill(kernel, this);
        fork = new HugetlbFork(kernel, this);
        fault = new HugetlbFault(kernel, this);
        truncate = new HugetlbTruncate(kernel, this);
        hugetlbfs = new Hugetlbfs(kernel, this);
        int n = Integer.highestOneBit(MUTEXES_PER_CPU * machine.cpuCount() * 2 - 1);
        faultMutexTable = new Mutex[n];
        for (int i = 0; i < n; i++) {
            String name = "hugetlb_fault_mutex_table[" + i + "]";
            String lockClass = "&hugetlb_fault_mutex_table[i]";
            faultMutexTable[i] = new Mutex(machine, null, name, lockClass);
        }
    }

    /// mm/hugetlb.c: hugetlb_fault_mutex_hash(). The mutex that keeps faults, truncation and hole
    /// punching of one huge page of a file apart. `index` counts huge pages.
    Mutex faultMutex(Inode inode, long index) {
        long hash = inode.pointer() * 31 + (inode.pointer() >>> Integer.SIZE) * 17 + index;
        return faultMutexTable[(int) (hash & (faultMutexTable.length - 1))];
    }

    public HugetlbPool pool() {
        return pool;
    }

    HugetlbVmas vmas() {
        return vmas;
    }

    HugetlbReserve reserve() {
        return reserve;
    }

    HugePte pte() {
        return pte;
    }

    HugetlbWalk walk() {
        return walk;
    }

    HugetlbRmap rmap() {
        return rmap;
    }

    HugetlbPmdShare pmdShare() {
        return pmdShare;
    }

    HugetlbZap zap() {
        return zap;
    }

    HugetlbFault fault() {
        return fault;
    }

    HugetlbWp wp() {
        return wp;
    }

    HugetlbFork fork() {
        return fork;
    }

    HugetlbProtect protect() {
        return protect;
    }

    HugetlbMfill mfill() {
        return mfill;
    }

    public HugetlbMigrate migrate() {
        return migrate;
    }

    HugetlbTruncate truncate() {
        return truncate;
    }

    public Hugetlbfs hugetlbfs() {
        return hugetlbfs;
    }

    /// Reservations in a pool that the private mappings of a process have and have not used up;
    /// looked at from outside.
    public long peekReserved(MmStruct mm, Hstate h) {
        VmaTree tree = mm.vmas.peek();
        long n = 0;
        if (tree != null) {
            for (Vma vma : tree.vmas()) {
                n += vma.isHugetlb() && HugetlbVmas.hstate(vma) == h ? vmas.peekReserved(vma) : 0;
            }
        }
        return n;
    }
}
