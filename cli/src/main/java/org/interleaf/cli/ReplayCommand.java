// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.ReplayException;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;

/// `interleaf replay`: one execution again.
@Command(
        name = "replay",
        header = "Shows one execution again.",
        description = {
            "",
            "Runs one execution of a test again and prints it as a trace, with what was found in"
                    + " it. The token is the one that `check` and `races` print; it fits only the"
                    + " same test with the same patches and configuration.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./interleaf replay my.litmus 'il1:9f3c:0*4.1*2.0*3'",
            "      the steps that bear on how it ended",
            "  ./interleaf replay my.litmus --patch before.patch --full 'il1:77ab:0.1*9'",
            "      every step, on a changed model",
            "",
            "Exit status: 0 the execution was printed, whatever was found in it; 2 bad input.",
        })
final class ReplayCommand implements Callable<Integer> {
    static final String COPY_ALL =
            "copy all of the token that follows `Reproduce:`, with its quotes";

    private final Environment environment;

    @Spec private CommandSpec spec;
    @Mixin private ModelOptions model;
    @Mixin private TraceOptions traces;

    @Parameters(index = "0", paramLabel = "FILE", description = "The test.")
    private Path file;

    @Parameters(
            index = "1",
            arity = "1..*",
            paramLabel = "TOKEN",
            description = "The execution, as printed after `Reproduce:`; may be broken over lines.")
    private List<String> token;

    ReplayCommand(Environment environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        traces.check();
        Schedule schedule = parse(String.join("", token));
        Recording recording = replay(Source.read(file), schedule);
        new AnswerPrinter(spec.commandLine().getOut(), environment, traces)
                .printRecording(recording);
        return ExitStatus.OK.code();
    }

    private Recording replay(Source source, Schedule schedule) {
        Engine.Runner runner = environment.engine().load(model.runOptions());
        checkFits(file, schedule, runner.fingerprint(LitmusTest.parse(source)));
        try {
            return runner.replay(source, schedule);
        } catch (ReplayException e) {
            throw new BadInput(file + ": " + e.getMessage(), COPY_ALL);
        }
    }

    /// Makes sure that `schedule` is one of the test in `file`, of which `fingerprint` is the mark.
    static void checkFits(Path file, Schedule schedule, String fingerprint) {
        if (!schedule.fingerprint().equals(fingerprint)) {
            throw new BadInput(
                    file + ": the token belongs to another test, or to other patches or settings",
                    "repeat the whole command after `Reproduce:`; if the test, a patch or a setting"
                            + " has changed since, check it again");
        }
    }

    static Schedule parse(String token) {
        try {
            return Schedule.parse(token);
        } catch (IllegalArgumentException e) {
            throw new BadInput(String.valueOf(e.getMessage()), COPY_ALL);
        }
    }
}
