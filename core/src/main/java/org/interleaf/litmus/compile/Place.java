// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.jspecify.annotations.Nullable;

/// Where a value can be read from and written to.
sealed interface Place {
    /// A register of the process.
    record InRegister(Local local) implements Place {}

    /// Memory.
    ///
    /// @param type null where a plain number serves as the address: the location knows its type
    /// @param isVolatile whether every access counts as `READ_ONCE()` or `WRITE_ONCE()`
    record InMemory(Node address, @Nullable Type type, boolean isVolatile) implements Place {
        /// The type of a value that is read from here.
        Type valueType() {
            return type == null ? Types.LONG : type;
        }
    }
}
