// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Compares text with a file of expected text. `mvn verify -Dgolden=accept` rewrites the files;
/// then `git diff` shows what changed.
final class Golden {
    private static final Path FOLDER = Path.of("src/test/resources/golden");

    private Golden() {}

    /// Fails unless the golden file `name` holds exactly `actual`.
    static void check(String name, String actual) throws IOException {
        Path file = FOLDER.resolve(name);
        if ("accept".equals(System.getProperty("golden"))) {
            Files.createDirectories(file.getParent());
            Files.writeString(file, actual);
        }
        assertThat(file).as("golden file; -Dgolden=accept writes it").exists();
        assertThat(actual).isEqualTo(Files.readString(file));
    }
}
