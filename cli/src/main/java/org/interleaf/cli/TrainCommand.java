// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.concurrent.Callable;

/// `interleaf train`: does a little of what is done most and prints nothing, while the launcher has
/// the JVM record what is loaded. Later processes begin with that. All of it is loaded at once
/// then, so what is done seldom is not in it: with the compiler, say, every start would take
/// longer.
@Command(name = "train", hidden = true)
final class TrainCommand implements Callable<Integer> {
    private static final String TEST = "gup-fast-vs-collapse/race.litmus";

    private final Environment environment;

    TrainCommand(Environment environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        String test = environment.races().resolve(TEST).toString();
        return run("check", test)
                .worseOf(run("bench", "--once", "lastzero:8", "indexer:12", "mutexinc:4"))
                .code();
    }

    private ExitStatus run(String... args) {
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        CommandLine line = Main.commandLine(environment).setOut(nowhere).setErr(nowhere);
        int code = Main.run(line, environment, args);
        return code == 0 ? ExitStatus.OK : ExitStatus.INTERNAL_ERROR;
    }
}
