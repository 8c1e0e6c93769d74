// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/// Tells this build of Interleaf from others: where anything is different in it, a half-explored
/// test may not be what it was.
final class Build {
    private Build() {}

    /// A checksum over all code of this build, as eight digits.
    static String id() {
        try {
            CRC32 crc = new CRC32();
            for (Path file : files()) {
                crc.update(Files.readAllBytes(file));
            }
            return String.format("%08x", crc.getValue());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> files() throws IOException {
        Path code;
        try {
            code = Path.of(Build.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError("[interleaf internal] code from nowhere", e);
        }
        try (Stream<Path> all = Files.walk(code)) {
            return all.filter(Files::isRegularFile).sorted().toList();
        }
    }
}
