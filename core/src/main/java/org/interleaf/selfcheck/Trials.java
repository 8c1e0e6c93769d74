// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.explore.Equivalence;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// What the program is put to the test with: random programs against brute force, and laws. Given
/// the name of a trial it says what is wrong, in a line; empty where nothing is.
///
/// It is a function of the Java library's so that a program with a bug in it, which is loaded
/// beside the sound one, can be asked through something that both know.
public final class Trials implements Function<String, String> {
    /// The trial by random programs.
    public static final String RANDOM_PROGRAMS = "random programs";

    private static final String PAGE_COUNTS = "page counts";
    private static final String IDENTICAL_TASKS = "identical tasks";
    private static final int PROGRAMS = 150;
    private static final int DOUBLED_PROGRAMS = 60;
    private static final int LINE_MAX = 60;

    /// The names of all trials.
    public static List<String> names() {
        List<String> names =
                new ArrayList<>(List.of(RANDOM_PROGRAMS, IDENTICAL_TASKS, PAGE_COUNTS));
        laws().forEach(law -> names.add(law.name()));
        return names;
    }

    private static List<Law> laws() {
        List<Law> laws = new ArrayList<>(LawsOfLocks.all());
        laws.addAll(LawsOfWaiting.all());
        laws.addAll(LawsOfMemory.all());
        laws.addAll(LawsOfSanitizers.all());
        laws.addAll(LawsOfRaces.all());
        return laws;
    }

    @Override
    public String apply(String name) {
        String problem = problem(name);
        String line = problem.lines().findFirst().orElse("");
        return line.length() > LINE_MAX ? line.substring(0, LINE_MAX) + "..." : line;
    }

    private static String problem(String name) {
        try {
            return switch (name) {
                case RANDOM_PROGRAMS -> randomPrograms();
                case IDENTICAL_TASKS -> identicalTasks();
                case PAGE_COUNTS -> LawsOfPages.broken();
                default -> law(name).broken();
            };
        } catch (AssertionError | RuntimeException e) {
            return e.getMessage() == null ? e.toString() : e.getMessage();
        }
    }

    private static Law law(String name) {
        return laws().stream()
                .filter(law -> law.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no trial is called " + name));
    }

    private static String randomPrograms() {
        for (long seed = 1; seed <= PROGRAMS; seed++) {
            Equivalence equivalence = Equivalence.values()[(int) seed % 2];
            String problem = CrossCheck.of(RandomProgram.of(seed), equivalence).problem();
            if (problem != null) {
                return "program " + seed + ": " + problem;
            }
        }
        return "";
    }

    private static String identicalTasks() {
        for (long seed = 1; seed <= DOUBLED_PROGRAMS; seed++) {
            Equivalence equivalence = Equivalence.values()[(int) seed % 2];
            String problem = SymmetryCheck.of(seed, equivalence).problem();
            if (problem != null) {
                return problem;
            }
        }
        return "";
    }
}
