// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

/// How a trace is to look.
///
/// @param width characters in a line
/// @param allSteps whether to show the steps too that do not bear on how the execution ended
public record TraceStyle(int width, boolean allSteps, Ansi ansi) {
    /// For a mail or a commit message: 100 columns, the steps that matter, no colour.
    public static final TraceStyle PLAIN = new TraceStyle(100, false, Ansi.OFF);

    public TraceStyle withAllSteps(boolean newAllSteps) {
        return new TraceStyle(width, newAllSteps, ansi);
    }

    public TraceStyle withWidth(int newWidth) {
        return new TraceStyle(newWidth, allSteps, ansi);
    }

    public TraceStyle withAnsi(Ansi newAnsi) {
        return new TraceStyle(width, allSteps, newAnsi);
    }
}
