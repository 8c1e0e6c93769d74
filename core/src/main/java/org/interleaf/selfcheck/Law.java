// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.experiment.Experiment;
import org.interleaf.experiment.Failure;
import org.interleaf.experiment.Register;
import org.interleaf.experiment.Report;
import org.interleaf.explore.Limits;
import org.interleaf.machine.Word;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// A small program of which it is known what can come of it, in all its interleavings. It ties down
/// what brute force cannot: what the machine and the sanitizers mean, and not how they are
/// explored.
///
/// @param name what it is about
/// @param program builds it
/// @param outcomes exactly what can come of executions that end
/// @param failures the titles of exactly the failures that some execution has
record Law(String name, Consumer<Bench> program, Set<String> outcomes, Set<String> failures) {
    private static final int CPUS = 2;
    private static final long EXECUTIONS_MAX = 10_000;
    private static final int STEPS_MAX = 1_000;

    static Law of(String name, Consumer<Bench> program, String... outcomes) {
        return new Law(name, program, Set.of(outcomes), Set.of());
    }

    /// A law of a program some of whose executions fail so.
    static Law failing(String name, Consumer<Bench> program, String failure, String... outcomes) {
        return new Law(name, program, Set.of(outcomes), Set.of(failure));
    }

    /// A law of a program some of whose executions deadlock, for the order of locks that `order` is
    /// the title of.
    static Law deadlocking(String name, Consumer<Bench> program, String order, String outcome) {
        return new Law(name, program, Set.of(outcome), Set.of("DEADLOCK", order));
    }

    /// An experiment that says what came of it.
    static final class Bench {
        final Experiment on = new Experiment(CPUS);
        private final Set<String> outcomes = new TreeSet<>();

        /// What came of an execution is what these hold.
        void observe(Object... seen) {
            observe(() -> List.of(seen).stream().map(Bench::show).collect(Collectors.joining(" ")));
        }

        void observe(Supplier<String> outcome) {
            on.atEnd(() -> outcomes.add(outcome.get()));
        }

        private static String show(Object seen) {
            return switch (seen) {
                case Word word -> Long.toString(word.peek());
                case Register register -> Long.toString(register.get());
                default -> seen.toString();
            };
        }
    }

    /// What is not as it should be; empty where all is.
    String broken() {
        Bench bench = new Bench();
        program.accept(bench);
        Limits limits = Limits.NONE.withMaxExecutions(EXECUTIONS_MAX).withMaxSteps(STEPS_MAX);
        Report report = bench.on.explore("law", limits, Long.MAX_VALUE);
        if (!report.explored().complete()) {
            return "comes to no end";
        }
        Set<String> failed = new TreeSet<>();
        for (Failure failure : report.failures()) {
            failed.add(failure.violation().title());
        }
        return failed.equals(failures)
                ? difference(bench.outcomes, outcomes, "no outcome")
                : difference(failed, failures, "nothing found");
    }

    private static String difference(Set<String> seen, Set<String> expected, String nothing) {
        if (seen.equals(expected)) {
            return "";
        }
        Set<String> wrong = new TreeSet<>(seen);
        wrong.removeAll(expected);
        if (!wrong.isEmpty()) {
            return "must not be: " + String.join(", ", wrong);
        }
        Set<String> missing = new TreeSet<>(expected);
        missing.removeAll(seen);
        return (seen.isEmpty() ? nothing + ", missing: " : "missing: ")
                + String.join(", ", missing);
    }
}
