// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import org.interleaf.trace.Verdict;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads the lines above a diff.
final class HeaderReader {
    private static final Pattern DECLARATION = Pattern.compile("([A-Za-z][A-Za-z-]*):(.*)");

    /// What the declarations are called, and how people get the names wrong. A declaration that is
    /// taken for a line of the story would be a test that tests nothing.
    private static final Map<String, Pattern> NEARLY = new LinkedHashMap<>();

    static {
        NEARLY.put("Test", nearly("tests?"));
        NEARLY.put("After", nearly("after|before|base"));
        NEARLY.put("Expect-splat", nearly("ex[pc]e[pc]t(ed|s)?[-_]?s.*|splats?"));
        NEARLY.put("Expect", nearly("ex[pc]e[pc]t(ed|s|ation)?|results?"));
        NEARLY.put("Config", nearly("confi?gs?|configuration"));
        NEARLY.put("Control", nearly("controls?|contol|cotrol"));
    }

    private final String patch;
    private final List<String> story = new ArrayList<>();
    private final List<String> after = new ArrayList<>();
    private final List<String> expectSplats = new ArrayList<>();
    private final List<Map<String, String>> controls = new ArrayList<>();
    private @Nullable String test;
    private @Nullable Verdict expect;
    private @Nullable Map<String, String> config;

    HeaderReader(String patch) {
        this.patch = patch;
    }

    private static Pattern nearly(String regex) {
        return Pattern.compile(regex, Pattern.CASE_INSENSITIVE);
    }

    PatchHeader read(List<String> lines) {
        for (int i = 0; i < lines.size(); i++) {
            Matcher declaration = DECLARATION.matcher(lines.get(i));
            if (!declaration.matches()
                    || !declare(declaration.group(1), declaration.group(2).strip(), i + 1)) {
                story.add(lines.get(i));
            }
        }
        return new PatchHeader(
                String.join("\n", story).strip(),
                test,
                List.copyOf(after),
                expect,
                List.copyOf(expectSplats),
                config == null ? Map.of() : config,
                List.copyOf(controls));
    }

    /// Whether `key` is a declaration; then it has been noted.
    private boolean declare(String key, String value, int line) {
        switch (key) {
            case "Test" -> declareTest(value, line);
            case "After" -> declareAfter(value, line);
            case "Expect" -> declareExpect(value, line);
            case "Expect-splat" -> expectSplats.add(notEmpty(key, value, line));
            case "Config" -> declareConfig(value, line);
            case "Control" -> controls.add(settings(key, value, line));
            default -> {
                rejectNearMiss(key, line);
                return false;
            }
        }
        return true;
    }

    private void declareTest(String value, int line) {
        if (test != null) {
            throw PatchException.at(patch, line, "a second Test: line", "leave one of them");
        }
        if (!value.matches("[\\w.+-]+\\.litmus")) {
            throw PatchException.at(
                    patch,
                    line,
                    "Test: '" + value + "' is no test",
                    "name a .litmus file beside the patch, as in Test: zap.litmus");
        }
        test = value;
    }

    private void declareAfter(String value, int line) {
        for (String name : value.split("\\s+", -1)) {
            if (!name.matches("[\\w.+-]+\\.patch")) {
                throw PatchException.at(
                        patch,
                        line,
                        "After: '" + name + "' is no patch",
                        "name .patch files beside the patch, as in After: posted.patch");
            }
            after.add(name);
        }
    }

    private void declareExpect(String value, int line) {
        if (expect != null) {
            throw PatchException.at(patch, line, "a second Expect: line", "leave one of them");
        }
        expect = Verdict.declared(value);
        if (expect == null) {
            throw PatchException.at(
                    patch,
                    line,
                    "unknown expectation '" + value + "'",
                    "write Expect: Never, Expect: Sometimes or Expect: Always");
        }
    }

    private void declareConfig(String value, int line) {
        if (config != null) {
            throw PatchException.at(
                    patch, line, "a second Config: line", "write all settings in one line");
        }
        config = settings("Config", value, line);
    }

    private String notEmpty(String key, String value, int line) {
        if (value.isEmpty()) {
            throw PatchException.at(
                    patch,
                    line,
                    "nothing follows " + key + ":",
                    "write words of the splat's title, as in Expect-splat: WARNING try_grab_folio");
        }
        return value;
    }

    private Map<String, String> settings(String key, String value, int line) {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String setting : value.split("\\s+", -1)) {
            int equals = setting.indexOf('=');
            if (equals < 1 || equals == setting.length() - 1) {
                throw PatchException.at(
                        patch,
                        line,
                        key + ": '" + setting + "' is not a setting",
                        "write key=value, several of them with blanks between, as in "
                                + key
                                + ": arch=arm64-4k tlb=broadcast");
            }
            String name = setting.substring(0, equals);
            if (settings.put(name, setting.substring(equals + 1)) != null) {
                throw PatchException.at(
                        patch, line, key + ": " + name + " is set twice", "leave one of them");
            }
        }
        return Collections.unmodifiableMap(settings);
    }

    private void rejectNearMiss(String key, int line) {
        for (var known : NEARLY.entrySet()) {
            if (known.getValue().matcher(key).matches()) {
                throw PatchException.at(
                        patch,
                        line,
                        "unknown declaration '" + key + ":'",
                        "did you mean " + known.getKey() + ":?");
            }
        }
    }
}
