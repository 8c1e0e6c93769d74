// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.experiment;

import org.interleaf.explore.Exploration;

import java.util.List;

/// What exploring an experiment came to.
///
/// @param explored what was covered. Where that is not complete, an empty list of failures says
///   nothing
/// @param failures each kind of failure once, in the order of their appearance
public record Report(Exploration explored, List<Failure> failures) {
    /// Whether every execution was seen, and none fails.
    public boolean proven() {
        return explored.complete() && failures.isEmpty();
    }
}
