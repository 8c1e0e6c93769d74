// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Recording;
import org.interleaf.trace.Step;

import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Finds the steps of an execution that no other task could have noticed, and that told their own
/// task nothing.
///
/// While a task goes uninterrupted, what it does to one location is seen by others only as a whole:
/// they find what it left there. So of those steps the first counts, which says what was there, and
/// the first and the last that wrote, if the last left something else: the first ends what others
/// may have seen. Where all was put back, as by taking a lock and giving it back, a first step that
/// only looked still counts, unless it finds what the task itself left there when it last went, and
/// nobody touched since. A second look at what others wrote counts: that it saw no change may be
/// the point.
final class Unnoticed {
    private final BitSet steps = new BitSet();

    /// For each location, the task whose write was the end of the last run that touched it.
    private final Map<String, String> leftBy = new HashMap<>();

    private Unnoticed() {}

    /// The numbers of such steps in `recording`. Steps in which something was found are not among
    /// them.
    static BitSet in(Recording recording) {
        Unnoticed unnoticed = new Unnoticed();
        List<Step> all = recording.steps();
        int start = 0;
        for (int i = 1; i <= all.size(); i++) {
            if (i == all.size() || !all.get(i).task().equals(all.get(start).task())) {
                unnoticed.addRun(all.subList(start, i));
                start = i;
            }
        }
        recording.violations().stream()
                .filter(violation -> violation.step() >= 0)
                .forEach(violation -> unnoticed.steps.clear(violation.step()));
        return unnoticed.steps;
    }

    private void addRun(List<Step> run) {
        Map<String, Step> first = new LinkedHashMap<>();
        Map<String, Step> firstWrite = new LinkedHashMap<>();
        Map<String, Step> lastWrite = new LinkedHashMap<>();
        for (Step step : run) {
            steps.set(step.number());
            first.putIfAbsent(step.location(), step);
            if (step.wrote()) {
                firstWrite.putIfAbsent(step.location(), step);
                lastWrite.put(step.location(), step);
            }
        }
        first.forEach(
                (location, step) -> {
                    Step last = lastWrite.get(location);
                    boolean changed = last != null && !last.after().equals(step.before());
                    boolean known = step.task().equals(leftBy.get(location));
                    leftBy.put(location, last == null ? "" : step.task());
                    if (step.wrote() ? changed : !known) {
                        steps.clear(step.number());
                    }
                    if (changed) {
                        steps.clear(Objects.requireNonNull(firstWrite.get(location)).number());
                        steps.clear(Objects.requireNonNull(last).number());
                    }
                });
    }
}
