// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.report.Ansi;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;

/// The `interleaf` command.
@Command(
        name = "interleaf",
        description = {
            "Runs a Linux memory-management question through every interleaving, and answers"
                    + " it: Never, or the race as a trace.",
            ""
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = HelpCommand.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./interleaf check my.litmus",
            "      can the condition of this test hold, in any interleaving?",
            "  ./interleaf check my.litmus --patch fix.patch",
            "      and with this change to the kernel model?",
            "  ./interleaf races",
            "      does the model still have every known race with its bug, and none without?",
            "",
            "Exit status: 0 all as declared; 1 something is not, or a splat nobody declared;",
            "2 bad input; 3 undecided within the limits; 70 an internal error; 130 after",
            "Ctrl-C, when what was covered so far has been printed.",
        })
public final class Main implements Runnable {
    @Spec private CommandSpec spec;

    private Main() {}

    /// Runs the command and ends the process with its exit status.
    public static void main(String[] args) {
        Environment environment = Environment.ofProcess();
        int status = run(commandLine(environment), environment, args);
        environment.interruption().finished();
        System.exit(status);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command");
    }

    /// Runs the command; whatever goes wrong is reported, and is a number in the end.
    static int run(CommandLine commandLine, Environment environment, String... args) {
        int status;
        try {
            status = commandLine.execute(args);
        } catch (Error e) {
            // picocli hands on what is no Exception.
            PrintWriter err = commandLine.getErr();
            status = new Failures(environment.terminal().ansi()).report(e, "", err).code();
        }
        commandLine.getOut().flush();
        commandLine.getErr().flush();
        return status;
    }

    static CommandLine commandLine(Environment environment) {
        Ansi ansi = environment.terminal().ansi();
        Failures failures = new Failures(ansi);
        return new CommandLine(new Main())
                .addSubcommand(withHelp(new CheckCommand(environment)))
                .addSubcommand(withHelp(new RacesCommand(environment)))
                .addSubcommand(withHelp(new ReplayCommand(environment)))
                .addSubcommand(withHelp(new ArchCommand(environment)))
                .addSubcommand(withHelp(new LocksCommand(environment)))
                .addSubcommand(withHelp(new PtdumpCommand(environment)))
                .addSubcommand(withHelp(new BenchCommand(environment)))
                .addSubcommand(withHelp(new SelfCheckCommand(environment)))
                .addSubcommand(new TrainCommand(environment))
                .setColorScheme(
                        Help.defaultColorScheme(ansi == Ansi.ON ? Help.Ansi.ON : Help.Ansi.OFF))
                .setParameterExceptionHandler(failures)
                .setExecutionExceptionHandler(failures);
    }

    private static CommandLine withHelp(Object command) {
        CommandLine commandLine = new CommandLine(command);
        commandLine
                .getCommandSpec()
                .addOption(
                        OptionSpec.builder("-h", "--help")
                                .usageHelp(true)
                                .description("Show this help and exit.")
                                .build());
        return commandLine;
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
