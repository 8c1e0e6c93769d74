// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.report.Breaks.Break;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Step;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/// What of an execution is shown, and what is said of it.
final class Shown {
    /// Of so many steps of one task in a row all are shown.
    private static final int RUN_MAX = 12;

    /// Of more so many at the beginning and at the end.
    private static final int RUN_ENDS = 4;

    private final Recording recording;
    private final BitSet steps;
    private final @Nullable Break broken;

    private Shown(Recording recording, boolean all) {
        this.recording = recording;
        BitSet slice = Slice.of(recording);
        this.broken = Breaks.first(select(slice)).orElse(null);
        this.steps = slice;
        if (all) {
            steps.set(0, recording.steps().size());
        }
    }

    /// @param all whether every step is to be shown
    static Shown of(Recording recording, boolean all) {
        return new Shown(recording, all);
    }

    private List<Step> select(BitSet numbers) {
        return recording.steps().stream().filter(step -> numbers.get(step.number())).toList();
    }

    /// The steps to show, in order.
    List<Step> steps() {
        return select(steps);
    }

    boolean contains(Step step) {
        return steps.get(step.number());
    }

    /// What there is to say of `step`: what was found in it or in what its task did after it, and
    /// which assumption it breaks.
    List<String> marks(Step step) {
        List<String> marks = new ArrayList<>();
        if (broken != null && broken.step().equals(step)) {
            marks.add(broken.text());
        }
        marks.addAll(found(step));
        return marks;
    }

    /// What was found in `step` or in what its task did after it.
    List<String> found(Step step) {
        return recording.violations().stream()
                .filter(violation -> violation.step() == step.number())
                .map(Violation::kind)
                .toList();
    }

    /// How many steps are left out after each shown one, by their order: 0 for most. Those that are
    /// left out are shown no longer.
    int[] fold() {
        List<Step> all = steps();
        int[] folded = new int[all.size()];
        int start = 0;
        for (int i = 1; i <= all.size(); i++) {
            if (i == all.size() || !all.get(i).task().equals(all.get(start).task())) {
                foldRun(all, start, i, folded);
                start = i;
            }
        }
        return folded;
    }

    private void foldRun(List<Step> all, int start, int end, int[] folded) {
        if (end - start <= RUN_MAX) {
            return;
        }
        int last = start + RUN_ENDS - 1;
        for (int i = start + RUN_ENDS; i < end - RUN_ENDS; i++) {
            if (marks(all.get(i)).isEmpty()) {
                folded[last]++;
                steps.clear(all.get(i).number());
            } else {
                last = i;
            }
        }
    }
}
