// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// All locks for which the same rules of order hold: `struct lock_class` of
/// kernel/locking/lockdep.c, which is one for each place in the source that initialises locks. A
/// lock that is taken inside another one of its class, on purpose, is taken in a *subclass*, which
/// is a class of its own.
///
/// Locks that the kernel's lockdep does not know, such as `PG_locked`, have no such rules: folios
/// of different kinds have theirs locked in different orders. Each of these locks is a class of its
/// own, and of it only what really happened counts.
public final class LockClass {
    private final LockClasses registry;
    private final int id;
    private final String name;
    private final boolean exact;
    private LockClass[] nested = new LockClass[0];

    LockClass(LockClasses registry, int id, String name, boolean exact) {
        this.registry = registry;
        this.id = id;
        this.name = name;
        this.exact = exact;
    }

    /// Number of the class on its machine: dense, but not the same on every machine.
    public int id() {
        return id;
    }

    /// The kernel's name for it, such as `&mm->mmap_lock`, or `&mm->mmap_lock/1` for a subclass.
    public String name() {
        return name;
    }

    /// Whether the class has one lock only, which lockdep does not know.
    public boolean exact() {
        return exact;
    }

    /// The subclass number `subclass`, such as `SINGLE_DEPTH_NESTING`; 0 is the class itself.
    public LockClass nested(int subclass) {
        if (subclass == 0) {
            return this;
        }
        if (subclass > nested.length) {
            LockClass[] more = new LockClass[subclass];
            System.arraycopy(nested, 0, more, 0, nested.length);
            for (int i = nested.length; i < subclass; i++) {
                more[i] = registry.add(name + "/" + (i + 1), exact);
            }
            nested = more;
        }
        return nested[subclass - 1];
    }

    @Override
    public String toString() {
        return name;
    }
}
