// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.SharedMemory;
import org.interleaf.litmus.run.Variable;
import org.interleaf.litmus.run.Variable.Role;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// The shared variables of a test, and what distinguishes them.
///
/// - A *C variable* is one that the init block computes, as `char *a = mmap(…);`. To name it is to
///   use its value. The name of any other variable stands, on the right-hand side of an
///   initialisation or a condition, for its address, as in herd7.
/// - A *frozen* variable is a C variable that no process changes or takes the address of. Reading
///   it is no access.
final class Globals {
    private final Source source;
    private final SharedMemory memory;
    private final Set<String> declared = new LinkedHashSet<>();
    private final Set<String> cVariables = new LinkedHashSet<>();
    private final Set<String> exposed = new LinkedHashSet<>();

    Globals(Source source, SharedMemory memory) {
        this.source = source;
        this.memory = memory;
    }

    SharedMemory memory() {
        return memory;
    }

    @Nullable Variable find(String name) {
        return memory.variable(name);
    }

    List<String> names() {
        List<String> names = new ArrayList<>();
        memory.variables().forEach(variable -> names.add(variable.name()));
        return names;
    }

    /// Adds a variable; one of opaque type must be a lock.
    Variable declare(int pos, String name, Type type, int length, boolean isArray) {
        Role role = TypeResolver.role(type);
        if (role == null && type.bytes() == 0) {
            throw source.error(
                    pos,
                    "there can be no variable of type `" + type + "`",
                    "declare a pointer to it, or a number");
        }
        Type data = role == null ? type : Types.INT;
        Variable variable = memory.declare(name, data, length, isArray);
        if (variable == null) {
            throw source.error(
                    pos,
                    "the variables of the test are too large",
                    "all of them together have at most " + SharedMemory.MAX_BYTES + " bytes");
        }
        if (role != null) {
            variable.use(role);
        }
        return variable;
    }

    /// Notes that the init block declares the variable by name.
    void markDeclared(String name) {
        declared.add(name);
    }

    boolean isDeclared(String name) {
        return declared.contains(name);
    }

    void markC(String name) {
        cVariables.add(name);
    }

    boolean isC(String name) {
        return cVariables.contains(name);
    }

    /// Notes that some process may change the variable.
    void expose(String name) {
        exposed.add(name);
    }

    boolean isFrozen(String name) {
        return isC(name) && !exposed.contains(name);
    }
}
