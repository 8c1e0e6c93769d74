// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.tidy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// The files of the source tree: what git would track, found without git, so that the tests also
/// run from an unpacked archive.
final class Tree {
    private static final Set<String> NOT_OURS =
            Set.of("target", ".git", ".idea", ".vscode", ".settings");

    private Tree() {}

    /// A file, its path as printed (relative to the root, with slashes), and its lines.
    record TextFile(Path path, String name, String text) {
        List<String> lines() {
            return text.lines().toList();
        }

        /// `name:line: what -> instead`, the form of every complaint. Lines count from 1.
        String complaint(int line, String what, String instead) {
            return name + ":" + line + ": " + what + " -> " + instead;
        }
    }

    /// The top folder, wherever the tests were started from.
    static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("COPYING"))) {
            Path parent = folder.getParent();
            if (parent == null) {
                throw new AssertionError("[interleaf internal] run inside the source tree");
            }
            folder = parent;
        }
        return folder;
    }

    /// All files whose path, written from the root as `/folder/file`, ends in one of `suffixes`; in
    /// the order of their paths.
    static List<TextFile> files(String... suffixes) {
        Path root = root();
        var found = new ArrayList<Path>();
        try {
            Files.walkFileTree(root, new Collector(root, found, List.of(suffixes)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found.stream().sorted().map(path -> read(root, path)).toList();
    }

    private static TextFile read(Path root, Path path) {
        try {
            return new TextFile(path, name(root, path), Files.readString(path));
        } catch (IOException e) {
            throw new UncheckedIOException(path.toString(), e);
        }
    }

    private static String name(Path root, Path path) {
        return root.relativize(path).toString().replace('\\', '/');
    }

    private static final class Collector extends SimpleFileVisitor<Path> {
        private final Path root;
        private final List<Path> found;
        private final List<String> suffixes;

        Collector(Path root, List<Path> found, List<String> suffixes) {
            this.root = root;
            this.found = found;
            this.suffixes = suffixes;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            return NOT_OURS.contains(folder.getFileName().toString())
                    ? FileVisitResult.SKIP_SUBTREE
                    : FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            String name = "/" + name(root, file);
            if (attributes.isRegularFile() && suffixes.stream().anyMatch(name::endsWith)) {
                found.add(file);
            }
            return FileVisitResult.CONTINUE;
        }
    }
}
