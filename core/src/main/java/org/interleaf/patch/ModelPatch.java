// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// A change to the kernel model: a unified diff of its sources, with a text above it.
public final class ModelPatch {
    /// The longest patch that is read, in bytes: longer than all of the model.
    public static final int MAX_BYTES = 4 << 20;

    private final String name;
    private final String text;
    private final PatchHeader header;
    private final List<FileChange> changes;

    private ModelPatch(String name, String text, PatchHeader header, List<FileChange> changes) {
        this.name = name;
        this.text = text;
        this.header = header;
        this.changes = changes;
    }

    /// Reads a patch from a file; it is called by its path as given.
    ///
    /// @throws PatchException if it cannot be read or is no patch of the model
    public static ModelPatch read(Path path) {
        String name = path.toString();
        try (InputStream in = Files.newInputStream(path)) {
            // Not the file's size: a pipe has none, and /dev/zero has no end.
            return parse(name, decode(name, in.readNBytes(MAX_BYTES + 1)));
        } catch (NoSuchFileException e) {
            throw PatchException.ofFile(name, "no such file", "check the path");
        } catch (IOException e) {
            throw Files.isDirectory(path)
                    ? PatchException.ofFile(name, "is a folder", "name a patch that it holds")
                    : PatchException.ofFile(
                            name,
                            "cannot be read: " + Objects.requireNonNullElse(e.getMessage(), "" + e),
                            "check its permissions");
        }
    }

    /// Reads a patch that is already in memory, called `name` in messages.
    ///
    /// @throws PatchException if it is no patch of the model
    public static ModelPatch parse(String name, String text) {
        return parse(PatchScope.MODEL, name, text);
    }

    /// The same for a patch of another part of the program.
    ///
    /// @throws PatchException if it is no patch of that
    public static ModelPatch parse(PatchScope scope, String name, String text) {
        if (text.isBlank()) {
            throw PatchException.ofFile(
                    name, "the file is empty", "a patch is what `git diff` prints");
        }
        List<String> lines = new ArrayList<>(List.of(text.split("\r?\n", -1)));
        if (lines.getLast().isEmpty()) {
            lines.removeLast();
        }
        DiffReader diff = new DiffReader(scope, name, lines);
        int headerLength = diff.headerLength();
        PatchHeader header = new HeaderReader(name).read(lines.subList(0, headerLength));
        // A patch that builds on others may be about these alone.
        boolean alone = header.after().isEmpty();
        List<FileChange> changes =
                alone || headerLength < lines.size() ? diff.read(headerLength) : List.of();
        return new ModelPatch(name, text, header, List.copyOf(changes));
    }

    private static String decode(String name, byte[] bytes) {
        if (bytes.length > MAX_BYTES) {
            throw PatchException.ofFile(
                    name,
                    "is too long for a patch (more than " + (MAX_BYTES >> 20) + " MiB)",
                    "is this the right file?");
        }
        for (byte b : bytes) {
            if (b == 0) {
                throw notText(name);
            }
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw notText(name);
        }
    }

    private static PatchException notText(String name) {
        return PatchException.ofFile(name, "is not text", "a patch is a text file in UTF-8");
    }

    /// The patch's file as the user gave it.
    public String name() {
        return name;
    }

    /// The whole text, header and all.
    public String text() {
        return text;
    }

    /// What stands above the diff.
    public PatchHeader header() {
        return header;
    }

    /// The files that it changes, from the top of the source tree, in order.
    public List<String> files() {
        return changes.stream().map(FileChange::path).distinct().toList();
    }

    List<FileChange> changes() {
        return changes;
    }

    @Override
    public String toString() {
        return name;
    }
}
