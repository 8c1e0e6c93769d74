// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.patch.ModelPatch;
import org.interleaf.run.RunOptions;
import org.interleaf.trace.Schedule;

import java.util.regex.Pattern;

/// The command that runs an execution again, ready to be pasted into a shell.
final class ReplayLine {
    private static final int COLUMNS = 76;
    private static final int SHORT_TOKEN = 40;
    private static final Pattern SAFE = Pattern.compile("[A-Za-z0-9_./:=+,@%-]+");

    private ReplayLine() {}

    /// The command; a long token has lines of its own and is broken inside its quotes.
    static String of(String file, RunOptions options, Schedule schedule) {
        StringBuilder line = new StringBuilder("./interleaf replay ").append(quote(file));
        for (ModelPatch patch : options.patches()) {
            line.append(" --patch ").append(quote(patch.name()));
        }
        options.config()
                .forEach(
                        (key, value) -> line.append(" --config ").append(quote(key + "=" + value)));
        String token = "'" + schedule + "'";
        line.append(token.length() <= SHORT_TOKEN ? " " : " \\\n");
        while (token.length() > COLUMNS) {
            int cut = token.lastIndexOf('.', COLUMNS - 1) + 1;
            cut = cut > 0 ? cut : COLUMNS;
            line.append(token, 0, cut).append('\n');
            token = token.substring(cut);
        }
        return line.append(token).toString();
    }

    private static String quote(String word) {
        return SAFE.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
