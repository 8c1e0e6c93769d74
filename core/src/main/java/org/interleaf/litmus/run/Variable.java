// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.SpinLock;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// A shared variable of a test. What it is used as beside data (a lock, an `srcu_struct`) shows
/// only while the processes are compiled, so these parts are made when the machine is known.
public final class Variable {
    /// What a variable can be beside a place for data.
    public enum Role {
        SPINLOCK,
        MUTEX,
        RWSEM,
        SRCU
    }

    private final String name;
    private final Type type;
    private final boolean isArray;
    private final long address;
    private final List<Cell> cells = new ArrayList<>();
    private final Set<Role> roles = EnumSet.noneOf(Role.class);
    private @Nullable SpinLock spinLock;
    private @Nullable Mutex mutex;
    private @Nullable RwSem rwSem;
    private @Nullable Srcu srcu;

    Variable(String name, Type type, int length, boolean isArray, long address) {
        this.name = name;
        this.type = type;
        this.isArray = isArray;
        this.address = address;
        for (int i = 0; i < length; i++) {
            cells.add(new Cell(isArray ? name + "[" + i + "]" : name, type));
        }
    }

    public String name() {
        return name;
    }

    /// Its type, or for an array that of an element.
    public Type type() {
        return type;
    }

    public boolean isArray() {
        return isArray;
    }

    /// The number that a pointer to it holds.
    public long address() {
        return address;
    }

    /// Its elements; one, unless it is an array.
    public List<Cell> cells() {
        return cells;
    }

    /// Notes that it is used as a lock of this kind.
    public void use(Role role) {
        roles.add(role);
    }

    /// Whether it is used as a lock of this kind.
    public boolean has(Role role) {
        return roles.contains(role);
    }

    void place(Machine machine) {
        for (Cell cell : cells) {
            cell.place(machine.word(cell.name(), 0));
        }
        if (has(Role.SPINLOCK)) {
            spinLock = new SpinLock(machine, null, null, name);
        }
        if (has(Role.MUTEX)) {
            mutex = new Mutex(machine, null, name);
        }
        if (has(Role.RWSEM)) {
            rwSem = new RwSem(machine, null, null, name);
        }
        if (has(Role.SRCU)) {
            srcu = new Srcu(name);
        }
    }

    /// The spinlock that it is, if it is one.
    public @Nullable SpinLock spinLock() {
        return spinLock;
    }

    /// The mutex that it is, if it is one.
    public @Nullable Mutex mutex() {
        return mutex;
    }

    /// The semaphore that it is, if it is one.
    public @Nullable RwSem rwSem() {
        return rwSem;
    }

    /// The `srcu_struct` that it is, if it is one.
    public @Nullable Srcu srcu() {
        return srcu;
    }
}
