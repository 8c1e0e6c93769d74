// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

/// A function or macro that every test knows.
record Builtin(String name, int args, Build build) {
    /// Compiles a call of it, the number of whose arguments is right.
    @FunctionalInterface
    interface Build {
        Typed compile(CallCompiler call);
    }
}
