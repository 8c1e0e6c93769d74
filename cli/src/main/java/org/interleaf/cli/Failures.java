// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.CheckpointException;
import org.interleaf.literature.LiteratureException;
import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.patch.PatchException;
import org.interleaf.report.Ansi;
import org.interleaf.report.Ansi.Ink;

import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

import java.io.PrintWriter;

/// Says what went wrong. A mistake of the user is met with what is wrong, where, and how to mend
/// it; one of ours with the request to report it.
final class Failures implements IParameterExceptionHandler, IExecutionExceptionHandler {
    private static final String DEBUG = "INTERLEAF_DEBUG";

    private final Ansi ansi;
    private final boolean debug;

    Failures(Ansi ansi) {
        this(ansi, "1".equals(System.getenv(DEBUG)));
    }

    /// @param debug whether to show where in the program it happened
    Failures(Ansi ansi, boolean debug) {
        this.ansi = ansi;
        this.debug = debug;
    }

    /// A wrong command line.
    @Override
    public int handleParseException(ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        PrintWriter err = command.getErr();
        err.println(bad("interleaf: ") + e.getMessage());
        boolean suggested =
                e instanceof UnmatchedArgumentException
                        && UnmatchedArgumentException.printSuggestions(e, err);
        if (!suggested) {
            String name = command.getCommandSpec().qualifiedName();
            err.println("hint: `" + name + " --help` tells what there is, with examples");
        }
        return ExitStatus.BAD_INPUT.code();
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine command, ParseResult result) {
        return report(e, "", command.getErr()).code();
    }

    /// Reports `e`, which came up in the course of `what`.
    ExitStatus report(Throwable e, String what, PrintWriter err) {
        ExitStatus status = isMistakeOfUser(e) ? ExitStatus.BAD_INPUT : ExitStatus.INTERNAL_ERROR;
        if (status == ExitStatus.BAD_INPUT) {
            err.println(e.getMessage());
        } else {
            reportInternal(e, what, err);
        }
        if (debug) {
            e.printStackTrace(err);
        }
        return status;
    }

    private static boolean isMistakeOfUser(Throwable e) {
        return e instanceof LitmusException
                || e instanceof PatchException
                || e instanceof LiteratureException
                || e instanceof CheckpointException
                || e instanceof BadInput;
    }

    private void reportInternal(Throwable e, String what, PrintWriter err) {
        if (e instanceof OutOfMemoryError) {
            err.println(
                    bad("interleaf: ")
                            + "out of memory"
                            + what
                            + "; INTERLEAF_JAVA_OPTS=-Xmx8g gives it more");
            return;
        }
        String message = e.getMessage();
        err.println(
                bad("interleaf: ")
                        + "internal error"
                        + what
                        + ": "
                        + (message == null ? e.getClass().getName() : message)
                        + "; please report it, with the test and this command"
                        + (debug ? "" : " (" + DEBUG + "=1 shows where it happened)"));
    }

    private String bad(String text) {
        return ansi.paint(Ink.BAD, text);
    }
}
