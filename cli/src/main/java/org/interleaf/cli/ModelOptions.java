// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.patch.ModelPatch;
import org.interleaf.patch.PatchHeader;
import org.interleaf.patch.PatchSeries;
import org.interleaf.run.RunOptions;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The options that say on which model a test is run.
final class ModelOptions {
    /// The memory models that there are.
    enum MemoryModel {
        SC
    }

    @Option(
            names = "--patch",
            paramLabel = "FILE",
            description = {
                "Change the model first: a diff of core/src/main/java/org/interleaf/mm, as"
                        + " `git diff` prints it. Its header may say what to expect and with which"
                        + " configuration to run. May be given several times."
            })
    private List<Path> patchFiles = List.of();

    @Option(
            names = "--config",
            paramLabel = "KEY=VALUE",
            description = {
                "Override the test's config line, and all that headers of patches say. May be given"
                        + " several times."
            })
    private Map<String, String> config = new LinkedHashMap<>();

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            converter = Converters.Model.class,
            description = "The memory model: sc, sequential consistency. Default: sc.")
    private MemoryModel memoryModel = MemoryModel.SC;

    private @Nullable List<ModelPatch> patches;

    /// The patches, read and checked.
    ///
    /// @throws org.interleaf.patch.PatchException if one of them is none
    List<ModelPatch> patches() {
        if (patches == null) {
            patches = PatchSeries.read(patchFiles);
        }
        return patches;
    }

    /// The configuration over that of the test: what the command line says, or if it says nothing,
    /// what the patches say.
    Map<String, String> config() {
        if (!config.isEmpty()) {
            return config;
        }
        return PatchSeries.config(patches());
    }

    /// How to run a test. `sc` is what the machine does, and needs no saying.
    RunOptions runOptions() {
        return switch (memoryModel) {
            case SC -> RunOptions.DEFAULT.withPatches(patches()).withConfig(config());
        };
    }

    /// What is declared for `test` on this model: by the last patch that declares something, if it
    /// is run as that patch says, else by the test itself.
    Expected expected(LitmusTest test) {
        for (ModelPatch patch : patches().reversed()) {
            PatchHeader header = patch.header();
            if (!Expected.of(header).isNothing()) {
                if (config().equals(PatchSeries.config(patches()))) {
                    return Expected.of(header);
                }
                if (header.controls().contains(config())) {
                    return Expected.NOTHING_FOUND;
                }
                break;
            }
        }
        return Expected.of(test.expectation());
    }
}
