// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.report.Ansi;

import java.io.Console;
import java.util.Map;

/// What the program prints to.
///
/// @param interactive whether somebody watches: then progress is shown
/// @param ansi whether output is coloured
record Terminal(boolean interactive, Ansi ansi) {
    /// A file or a pipe.
    static final Terminal NONE = new Terminal(false, Ansi.OFF);

    /// The terminal that the program was started from, if it was started from one. Whether there is
    /// a console object where there is no terminal depends on the version of Java.
    @SuppressWarnings("SystemConsoleNull")
    static Terminal detect() {
        Console console = System.console();
        return of(console != null && console.isTerminal(), System.getenv());
    }

    /// Colour is a matter of taste: see no-color.org.
    static Terminal of(boolean interactive, Map<String, String> environment) {
        boolean colour =
                interactive
                        && environment.getOrDefault("NO_COLOR", "").isEmpty()
                        && !"dumb".equals(environment.get("TERM"));
        return new Terminal(interactive, colour ? Ansi.ON : Ansi.OFF);
    }
}
