// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.litmus.syntax.Config;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.litmus.vocabulary.Survey;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Configurations that come from the command line and not from a test, and what is printed of them.
final class SurveyOptions {
    private static final long UNIT = 1024;
    private static final String UNITS = "KMGTPE";

    private SurveyOptions() {}

    /// A configuration and the text that mistakes in it are shown in.
    record Asked(Source source, Config config) {}

    /// The settings for one architecture, with those of `config` over them.
    static Asked asked(String architecture, Map<String, String> config) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("arch", architecture);
        settings.putAll(config);
        StringBuilder text = new StringBuilder();
        List<Config.Entry> entries = new ArrayList<>();
        settings.forEach(
                (key, value) -> {
                    text.append(text.isEmpty() ? "" : " ");
                    int pos = text.length();
                    text.append(key).append('=');
                    entries.add(new Config.Entry(pos, key, text.length(), value));
                    text.append(value);
                });
        return new Asked(Source.of("--config", text.toString()), new Config(entries));
    }

    /// The architectures that are asked for: one, or all.
    static List<String> names(Survey survey, @Nullable String name) {
        return name == null ? survey.architectures() : List.of(name);
    }

    /// A number of bytes as the kernel writes it, such as `64K` or `2M`.
    static String size(long bytes) {
        if (bytes < UNIT) {
            return Long.toString(bytes);
        }
        long left = bytes;
        int unit = -1;
        while (left % UNIT == 0 && unit + 1 < UNITS.length()) {
            left /= UNIT;
            unit++;
        }
        return left + UNITS.substring(unit, unit + 1);
    }

    /// The settings in the form of a `config` line; `-` where there are none.
    static String text(Map<String, String> config) {
        return config.isEmpty()
                ? "-"
                : config.entrySet().stream()
                        .map(setting -> setting.getKey() + "=" + setting.getValue())
                        .collect(Collectors.joining(" "));
    }
}
