// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.ReplayException;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.trace.Schedule;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.nio.file.Path;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.Callable;

/// `interleaf ptdump`: the page tables of a test's processes.
@Command(
        name = "ptdump",
        header = "Shows the page tables of a test's processes.",
        description = {
            "",
            "Prints the page tables of each process at the end of an execution, or in the middle of"
                    + " it, in the format of the kernel's /sys/kernel/debug/page_tables (x86) and"
                    + " kernel_page_tables (arm64; also for other architectures).",
            "",
            "Without a token it is the execution in which the processes run one after the other.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./interleaf ptdump my.litmus",
            "  ./interleaf ptdump my.litmus --config arch=x86-64 --step 0",
            "      what the init block has left",
            "  ./interleaf ptdump my.litmus --patch before.patch --step 17 'il1:77ab:0.1*9'",
            "      before step 17 of an execution that `check` or `races` printed",
            "",
            "Exit status: 0 the tables were printed; 2 bad input.",
        })
final class PtdumpCommand implements Callable<Integer> {
    private final Environment environment;

    @Spec private CommandSpec spec;
    @Mixin private ModelOptions model;

    @Parameters(index = "0", paramLabel = "FILE", description = "The test.")
    private Path file;

    @Parameters(
            index = "1",
            arity = "0..*",
            paramLabel = "TOKEN",
            description = "An execution, as printed after `Reproduce:`.")
    private List<String> token = List.of();

    @Option(
            names = "--step",
            paramLabel = "N",
            description = "Before step N, counted from 0. Default: at the end.")
    private int step = -1;

    PtdumpCommand(Environment environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        Source source = Source.read(file);
        Engine.Runner runner = environment.engine().load(model.runOptions());
        Schedule schedule = token.isEmpty() ? null : ReplayCommand.parse(String.join("", token));
        if (schedule != null) {
            ReplayCommand.checkFits(file, schedule, runner.fingerprint(LitmusTest.parse(source)));
        }
        String tables = tables(runner, source, schedule);
        if (tables.isEmpty()) {
            throw new BadInput(
                    file + ": the test has no page tables",
                    "tests that use user memory or system calls have some");
        }
        spec.commandLine().getOut().print(tables);
        return ExitStatus.OK.code();
    }

    private String tables(Engine.Runner runner, Source source, @Nullable Schedule schedule) {
        try {
            return runner.tables(source, schedule, step);
        } catch (ReplayException e) {
            throw new BadInput(file + ": " + e.getMessage(), ReplayCommand.COPY_ALL);
        } catch (NoSuchElementException e) {
            throw new BadInput(file + ": " + e.getMessage(), "without --step it is the end");
        }
    }
}
