// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.vocabulary;

import org.interleaf.litmus.syntax.Config;
import org.interleaf.litmus.syntax.Source;

/// How many rounds that change memory a loop may make: `config rounds=…`. What goes further is cut.
public final class LoopRounds {
    /// The key in the configuration.
    public static final String KEY = "rounds";

    /// Where nothing is said: more than any loop needs that comes to an end.
    public static final int DEFAULT = 16;

    private static final int MAX = 1000;

    private LoopRounds() {}

    /// What a test asks for.
    ///
    /// @throws org.interleaf.litmus.syntax.LitmusException if the value is no number of rounds
    public static int read(Source source, Config config) {
        Config.Entry entry = config.entry(KEY);
        if (entry == null) {
            return DEFAULT;
        }
        int rounds = 0;
        if (entry.value().matches("[0-9]{1,4}")) {
            rounds = Integer.parseInt(entry.value());
        }
        if (rounds < 1 || rounds > MAX) {
            throw entry.errorInValue(
                    source,
                    "`" + entry.value() + "` is no number of rounds",
                    "write a number from 1 to " + MAX);
        }
        return rounds;
    }
}
