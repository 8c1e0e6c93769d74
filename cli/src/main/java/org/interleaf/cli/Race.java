// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.interleaf.patch.PatchHeader;
import org.interleaf.patch.PatchSeries;
import org.interleaf.run.RunOptions;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/// A race of the corpus: a folder with tests, and patches that put bugs back or try remedies.
record Race(Path folder, String name, List<Variant> variants) {
    private static final String TEST = "race.litmus";
    private static final String TEST_SUFFIX = ".litmus";
    private static final String PATCH_SUFFIX = ".patch";

    /// A run of a test.
    ///
    /// @param test the test's file
    /// @param patches the changes to the model, of which the last one says what is expected; none
    ///   for the model as it is
    /// @param config the configuration over that of the test
    record Variant(
            Path test, List<ModelPatch> patches, Map<String, String> config, Expected expected) {
        /// The patch that the variant is about, or null where it is the model as it is.
        @Nullable ModelPatch patch() {
            return patches.isEmpty() ? null : patches.getLast();
        }

        /// What the variant is called: the patch's file, or `mainline` and the test, if there are
        /// several.
        String label() {
            ModelPatch patch = patch();
            if (patch != null) {
                return String.valueOf(Path.of(patch.name()).getFileName());
            }
            String file = String.valueOf(test.getFileName());
            return file.equals(TEST) ? "mainline" : "mainline " + file;
        }

        RunOptions options() {
            return RunOptions.DEFAULT.withPatches(patches).withConfig(config);
        }
    }

    /// Reads the race in `folder`: every test on the model as it is and in each configuration of
    /// its `Control:` lines, `race.litmus` first, then for each patch, by name, what its header
    /// says.
    ///
    /// @throws BadInput if something is missing
    /// @throws org.interleaf.litmus.syntax.LitmusException if a test is wrong
    /// @throws org.interleaf.patch.PatchException if a patch is wrong
    static Race read(Path folder) {
        Path main = folder.resolve(TEST);
        if (!Files.isRegularFile(main)) {
            throw new BadInput(folder + ": no " + TEST, "a race consists of a test and patches");
        }
        List<Variant> variants = new ArrayList<>();
        addVariants(variants, main);
        for (Path test : files(folder, TEST_SUFFIX)) {
            if (!test.equals(main)) {
                addVariants(variants, test);
            }
        }
        for (Path patch : files(folder, PATCH_SUFFIX)) {
            addVariants(variants, folder, PatchSeries.read(List.of(patch)));
        }
        return new Race(folder, String.valueOf(folder.getFileName()), List.copyOf(variants));
    }

    private static void addVariants(List<Variant> variants, Path file) {
        LitmusTest test = LitmusTest.parse(Source.read(file));
        Expected expected = Expected.of(test.expectation());
        if (expected.isNothing()) {
            throw new BadInput(
                    file + ": declares no result",
                    "write `Result: Never` in the comment at its beginning");
        }
        variants.add(new Variant(file, List.of(), Map.of(), expected));
        for (Map<String, String> control : ControlLines.of(test.source())) {
            variants.add(new Variant(file, List.of(), control, expected));
        }
    }

    private static void addVariants(List<Variant> variants, Path folder, List<ModelPatch> patches) {
        ModelPatch patch = patches.getLast();
        PatchHeader header = patch.header();
        Expected expected = Expected.of(header);
        if (expected.isNothing()) {
            throw new BadInput(
                    patch.name() + ": does not say what is to be found",
                    "write `Expect: Sometimes` or another expectation above the diff");
        }
        Path test = folder.resolve(Objects.requireNonNullElse(header.test(), TEST));
        if (!Files.isRegularFile(test)) {
            throw new BadInput(
                    patch.name() + ": is for " + test.getFileName() + ", which is not there",
                    "a Test: line names a file beside the patch");
        }
        variants.add(new Variant(test, patches, PatchSeries.config(patches), expected));
        for (Map<String, String> control : header.controls()) {
            variants.add(new Variant(test, patches, control, Expected.NOTHING_FOUND));
        }
    }

    private static List<Path> files(Path folder, String suffix) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
        } catch (IOException e) {
            throw new BadInput(folder + ": cannot be read: " + e.getMessage(), "check its rights");
        }
    }
}
