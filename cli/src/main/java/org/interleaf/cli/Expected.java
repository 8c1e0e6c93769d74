// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.litmus.syntax.Expectation;
import org.interleaf.patch.PatchHeader;
import org.interleaf.trace.Verdict;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// What a test or a patch declares to come out.
///
/// @param verdict how often the condition holds, or null where nothing is declared
/// @param splats for each declared splat, the words that its title must contain
record Expected(@Nullable Verdict verdict, List<String> splats) {
    /// What is declared where nothing may be found.
    static final Expected NOTHING_FOUND = new Expected(Verdict.NEVER, List.of());

    private static final String DEADLOCK = "DEADLOCK";

    /// What the comments of a test declare. A deadlock is declared as a result, as the kernel's
    /// tests do, and found as a splat.
    static Expected of(Expectation declared) {
        List<String> splats = new ArrayList<>();
        Expectation.Result result = declared.result();
        if (result == Expectation.Result.DEADLOCK) {
            splats.add(DEADLOCK);
        }
        for (Expectation.Splat splat : declared.splats()) {
            splats.add((splat.kind() + " " + splat.where()).strip());
        }
        Verdict verdict = result == null ? null : Verdict.declared(result.word());
        return new Expected(verdict, List.copyOf(splats));
    }

    /// What the header of a patch declares.
    static Expected of(PatchHeader header) {
        return new Expected(header.expect(), header.expectSplats());
    }

    /// Whether nothing is declared.
    boolean isNothing() {
        return verdict == null && splats.isEmpty();
    }

    /// The declared splat that `violation` is, or null. Where a deadlock is declared, so is the
    /// order of locks that leads to it.
    @Nullable String declared(Violation violation) {
        for (String splat : splats) {
            if (matches(splat, violation)) {
                return splat;
            }
        }
        return violation.ofLocks() && splats.contains(DEADLOCK) ? DEADLOCK : null;
    }

    static boolean matches(String splat, Violation violation) {
        for (String word : splat.split("\\s+", -1)) {
            if (!violation.title().contains(word)) {
                return false;
            }
        }
        return true;
    }

    /// In a few words, such as `Never + KASAN gup_fast_pte_range`.
    @Override
    public String toString() {
        List<String> parts = new ArrayList<>();
        if (verdict != null) {
            parts.add(verdict.word());
        }
        parts.addAll(splats);
        return parts.isEmpty() ? "-" : String.join(" + ", parts);
    }
}
