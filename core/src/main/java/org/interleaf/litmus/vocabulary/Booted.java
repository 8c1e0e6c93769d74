// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.vocabulary;

import org.interleaf.machine.Machine;
import org.interleaf.trace.Call;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Violation;

import java.util.List;
import java.util.Set;

/// A booted kernel: a machine that is not sealed yet, and what a test can call on it.
public interface Booted {
    Machine machine();

    Vocabulary vocabulary();

    /// All tasks have been spawned and the set-up is done: adds what the machine itself runs, and
    /// seals it.
    void seal();

    /// What was found in the execution that just ended, including what can be told only from its
    /// final state.
    ///
    /// @param quiescent whether every task ran to its end, so that nothing may be left over
    List<Violation> findings(boolean quiescent);

    /// The page tables of all processes, as the kernel shows them, with a heading each; looked at
    /// from outside.
    String tables();

    /// The kernel functions that the running thread is in, innermost first.
    List<String> callTrace();

    /// The functions of the model that the running thread is in, innermost first, and where they
    /// stand.
    List<Call> calls();

    /// The lines of a source file of the model, as {@link Call#file} names it; none where there is
    /// no such file.
    List<String> source(String file);

    /// What of the kernel a picture shows at this moment.
    List<Thing> picture();

    /// The names of the words that the final state of the last execution was told from. Only a
    /// machine for recording knows them.
    Set<String> looked();
}
