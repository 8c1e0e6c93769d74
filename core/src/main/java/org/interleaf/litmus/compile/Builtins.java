// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.jspecify.annotations.Nullable;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/// All functions and macros that every test knows: those of the Linux-kernel memory model.
final class Builtins {
    private static final Map<String, Builtin> ALL = new LinkedHashMap<>();

    static {
        AccessBuiltins.addTo(ALL);
        AtomicBuiltins.addTo(ALL);
        SyncBuiltins.addTo(ALL);
    }

    private Builtins() {}

    static @Nullable Builtin find(String name) {
        return ALL.get(name);
    }

    static Collection<String> names() {
        return ALL.keySet();
    }

    static void add(Map<String, Builtin> all, String name, int args, Builtin.Build build) {
        if (all.put(name, new Builtin(name, args, build)) != null) {
            throw new AssertionError("[interleaf internal] two builtins called " + name);
        }
    }
}
