// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Step;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The functions in which the steps of one task are made, without those between that only call one
/// other.
final class CallTree {
    private final Map<List<String>, Set<String>> callees = new HashMap<>();
    private final Set<List<String>> makers = new HashSet<>();

    private CallTree() {}

    static CallTree of(List<Step> steps) {
        CallTree tree = new CallTree();
        for (Step step : steps) {
            List<String> path = step.callTrace().reversed();
            for (int i = 1; i < path.size(); i++) {
                tree.callees
                        .computeIfAbsent(path.subList(0, i), x -> new HashSet<>())
                        .add(path.get(i));
            }
            tree.makers.add(path);
        }
        return tree;
    }

    /// The functions that `step` is made in, outermost first: that one, the innermost, and of those
    /// between them the ones in which there is more than that.
    List<String> path(Step step) {
        List<String> whole = step.callTrace().reversed();
        List<String> path = new ArrayList<>();
        for (int i = 0; i < whole.size(); i++) {
            List<String> self = whole.subList(0, i + 1);
            boolean forks = callees.getOrDefault(self, Set.of()).size() > 1;
            if (i == 0 || i == whole.size() - 1 || forks || makers.contains(self)) {
                path.add(whole.get(i));
            }
        }
        return path;
    }
}
