// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Cell;
import org.interleaf.litmus.run.Code;
import org.interleaf.litmus.run.Frame;

import java.util.List;

/// A process, ready to run.
///
/// @param byValue the parameters that take the value of a C variable
record CompiledProcess(
        String name, Registers registers, Frame frame, Code body, List<Argument> byValue) {

    /// A parameter and the variable whose initial value it takes.
    record Argument(Local local, Cell cell) {}

    /// Gives the parameters their values, after the init block has run.
    void passValues() {
        for (Argument argument : byValue) {
            long value = argument.cell().word().peek();
            frame.initialize(argument.local().index(), argument.local().type().convert(value));
        }
    }

    /// Runs the process from its beginning.
    void run() {
        frame.restart();
        body.run(frame);
    }
}
