// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.util.List;
import java.util.stream.Collectors;

/// A kernel model whose sources were patched, compiled in memory and loaded beside the clean one.
public final class PatchedModel {
    private final List<ModelPatch> patches;
    private final ClassLoader classLoader;

    private PatchedModel(List<ModelPatch> patches, ClassLoader classLoader) {
        this.patches = patches;
        this.classLoader = classLoader;
    }

    /// Patches the model that this program carries.
    ///
    /// @param patches the patches, applied in this order
    /// @throws PatchException if one of them does not apply, or the result does not compile
    public static PatchedModel load(List<ModelPatch> patches) {
        return load(PatchScope.MODEL, patches);
    }

    /// The same for another part of the program.
    ///
    /// @throws PatchException if one of the patches does not apply, or the result does not compile
    public static PatchedModel load(PatchScope scope, List<ModelPatch> patches) {
        return load(
                patches,
                ModelSources.shipped(scope),
                System.getProperty("java.class.path"),
                PatchedModel.class.getClassLoader());
    }

    /// Patches the model whose sources are `sources` and whose classes `parent` loads.
    ///
    /// @param classPath where the compiler finds these classes and all others
    static PatchedModel load(
            List<ModelPatch> patches, ModelSources sources, String classPath, ClassLoader parent) {
        PatchedSources patched = new PatchedSources(sources);
        patches.forEach(patched::apply);
        String names = patches.stream().map(ModelPatch::name).collect(Collectors.joining(", "));
        var builder =
                new ModelBuilder(
                        patched, new ModelCompiler(sources.scope(), names, classPath), parent);
        return new PatchedModel(List.copyOf(patches), builder.build());
    }

    /// Loads the patched model; all that is not part of the model comes from the clean program.
    public ClassLoader classLoader() {
        return classLoader;
    }

    /// The patches, in the order in which they were applied.
    public List<ModelPatch> patches() {
        return patches;
    }
}
