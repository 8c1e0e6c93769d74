// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// All that a command finds around it.
///
/// @param home the folder in which Interleaf was unpacked
record Environment(Engine engine, Terminal terminal, Interruption interruption, Path home) {
    /// The property that the launcher sets to the folder it stands in.
    static final String HOME_PROPERTY = "interleaf.home";

    /// The environment of the running program.
    static Environment ofProcess() {
        String home = System.getProperty(HOME_PROPERTY, "");
        return new Environment(
                Engine.REAL, Terminal.detect(), Interruption.install(), Path.of(home));
    }

    /// The folder of the corpus of races: in the working directory, or where the program is.
    Path races() {
        return Stream.of(Path.of("races"), home.resolve("races"))
                .filter(Files::isDirectory)
                .findFirst()
                .orElseThrow(
                        () ->
                                new BadInput(
                                        "no folder races/ here or in " + home.toAbsolutePath(),
                                        "start the program by ./interleaf in its source tree"));
    }
}
