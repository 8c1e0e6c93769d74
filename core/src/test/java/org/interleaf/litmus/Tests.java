// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.litmus.vocabulary.Vocabulary;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Monitor;
import org.interleaf.machine.Task;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Runs litmus tests for the tests of this package.
final class Tests {
    private Tests() {}

    /// A test that was explored.
    ///
    /// @param splats what was complained about in executions that count, without repetition
    record Result(LitmusProgram program, Exploration exploration, List<String> splats) {
        boolean complete() {
            return exploration.complete() && program.cuts() == 0;
        }

        List<String> states() {
            return program.outcomes().states();
        }

        String verdict() {
            return program.outcomes().verdict(complete()).word();
        }
    }

    /// The tests of the repository.
    static List<Path> files() {
        return litmusFilesBelow(Path.of("src/test/litmus"));
    }

    static List<Path> litmusFilesBelow(Path folder) {
        try (Stream<Path> paths = Files.walk(folder)) {
            return paths.filter(path -> path.toString().endsWith(".litmus")).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static LitmusTest parse(String text) {
        return LitmusTest.parse(Source.of("t.litmus", text));
    }

    static Result explore(String text) {
        return explore(parse(text), Limits.NONE);
    }

    static Result explore(LitmusTest test, Limits limits) {
        return explore(LitmusProgram.plain(test), limits);
    }

    static Result explore(LitmusTest test, Vocabulary vocabulary) {
        Machine machine = new Machine(test.processes().size());
        LitmusProgram program =
                LitmusProgram.load(test, machine, vocabulary, LitmusProgram.SPIN_BOUND);
        machine.seal();
        return explore(program, Limits.NONE);
    }

    private static Result explore(LitmusProgram program, Limits limits) {
        Listener listener = new Listener();
        program.machine().monitor(listener);
        Exploration exploration = Explorer.explore(listener.listeningTo(program), limits, "test");
        return new Result(program, exploration, List.copyOf(listener.splats));
    }

    /// What the compiler or parser says about a test that is wrong.
    static String complaint(String text) {
        LitmusException e =
                catchThrowableOfType(LitmusException.class, () -> LitmusProgram.plain(parse(text)));
        return e == null ? "accepted" : e.getMessage();
    }

    /// A test with one process, whose body is given, and an empty condition.
    static String process(String body) {
        return "C t\n{ }\nP0(int *x, int *y)\n{\n" + body + "\n}\n";
    }

    private static final class Listener implements Monitor {
        final List<String> splats = new ArrayList<>();
        private final List<String> ofExecution = new ArrayList<>();

        org.interleaf.explore.Program listeningTo(LitmusProgram program) {
            return new org.interleaf.explore.Program() {
                @Override
                public Machine machine() {
                    return program.machine();
                }

                @Override
                public void finished(org.interleaf.explore.Ending ending) {
                    program.finished(ending);
                    if (program.lastEnd() != LitmusProgram.End.FILTERED) {
                        ofExecution.stream().filter(s -> !splats.contains(s)).forEach(splats::add);
                    }
                }
            };
        }

        @Override
        public void started() {
            ofExecution.clear();
        }

        @Override
        public void complained(Task task, String kind, String text) {
            ofExecution.add(kind + " " + text);
        }

        @Override
        public void crashed(Task task, Throwable crash) {
            throw new AssertionError("a task crashed", crash);
        }
    }
}
