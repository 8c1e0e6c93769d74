// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.report.Ansi.Ink;
import org.interleaf.trace.Violation;

import java.util.regex.Pattern;

/// A violation in the form in which a kernel would print it.
public final class Splat {
    private static final String CUT_HERE = "------------[ cut here ]------------";
    private static final Pattern PLACE =
            Pattern.compile("(Allocated|Freed|Taken) by (the set-up|\\S+ on CPU )");
    private static final String END_TRACE = "---[ end trace ]---";
    private static final String SANITIZER_RULE = "=".repeat(66);

    private final Violation violation;
    private final Ansi ansi;
    private final StringBuilder out = new StringBuilder();

    private Splat(Violation violation, Ansi ansi) {
        this.violation = violation;
        this.ansi = ansi;
    }

    /// The splat, ending in a newline.
    public static String render(Violation violation, Ansi ansi) {
        return new Splat(violation, ansi).render();
    }

    private String render() {
        if (violation.kind().startsWith("BUG: KASAN")) {
            kasan();
        } else if (violation.kind().equals(Violation.DATA_RACE)) {
            kcsan();
        } else if (violation.kind().equals("WARNING") || violation.kind().equals("BUG")) {
            cutHere();
        } else {
            plain();
        }
        return out.toString();
    }

    /// As `WARN_ON()` and `BUG_ON()` print it.
    private void cutHere() {
        line(CUT_HERE);
        boolean warning = violation.kind().equals("WARNING");
        title(
                warning
                        ? "WARNING: " + cpu() + at(" at ")
                        : "kernel BUG" + at(" at ") + "! (" + cpu() + ")");
        text();
        callTrace();
        details();
        line(END_TRACE);
    }

    /// As the kernel's memory sanitizer prints it.
    private void kasan() {
        line(SANITIZER_RULE);
        title(violation.kind() + (violation.where().isEmpty() ? "" : " in " + violation.where()));
        text();
        line("");
        line(cpu());
        callTrace();
        details();
        line(SANITIZER_RULE);
    }

    /// As the kernel's concurrency sanitizer prints it, both sides with their stacks.
    private void kcsan() {
        line(SANITIZER_RULE);
        title(violation.kind() + " in " + violation.where());
        line("");
        violation.details().forEach(this::line);
        line("");
        line("Reported by Kernel Concurrency Sanitizer on:");
        line(cpu());
        line(SANITIZER_RULE);
    }

    /// As most others print it: lockdep, the scheduler, the watchdog.
    private void plain() {
        title(violation.kind() + at(" at "));
        text();
        line(cpu());
        callTrace();
        details();
    }

    private void title(String title) {
        out.append(ansi.paint(Ink.BAD, title)).append('\n');
    }

    private void line(String text) {
        out.append(text).append('\n');
    }

    private void text() {
        if (!violation.text().isEmpty()) {
            line(violation.text());
        }
    }

    private String cpu() {
        return "CPU: " + violation.cpu() + " PID: " + violation.task();
    }

    private String at(String preposition) {
        if (violation.ofLocks()) {
            return "";
        }
        String place = (violation.source() + " " + violation.where()).strip();
        return place.isEmpty() ? "" : preposition + place;
    }

    private void callTrace() {
        if (violation.callTrace().isEmpty()) {
            return;
        }
        line("Call Trace:");
        line(" <TASK>");
        violation.callTrace().forEach(function -> line(" " + function));
        line(" </TASK>");
    }

    /// What tells where something was done, as `Freed by P0 on CPU 0: f <- g`, is set as a block of
    /// its own, one function a line.
    private void details() {
        for (String detail : violation.details()) {
            if (PLACE.matcher(detail).lookingAt()) {
                history(detail);
            } else {
                line(detail);
            }
        }
    }

    private void history(String detail) {
        line("");
        int colon = detail.indexOf(": ");
        if (colon < 0) {
            line(detail);
            return;
        }
        line(detail.substring(0, colon + 1));
        for (String function : detail.substring(colon + 2).split(" <- ", -1)) {
            line(" " + function);
        }
    }
}
