// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.interleaf.patch.PatchHeader;
import org.interleaf.run.RunOptions;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// A race of the corpus: a folder with a test, and patches that put bugs back or try remedies.
///
/// @param test the test's file
record Race(String name, Path test, List<Variant> variants) {
    private static final String TEST = "race.litmus";
    private static final String SUFFIX = ".patch";

    /// A run of the test.
    ///
    /// @param patch the change to the model, or null for the model as it is
    /// @param config the configuration over that of the test
    record Variant(@Nullable ModelPatch patch, Map<String, String> config, Expected expected) {
        /// What the variant is called: the patch's file, or `mainline`.
        String label() {
            return patch == null ? "mainline" : String.valueOf(Path.of(patch.name()).getFileName());
        }

        RunOptions options() {
            return RunOptions.DEFAULT
                    .withPatches(patch == null ? List.of() : List.of(patch))
                    .withConfig(config);
        }
    }

    /// Reads the race in `folder`: the test on the model as it is and in each configuration of its
    /// `Control:` lines, then for each patch, by name, what its header says.
    ///
    /// @throws BadInput if something is missing
    /// @throws org.interleaf.litmus.syntax.LitmusException if the test is wrong
    /// @throws org.interleaf.patch.PatchException if a patch is wrong
    static Race read(Path folder) {
        Path file = folder.resolve(TEST);
        if (!Files.isRegularFile(file)) {
            throw new BadInput(folder + ": no " + TEST, "a race consists of a test and patches");
        }
        LitmusTest test = LitmusTest.parse(Source.read(file));
        Expected expected = Expected.of(test.expectation());
        if (expected.isNothing()) {
            throw new BadInput(
                    file + ": declares no result",
                    "write `Result: Never` in the comment at its beginning");
        }
        List<Variant> variants = new ArrayList<>();
        variants.add(new Variant(null, Map.of(), expected));
        for (Map<String, String> control : ControlLines.of(test.source())) {
            variants.add(new Variant(null, control, Expected.NOTHING_FOUND));
        }
        for (Path patch : patches(folder)) {
            addVariants(variants, ModelPatch.read(patch));
        }
        return new Race(String.valueOf(folder.getFileName()), file, List.copyOf(variants));
    }

    private static void addVariants(List<Variant> variants, ModelPatch patch) {
        PatchHeader header = patch.header();
        Expected expected = Expected.of(header);
        if (expected.isNothing()) {
            throw new BadInput(
                    patch.name() + ": does not say what is to be found",
                    "write `Expect: Sometimes` or another expectation above the diff");
        }
        variants.add(new Variant(patch, header.config(), expected));
        for (Map<String, String> control : header.controls()) {
            variants.add(new Variant(patch, control, Expected.NOTHING_FOUND));
        }
    }

    private static List<Path> patches(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(SUFFIX)).sorted().toList();
        } catch (IOException e) {
            throw new BadInput(folder + ": cannot be read: " + e.getMessage(), "check its rights");
        }
    }
}
