// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.run.Values;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;

/// A compiled expression and its type.
record Typed(Node node, Type type) {
    static Typed constant(long value, Type type) {
        return new Typed(new Values.Const(value), type);
    }

    /// A 0 or 1, as comparisons yield.
    static Typed truth(Node node) {
        return new Typed(node, Types.INT);
    }

    /// What a statement yields.
    static Typed nothing(Node node) {
        return new Typed(node, Types.VOID);
    }
}
