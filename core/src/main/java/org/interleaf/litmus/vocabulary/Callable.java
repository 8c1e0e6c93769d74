// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.vocabulary;

/// A system call or kernel operation that tests can call by name.
public interface Callable {
    /// How many arguments it needs.
    int minArgs();

    /// How many arguments it takes at most.
    int maxArgs();

    /// What it returns; {@link Types#VOID} for nothing.
    Type returnType();

    /// Whether it only looks, without an access to the machine, so that a final condition may use
    /// it.
    default boolean inConditions() {
        return false;
    }

    /// Looks at a call before anything runs: what can be known to be wrong then is to be.
    ///
    /// @throws org.interleaf.litmus.syntax.LitmusException if it is wrong
    default void check(CallSite site) {}

    /// Does it, in the task that runs now or in the set-up.
    ///
    /// @param args the values of the arguments, 0 for a string; the array is used again after the
    ///   call
    long call(CallSite site, long[] args);
}
