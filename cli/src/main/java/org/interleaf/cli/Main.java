// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The `interleaf` command. Exit status 2 means that the command line itself was wrong.
@Command(
        name = "interleaf",
        description = "Runs a Linux memory-management question through every interleaving.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND")
public final class Main implements Runnable {
    @Spec private CommandSpec spec;

    private Main() {}

    /// Runs the command and ends the process with its exit status.
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command");
    }

    static CommandLine commandLine() {
        return new CommandLine(new Main());
    }

    /// The version of the jar and of the Java that runs it, for bug reports.
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String jar = Main.class.getPackage().getImplementationVersion();
            String version = jar == null ? "(not from a jar)" : jar;
            return new String[] {"interleaf " + version + ", Java " + Runtime.version()};
        }
    }
}
