// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// A shared location of a test: a scalar variable or one element of an array.
public final class Cell {
    private final String name;
    private final Type type;
    private @Nullable Word word;

    Cell(String name, Type type) {
        this.name = name;
        this.type = type;
    }

    /// The name, as in `x` or `x[1]`.
    public String name() {
        return name;
    }

    /// The type that it was declared with.
    public Type type() {
        return type;
    }

    void place(Word newWord) {
        word = newWord;
    }

    /// The location on the machine; only once there is one.
    public Word word() {
        return Objects.requireNonNull(word, "[interleaf internal] the cell is not on a machine");
    }
}
