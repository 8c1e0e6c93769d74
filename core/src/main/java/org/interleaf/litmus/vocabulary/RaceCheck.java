// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.vocabulary;

import org.interleaf.litmus.syntax.Config;
import org.interleaf.litmus.syntax.Names;
import org.interleaf.litmus.syntax.Source;

import java.util.Arrays;
import java.util.List;

/// Which data races to look for: `config kcsan=…`.
public enum RaceCheck {
    /// None.
    NO("no"),
    /// Every pair of which one access is plain, as with `CONFIG_KCSAN_STRICT`.
    YES("yes"),
    /// Plain stores count as marked, as with `CONFIG_KCSAN_ASSUME_PLAIN_WRITES_ATOMIC`.
    ATOMIC_WRITES("atomic-writes");

    /// The key in the configuration.
    public static final String KEY = "kcsan";

    private final String word;

    RaceCheck(String word) {
        this.word = word;
    }

    /// What a test asks for.
    ///
    /// @throws org.interleaf.litmus.syntax.LitmusException if the value is none of these
    public static RaceCheck read(Source source, Config config) {
        Config.Entry entry = config.entry(KEY);
        if (entry == null) {
            return NO;
        }
        for (RaceCheck each : values()) {
            if (each.word.equals(entry.value())) {
                return each;
            }
        }
        List<String> words = Arrays.stream(values()).map(each -> each.word).toList();
        throw entry.errorInValue(
                source,
                "unknown value `" + entry.value() + "` of `" + KEY + "`",
                Names.hint(entry.value(), words, "known are " + String.join(", ", words)));
    }
}
