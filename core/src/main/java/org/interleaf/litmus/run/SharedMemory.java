// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.machine.Machine;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The shared variables of a test and their addresses.
///
/// Addresses are small enough for an `int`: plain litmus tests keep pointers in `int` registers and
/// variables, as herd7 lets them. They are odd enough not to be met by chance.
public final class SharedMemory {
    /// The lowest address; user memory must not be mapped here.
    public static final long BASE = 0x6c69_7400L;

    /// How many bytes all variables may take.
    public static final int MAX_BYTES = 1 << 16;

    private static final int ALIGNMENT = 16;

    private final Map<String, Variable> variables = new LinkedHashMap<>();
    private final List<@Nullable Cell> cellAt = new ArrayList<>();
    private final List<@Nullable Variable> variableAt = new ArrayList<>();

    /// Adds a variable, or returns null where there is no room for it.
    ///
    /// @param length number of elements; 1 where it is no array
    public @Nullable Variable declare(String name, Type type, int length, boolean isArray) {
        int start = cellAt.size();
        int step = Math.max(1, type.bytes());
        if (length > (MAX_BYTES - start - ALIGNMENT) / step) {
            return null;
        }
        Variable variable = new Variable(name, type, length, isArray, BASE + start);
        variables.put(name, variable);
        for (int i = 0; i < length * step; i++) {
            cellAt.add(i % step == 0 ? variable.cells().get(i / step) : null);
            variableAt.add(variable);
        }
        do {
            cellAt.add(null);
            variableAt.add(null);
        } while (cellAt.size() % ALIGNMENT != 0);
        return variable;
    }

    /// The variable of this name.
    public @Nullable Variable variable(String name) {
        return variables.get(name);
    }

    /// All variables, in the order of their declaration.
    public Iterable<Variable> variables() {
        return variables.values();
    }

    /// The location at this address.
    @Nullable Cell cell(long address) {
        long offset = address - BASE;
        return offset >= 0 && offset < cellAt.size() ? cellAt.get((int) offset) : null;
    }

    /// The variable that this address is in.
    @Nullable Variable variableAt(long address) {
        long offset = address - BASE;
        return offset >= 0 && offset < variableAt.size() ? variableAt.get((int) offset) : null;
    }

    /// Whether the address could be one of a variable but for a wrong offset.
    boolean owns(long address) {
        return address >= BASE && address < BASE + MAX_BYTES;
    }

    /// How a final state shows a value: the name of the location where it is the address of one.
    public @Nullable String show(long value) {
        Cell cell = cell(value);
        Variable variable = variableAt(value);
        if (cell == null || variable == null) {
            return null;
        }
        return value == variable.address() ? variable.name() : cell.name();
    }

    /// Makes the locations on a machine. All variables must have been declared and compiled.
    public void place(Machine machine) {
        for (Variable variable : variables.values()) {
            variable.place(machine);
        }
    }

    /// Makes what needs one part for each task. All tasks must have been spawned.
    public void placeTasks(Machine machine) {
        for (Variable variable : variables.values()) {
            Srcu srcu = variable.srcu();
            if (srcu != null) {
                srcu.place(machine);
            }
        }
    }
}
