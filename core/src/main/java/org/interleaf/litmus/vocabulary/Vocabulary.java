// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.vocabulary;

import org.jspecify.annotations.Nullable;

import java.util.Collection;
import java.util.List;

/// The names that a test may use beyond those of the Linux-kernel memory model. It belongs to one
/// machine, on which its operations act.
public interface Vocabulary {
    /// The vocabulary of plain LKMM tests: nothing more.
    static Vocabulary none() {
        return new NoVocabulary();
    }

    /// The operation of this name, or null.
    @Nullable Callable function(String name);

    /// The value of a constant such as `PAGE_SIZE`, or null.
    @Nullable Long constant(String name);

    /// What a name such as `gfp_t` stands for as a type, or null. C's own types and those of the
    /// memory model are known without it.
    default @Nullable Type type(String name) {
        return null;
    }

    /// All names of functions, constants and types, in a fixed order: to find what a misspelt one
    /// was meant to be.
    Collection<String> names();

    /// Where pointers lead that are not to locations of the test; null where they lead nowhere.
    default @Nullable UserMemory userMemory() {
        return null;
    }

    /// How a final state shows a value, or null for the usual: a number, the name of a location.
    default @Nullable String show(Type type, long value) {
        return null;
    }
}

/// See {@link Vocabulary#none}.
final class NoVocabulary implements Vocabulary {
    @Override
    public @Nullable Callable function(String name) {
        return null;
    }

    @Override
    public @Nullable Long constant(String name) {
        return null;
    }

    @Override
    public Collection<String> names() {
        return List.of();
    }
}
