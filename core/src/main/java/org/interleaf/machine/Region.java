// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// An object that is allocated, freed and allocated again, such as a physical frame. Its words die
/// with it: whoever touches one while the region is free has a use after free, which the monitor is
/// told of.
///
/// Allocating and freeing are visible accesses to the region's life; every access to a word of the
/// region reads that life, so the explorer tries both orders.
public final class Region {
    private static final long ALIVE = 1;

    private final Machine machine;
    private final Word life;
    private @Nullable Object owner;

    public Region(Machine machine) {
        this.machine = machine;
        this.life = machine.word(null, this, "life", -1, 0);
        this.life.format(value -> value == ALIVE ? "allocated" : "free");
    }

    /// Names the object in reports.
    public void owner(Object newOwner) {
        owner = newOwner;
    }

    /// The word that holds the life.
    public Word life() {
        return life;
    }

    /// Whether the region is allocated at this moment; looked at from outside.
    public boolean alive() {
        return life.value == ALIVE;
    }

    /// The region comes to life.
    public void allocate() {
        machine.access(life, Op.STORE, Order.PLAIN, ALIVE, 0);
        machine.monitor().allocated(machine.current(), this);
    }

    /// The region comes to life together with another, whose allocation is the access.
    public void allocateAlong() {
        life.poke(ALIVE);
        machine.monitor().allocated(machine.current(), this);
    }

    /// The region dies. Freeing it twice is reported.
    public void free() {
        long before = machine.access(life, Op.XCHG, Order.PLAIN, 0, 0);
        if (before != ALIVE) {
            machine.monitor().doubleFree(machine.current(), this);
        }
        machine.monitor().freed(machine.current(), this);
    }

    @Override
    public String toString() {
        return owner == null ? "region" : owner.toString();
    }
}
