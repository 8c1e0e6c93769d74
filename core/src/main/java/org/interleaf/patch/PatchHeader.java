// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import org.interleaf.trace.Verdict;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/// What stands above the diff: the story, and what must be found with the patch.
///
/// @param story every line that is not one of the declarations below
/// @param test the file of the test to run (`Test:`), beside the patch; null for `race.litmus`
/// @param after the patches to be applied before (`After:`), beside the patch, in this order
/// @param expect how often the test's condition must hold (`Expect:`), or null where nothing is
///   declared
/// @param expectSplats for each splat that must be found (`Expect-splat:`) the words that its title
///   must contain
/// @param config the configuration to run with (`Config:`), over the test's own
/// @param controls configurations (`Control:`), each over the test's own, with which nothing may be
///   found
public record PatchHeader(
        String story,
        @Nullable String test,
        List<String> after,
        @Nullable Verdict expect,
        List<String> expectSplats,
        Map<String, String> config,
        List<Map<String, String>> controls) {}
