// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Patches that build on others: the `After:` lines of a patch name those that come first.
public final class PatchSeries {
    private PatchSeries() {}

    /// Reads patches, each behind those that it builds on, and none twice.
    ///
    /// @throws PatchException if one cannot be read, is no patch of the model, or builds on itself
    public static List<ModelPatch> read(List<Path> files) {
        Map<Path, ModelPatch> series = new LinkedHashMap<>();
        for (Path file : files) {
            add(series, new ArrayDeque<>(), file, ModelPatch.read(file));
        }
        return List.copyOf(series.values());
    }

    /// @param open the patches that wait for this one
    private static void add(
            Map<Path, ModelPatch> series, Deque<Path> open, Path file, ModelPatch patch) {
        Path key = file.toAbsolutePath().normalize();
        open.push(key);
        for (String name : patch.header().after()) {
            Path before = file.resolveSibling(name);
            if (open.contains(before.toAbsolutePath().normalize())) {
                throw PatchException.ofFile(
                        patch.name(), "After: " + name + " leads back to it", "leave one of them");
            }
            add(series, open, before, ModelPatch.read(before));
        }
        open.pop();
        series.putIfAbsent(key, patch);
    }

    /// The configuration that patches ask for together; the last one has the last word.
    public static Map<String, String> config(List<ModelPatch> patches) {
        Map<String, String> merged = new LinkedHashMap<>();
        patches.forEach(patch -> merged.putAll(patch.header().config()));
        return merged;
    }
}
