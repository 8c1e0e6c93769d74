// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.zip.CRC32;

/// The format of a saved exploration: a line that names it, what is explored, what was covered, the
/// results, what is left to do, and a checksum of all that.
final class CheckpointFile {
    private static final String FORMAT = "interleaf checkpoint 3\n";

    private CheckpointFile() {}

    /// Replaces the file in one step, after all of the new one is on the disk.
    static void write(
            Path file,
            String identity,
            Exploration covered,
            Pool<?> pool,
            Checkpoints.Results results) {
        try {
            byte[] content = content(identity, covered, pool, results);
            Path fresh = file.resolveSibling(file.getFileName() + ".new");
            try (FileChannel out =
                    FileChannel.open(
                            fresh,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.TRUNCATE_EXISTING)) {
                ByteBuffer buffer = ByteBuffer.wrap(content);
                while (buffer.hasRemaining()) {
                    out.write(buffer);
                }
                out.force(true);
            }
            Files.move(
                    fresh,
                    file,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new CheckpointException(file, "the checkpoint cannot be written: " + reason(e));
        }
    }

    private static byte[] content(
            String identity, Exploration covered, Pool<?> pool, Checkpoints.Results results)
            throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeBytes(FORMAT);
        out.writeUTF(identity);
        out.writeLong(covered.executions());
        out.writeLong(covered.superfluous());
        out.writeLong(covered.fruitless());
        out.writeLong(covered.cut());
        out.writeLong(covered.steps());
        out.writeDouble(covered.shares());
        out.writeLong(covered.elapsed().toNanos());
        results.save(out);
        pool.save(out);
        CRC32 crc = new CRC32();
        crc.update(bytes.toByteArray());
        out.writeLong(crc.getValue());
        return bytes.toByteArray();
    }

    /// Has `pool` and `results` be as they were saved. Returns what was covered.
    ///
    /// @throws CheckpointException where there is nothing that can be resumed
    static Exploration read(Path file, String identity, Pool<?> pool, Checkpoints.Results results) {
        byte[] content;
        try {
            content = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new CheckpointException(
                    file, "no such checkpoint: begin one with --checkpoint " + file);
        } catch (IOException e) {
            throw new CheckpointException(file, "cannot be read: " + reason(e));
        }
        check(file, content);
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(content))) {
            in.skipNBytes(FORMAT.length());
            if (!in.readUTF().equals(identity)) {
                throw new CheckpointException(
                        file,
                        "the checkpoint is of another test, configuration or build of Interleaf:"
                                + " it cannot be resumed here");
            }
            Exploration covered =
                    new Exploration(
                            in.readLong(),
                            in.readLong(),
                            in.readLong(),
                            in.readLong(),
                            in.readLong(),
                            in.readDouble(),
                            false,
                            Duration.ofNanos(in.readLong()),
                            Coverage.UNKNOWN);
            results.load(in);
            pool.load(in);
            return covered;
        } catch (IOException e) {
            throw new CheckpointException(file, "the checkpoint cannot be read: " + reason(e));
        }
    }

    private static void check(Path file, byte[] content) {
        int head = FORMAT.length();
        int end = content.length - Long.BYTES;
        for (int i = 0; i < head; i++) {
            if (i >= end || content[i] != FORMAT.charAt(i)) {
                throw new CheckpointException(file, "not a checkpoint of Interleaf");
            }
        }
        CRC32 crc = new CRC32();
        crc.update(content, 0, end);
        if (crc.getValue() != ByteBuffer.wrap(content).getLong(end)) {
            throw new CheckpointException(file, "the checkpoint is damaged");
        }
    }

    private static String reason(IOException e) {
        return e.getClass().getSimpleName() + ": " + e.getMessage();
    }
}
