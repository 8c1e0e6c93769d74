// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;

/// The text of one litmus test and the name of its file; offsets into it become lines and columns.
///
/// Offsets count characters from 0; lines and columns count from 1.
public final class Source {
    /// The longest test that is read, in characters: a hundred times the longest useful one.
    public static final int MAX_CHARS = 1 << 20;

    private final String name;
    private final String text;
    private final int[] lineStarts;

    private Source(String name, String text) {
        this.name = name;
        this.text = text;
        this.lineStarts = lineStarts(text);
    }

    /// A test that is already in memory.
    ///
    /// @throws LitmusException if it is empty or longer than {@link #MAX_CHARS}
    public static Source of(String name, String text) {
        if (text.length() > MAX_CHARS) {
            throw tooLong(name);
        }
        if (text.isBlank()) {
            throw LitmusException.ofFile(
                    name, "the file is empty", "a litmus test begins with a line `C name`");
        }
        return new Source(name, text);
    }

    /// Reads a file.
    ///
    /// @throws LitmusException if it cannot be read, is empty, too long, or not UTF-8 text
    public static Source read(Path path) {
        String name = path.toString();
        try {
            if (Files.isDirectory(path)) {
                throw LitmusException.ofFile(name, "is a folder", "name a file that it holds");
            }
            return of(name, decode(name, head(path)));
        } catch (NoSuchFileException e) {
            throw LitmusException.ofFile(name, "no such file", "check the path");
        } catch (IOException e) {
            throw LitmusException.ofFile(
                    name, "cannot be read: " + e.getMessage(), "check its permissions");
        }
    }

    /// The file's bytes, or where there are too many, enough of them to tell.
    private static byte[] head(Path path) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            byte[] bytes = in.readNBytes(MAX_CHARS + 1);
            if (bytes.length > MAX_CHARS) {
                throw tooLong(path.toString());
            }
            return bytes;
        }
    }

    private static String decode(String name, byte[] bytes) {
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

    private static LitmusException notText(String name) {
        return LitmusException.ofFile(name, "is not text", "a litmus test is a text file in UTF-8");
    }

    private static LitmusException tooLong(String name) {
        return LitmusException.ofFile(
                name,
                "is too long for a litmus test (more than " + MAX_CHARS + " characters)",
                "is this the right file?");
    }

    private static int[] lineStarts(String text) {
        int[] starts = new int[16];
        int lines = 1;
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\n') {
                if (lines == starts.length) {
                    starts = Arrays.copyOf(starts, 2 * lines);
                }
                starts[lines++] = i + 1;
            }
        }
        return Arrays.copyOf(starts, lines);
    }

    /// The file's name as the user gave it.
    public String name() {
        return name;
    }

    /// The whole text.
    public String text() {
        return text;
    }

    /// The line that holds `offset`, counted from 1.
    public int line(int offset) {
        int found = Arrays.binarySearch(lineStarts, offset);
        return found >= 0 ? found + 1 : -found - 1;
    }

    /// The column of `offset` in its line, in characters, counted from 1.
    public int column(int offset) {
        return offset - lineStarts[line(offset) - 1] + 1;
    }

    /// The text of a line (counted from 1) without its line end.
    public String lineText(int line) {
        int start = lineStarts[line - 1];
        int end = line < lineStarts.length ? lineStarts[line] - 1 : text.length();
        if (end > start && text.charAt(end - 1) == '\r') {
            end--;
        }
        return text.substring(start, end);
    }

    /// Where `offset` is, as `file:line:column`.
    public String position(int offset) {
        return name + ":" + line(offset) + ":" + column(offset);
    }

    /// A complaint about what is written at `offset`; `hint` says how to mend it.
    public LitmusException error(int offset, String message, String hint) {
        return LitmusException.at(this, Math.min(offset, text.length()), message, hint);
    }
}
