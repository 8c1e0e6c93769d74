// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.run.Answer;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The lines of `interleaf races`, aligned: the widths are known before the first race has run.
final class RaceTable {
    private static final List<String> TITLES = List.of("race", "variant", "config");

    /// Splats that a line has room for.
    private static final int SPLATS_MAX = 2;

    private static final String NUMBERS = "%12s %8s";

    private final int[] widths = new int[TITLES.size()];

    RaceTable(List<Race> races) {
        widen(TITLES);
        for (Race race : races) {
            for (Race.Variant variant : race.variants()) {
                widen(texts(race, variant));
            }
        }
    }

    private void widen(List<String> texts) {
        for (int i = 0; i < widths.length; i++) {
            widths[i] = Math.max(widths[i], texts.get(i).length());
        }
    }

    private static List<String> texts(Race race, Race.Variant variant) {
        return List.of(race.name(), variant.label(), config(variant.config()));
    }

    /// A configuration in a few words.
    static String config(Map<String, String> config) {
        String text =
                config.entrySet().stream()
                        .map(setting -> setting.getKey() + "=" + setting.getValue())
                        .collect(Collectors.joining(" "));
        return text.isEmpty() ? "-" : text;
    }

    /// The titles of the columns.
    String header() {
        return line(TITLES, NUMBERS.formatted("executions", "seconds")) + "    found";
    }

    /// The line of a variant up to its judgement; `answer` is null where there is none.
    String row(Race race, Race.Variant variant, @Nullable Answer answer) {
        String numbers =
                answer == null
                        ? NUMBERS.formatted("-", "-")
                        : NUMBERS.formatted(
                                Numbers.grouped(answer.exploration().executions()),
                                Numbers.seconds(answer.exploration()));
        return line(texts(race, variant), numbers);
    }

    private String line(List<String> texts, String numbers) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            line.append(texts.get(i))
                    .append(" ".repeat(Math.max(0, widths[i] - texts.get(i).length())));
            line.append("  ");
        }
        return line.append(numbers).append("  ").toString();
    }

    /// What was found, in the words of what is expected where they fit.
    static String found(Expected expected, Answer answer) {
        List<String> parts = new ArrayList<>();
        parts.add(answer.verdict().word());
        for (Violation violation : answer.violations()) {
            String declared = expected.declared(violation);
            String part = declared == null ? violation.title() : declared;
            if (!parts.contains(part)) {
                parts.add(part);
            }
        }
        int more = parts.size() - 1 - SPLATS_MAX;
        if (more > 0) {
            parts.subList(1 + SPLATS_MAX, parts.size()).clear();
            parts.add(more + " more");
        }
        return String.join(" + ", parts);
    }
}
