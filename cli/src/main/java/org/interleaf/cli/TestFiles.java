// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// Finds the tests that a command line names.
final class TestFiles {
    private static final String SUFFIX = ".litmus";

    private TestFiles() {}

    /// The files among `paths`, in order, and in the place of each folder all `*.litmus` files
    /// below it, in the order of their names; each file once.
    ///
    /// @throws BadInput if something is not there, or a folder has no tests
    static List<Path> find(List<Path> paths) {
        Set<Path> files = new LinkedHashSet<>();
        for (Path path : paths) {
            if (Files.isDirectory(path)) {
                files.addAll(below(path));
            } else if (Files.exists(path)) {
                files.add(path);
            } else {
                throw new BadInput(path + ": no such file or folder", "check the path");
            }
        }
        return new ArrayList<>(files);
    }

    private static List<Path> below(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            List<Path> tests =
                    all.filter(path -> path.toString().endsWith(SUFFIX))
                            .filter(Files::isRegularFile)
                            .sorted()
                            .toList();
            if (tests.isEmpty()) {
                throw new BadInput(
                        folder + ": no " + SUFFIX + " file in this folder or below",
                        "name the test itself if it is called otherwise");
            }
            return tests;
        } catch (IOException | UncheckedIOException e) {
            throw new BadInput(folder + ": cannot be read: " + e.getMessage(), "check its rights");
        }
    }
}
