// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Vocabulary;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// What all parts of one test are compiled against.
///
/// @param warnings what is odd about the test but no mistake that keeps it from running
record Unit(
        Source source,
        Vocabulary vocabulary,
        TypeResolver types,
        Globals globals,
        List<String> warnings) {
    void warn(int pos, String message) {
        warnings.add(source.position(pos) + ": warning: " + message);
    }

    LitmusException error(int pos, String message, String hint) {
        return source.error(pos, message, hint);
    }

    /// A call site for something that is not a call, such as the access `*p`.
    CallSite site(int pos, String what) {
        return new CallSite(source, pos, what, List.of());
    }

    /// The value of a named constant, or null.
    @Nullable Long constant(String name) {
        return switch (name) {
            case "NULL", "false" -> 0L;
            case "true" -> 1L;
            default -> vocabulary.constant(name);
        };
    }

    boolean isFunction(String name) {
        return Builtins.find(name) != null || vocabulary.function(name) != null;
    }

    /// All names that a misspelt function could have meant.
    List<String> functionNames() {
        List<String> names = new ArrayList<>(Builtins.names());
        for (String name : vocabulary.names()) {
            if (vocabulary.function(name) != null) {
                names.add(name);
            }
        }
        return names;
    }

    /// All names that a misspelt constant could have meant.
    List<String> constantNames() {
        List<String> names = new ArrayList<>(List.of("NULL", "true", "false"));
        for (String name : vocabulary.names()) {
            if (vocabulary.constant(name) != null) {
                names.add(name);
            }
        }
        return names;
    }
}
