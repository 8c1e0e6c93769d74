// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// A whole test.
///
/// @param name the name after `C` in the first line
/// @param doc the quoted string after the name, or nothing
/// @param expectation what its comments declare
/// @param init the init block
/// @param processes P0, P1 and so on, in order
/// @param locations what `locations` adds to the final states
/// @param filter which final states count, if there is a `filter`
/// @param condition the condition; a test without one has `forall (true)`, as in herd7
public record LitmusTest(
        Source source,
        String name,
        String doc,
        Expectation expectation,
        Config config,
        List<Stmt> init,
        List<ProcessDef> processes,
        List<Expr> locations,
        @Nullable Prop filter,
        Condition condition) {

    /// Reads a test.
    ///
    /// @throws LitmusException if it is not one
    public static LitmusTest parse(Source source) {
        return new Parser(source).test();
    }
}
