// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;

/// Runs the command line from end to end on a {@link FakeEngine}, in a folder of its own.
final class Cli {
    static final String PATCH =
            """
            --- a/core/src/main/java/org/interleaf/mm/GupFast.java
            +++ b/core/src/main/java/org/interleaf/mm/GupFast.java
            @@ -1 +1 @@
            -a
            +b
            """;
    private static final Path GOLDEN = Path.of("src/test/resources/golden");

    final FakeEngine engine = new FakeEngine();
    final Interruption interruption = new Interruption();
    private final Path folder;
    private Terminal terminal = Terminal.NONE;
    private String out = "";
    private String err = "";

    Cli(Path folder) {
        this.folder = folder;
    }

    Cli on(Terminal newTerminal) {
        terminal = newTerminal;
        return this;
    }

    /// Writes a file in the folder.
    Path file(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    /// Writes a test that is called `name` and declares `comment`.
    Path test(String file, String name, String comment) throws IOException {
        return file(
                file,
                """
                C %s

                (*
                 * %s
                 *)

                {}

                P0(int *x) { int r0; r0 = READ_ONCE(*x); }

                exists (0:r0=1)
                """
                        .formatted(name, comment));
    }

    /// Runs the program; returns its exit status.
    int run(Object... args) {
        StringWriter outText = new StringWriter();
        StringWriter errText = new StringWriter();
        String[] words = new String[args.length];
        for (int i = 0; i < args.length; i++) {
            words[i] = args[i].toString();
        }
        Environment environment = new Environment(engine, terminal, interruption, folder);
        var commandLine =
                Main.commandLine(environment)
                        .setOut(new PrintWriter(outText))
                        .setErr(new PrintWriter(errText));
        int status = Main.run(commandLine, environment, words);
        out = plain(outText.toString());
        err = plain(errText.toString());
        return status;
    }

    /// What does not depend on where and when the test runs.
    private String plain(String text) {
        return text.replace(folder.toString(), "FOLDER")
                .replaceAll(" in \\d+\\.\\d s\n", " in T s\n");
    }

    String out() {
        return out;
    }

    String err() {
        return err;
    }

    /// Compares all output with a golden file; `-Dgolden=accept` rewrites it.
    void checkGolden(String name) throws IOException {
        Path file = GOLDEN.resolve(name);
        String actual = err.isEmpty() ? out : out + "---- stderr\n" + err;
        if ("accept".equals(System.getProperty("golden"))) {
            Files.createDirectories(file.getParent());
            Files.writeString(file, actual);
        }
        assertThat(file).as("golden file; -Dgolden=accept writes it").exists();
        assertThat(actual).isEqualTo(Files.readString(file));
    }
}
