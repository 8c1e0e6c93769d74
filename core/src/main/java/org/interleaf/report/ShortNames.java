// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Step;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Names as one writes them where it is clear what is meant: without numbers where there is only
/// one such thing in the story, with letters where there are several; `*pte` for an entry.
final class ShortNames {
    private static final Pattern ENTRY =
            Pattern.compile("(p[a-z4]+d|pte)\\[(\\d+)\\] of table \\d+");
    private static final Pattern FRAME = Pattern.compile("\\b(page|folio|table) (\\d+)");
    private static final Pattern CONTENTS = Pattern.compile("page (\\d+)\\.word\\[\\d+\\]");
    private static final Pattern LEAF = Pattern.compile("((?:huge )?page(?: [A-Z])?) r?w?\\b.*");
    private static final int LETTERS = 26;

    private final Set<String> frames = new LinkedHashSet<>();
    private final Set<String> tables = new LinkedHashSet<>();
    private final Set<String> entries = new LinkedHashSet<>();

    /// The names of what `steps` touch and find.
    ShortNames(List<Step> steps) {
        for (Step step : steps) {
            Matcher entry = ENTRY.matcher(step.location());
            if (entry.matches()) {
                entries.add(entry.group(1) + " " + step.location());
            } else {
                note(step.location());
            }
            note(step.before());
            note(step.after());
        }
    }

    private void note(String text) {
        Matcher frame = FRAME.matcher(text);
        while (frame.find()) {
            (frame.group(1).equals("table") ? tables : frames).add(frame.group(2));
        }
    }

    /// What was touched.
    String location(Step step) {
        String location = step.location();
        Matcher entry = ENTRY.matcher(location);
        if (entry.matches()) {
            String level = entry.group(1);
            long alike = entries.stream().filter(e -> e.startsWith(level + " ")).count();
            return "*" + level + (alike > 1 ? "[" + entry.group(2) + "]" : "");
        }
        Matcher contents = CONTENTS.matcher(location);
        if (contents.matches()) {
            return frame("page", contents.group(1));
        }
        int dot = location.indexOf('.');
        if (location.startsWith("folio ") && dot > 0) {
            return frames(location.substring(0, dot)) + "->" + location.substring(dot + 1);
        }
        return location.substring(location.lastIndexOf('.') + 1);
    }

    /// Whether it is contents of memory, of which the value says little.
    static boolean isContents(Step step) {
        return CONTENTS.matcher(step.location()).matches();
    }

    /// What was found or left there.
    String value(String text) {
        String named = frames(text);
        Matcher leaf = LEAF.matcher(named);
        return leaf.matches() ? leaf.group(1) : named;
    }

    private String frames(String text) {
        return FRAME.matcher(text).replaceAll(m -> frame(m.group(1), m.group(2)));
    }

    private String frame(String kind, String number) {
        Set<String> all = kind.equals("table") ? tables : frames;
        int index = List.copyOf(all).indexOf(number);
        if (all.size() <= 1 || index < 0) {
            return kind;
        }
        return kind + " " + (index < LETTERS ? String.valueOf((char) ('A' + index)) : number);
    }
}
