// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.vocabulary.Type;
import org.jspecify.annotations.Nullable;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// The names and numbers of the registers of one process.
///
/// As in herd7 there is one name space for the whole process: a variable declared inside a block is
/// the same register as one of that name outside, and the condition can name it.
final class Registers {
    private final Map<String, Local> locals = new LinkedHashMap<>();
    private final Set<String> mentioned;
    private int count;

    /// @param mentioned the names that some statement of the process declares or assigns to
    Registers(Set<String> mentioned) {
        this.mentioned = mentioned;
    }

    @Nullable Local find(String name) {
        return locals.get(name);
    }

    Collection<String> names() {
        return locals.keySet();
    }

    int count() {
        return count;
    }

    Local parameter(String name, Type type) {
        Local local = Local.parameter(count++, type);
        locals.put(name, local);
        return local;
    }

    /// The register of a declaration. A declaration hides a parameter of that name.
    Local declare(String name, Type type) {
        Local known = locals.get(name);
        if (known != null && !known.isParameter()) {
            known.redeclare(type);
            return known;
        }
        Local local = Local.declared(count++, type);
        locals.put(name, local);
        return local;
    }

    /// The register of a name that no declaration has introduced so far.
    Local undeclared(String name) {
        return locals.computeIfAbsent(name, n -> Local.undeclared(count++));
    }

    /// Whether a name that is not known yet is one that some statement introduces.
    boolean mentions(String name) {
        return mentioned.contains(name);
    }

    /// A register without a name.
    int temporary() {
        return count++;
    }
}
