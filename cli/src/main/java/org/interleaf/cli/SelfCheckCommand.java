// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.selfcheck.DeliberateBug;
import org.interleaf.selfcheck.RandomCheck;
import org.interleaf.selfcheck.Trials;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

/// `interleaf selfcheck`: would this program notice if it were wrong?
@Command(
        name = "selfcheck",
        header = "Puts bugs into this program and shows that they are caught.",
        description = {
            "",
            "First the program as it is goes through its trials: small programs of which it is"
                + " known what can come of them, and random programs that are run through every"
                + " interleaving as well, by brute force, and replayed. Then one bug after the"
                + " other is put into one mechanism after the other, as a patch of this program's"
                + " own sources, and a trial must notice. The patches are in"
                + " core/src/main/resources/bugs.",
            "",
            "With one of the options below, random programs only, as many as you like.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./interleaf selfcheck",
            "  ./interleaf selfcheck --timeout 8h",
            "      a night of random programs",
            "  ./interleaf selfcheck --seed 4711 --programs 1",
            "      that one again",
            "",
            "Exit status: 0; 1 a bug was not caught, or one that is really there was found;",
            "2 bad input.",
        })
final class SelfCheckCommand implements Callable<Integer> {
    private static final String ROW = "%-14s %-63s %-38s %6s%n";
    private static final int PROGRAMS_BETWEEN_LINES = 1000;

    private final Environment environment;

    @Spec private CommandSpec spec;

    @Option(
            names = "--programs",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Checks N random programs.")
    private @Nullable Long programs;

    @Option(
            names = "--seed",
            paramLabel = "S",
            converter = Converters.CountFromZero.class,
            description = "Begins with the random program of this seed. Default: 1.")
    private @Nullable Long seed;

    @Option(
            names = "--timeout",
            paramLabel = "T",
            converter = Converters.Time.class,
            description = "Checks random programs for so long, as in 90s, 10m or 8h.")
    private @Nullable Duration timeout;

    SelfCheckCommand(Environment environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        boolean random = programs != null || seed != null || timeout != null;
        boolean good = random ? randomPrograms() : asItIs() && withBugs();
        return (good ? ExitStatus.OK : ExitStatus.NOT_AS_DECLARED).code();
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private static String seconds(long start) {
        return String.format(Locale.ROOT, "%.1f s", (System.nanoTime() - start) / 1e9);
    }

    // ---- the program as it is

    private boolean asItIs() {
        long start = System.nanoTime();
        Trials trials = new Trials();
        List<String> names = Trials.names();
        boolean good = true;
        for (String name : names) {
            String problem = trials.apply(name);
            if (!problem.isEmpty()) {
                good = false;
                out().println(name + ": " + problem);
            }
        }
        out().println(
                        "As it is: "
                                + Numbers.count(names.size(), "trial")
                                + (good ? ", nothing found" : ", WRONG")
                                + " ("
                                + seconds(start)
                                + ")");
        out().flush();
        return good;
    }

    // ---- with bugs

    private boolean withBugs() {
        long start = System.nanoTime();
        out().printf("%n" + ROW, "mechanism", "deliberate bug", "caught by", "time");
        List<String> missed = new ArrayList<>();
        List<DeliberateBug> bugs = DeliberateBug.all();
        for (DeliberateBug bug : bugs) {
            if (environment.interruption().requested()) {
                return false;
            }
            if (!isCaught(bug)) {
                missed.add(bug.mechanism() + ": " + bug.text());
            }
        }
        out().printf(
                        "%n%s, %d caught (%s)%n",
                        Numbers.count(bugs.size(), "deliberate bug"),
                        bugs.size() - missed.size(),
                        seconds(start));
        missed.forEach(bug -> out().println("NOT CAUGHT: " + bug));
        return missed.isEmpty();
    }

    private boolean isCaught(DeliberateBug bug) {
        long start = System.nanoTime();
        String problem = bug.provoke();
        out().printf(
                        ROW,
                        bug.mechanism(),
                        bug.text(),
                        problem.isEmpty() ? "NOT CAUGHT by " + bug.trial() : bug.trial(),
                        seconds(start));
        if (!problem.isEmpty()) {
            out().println(" ".repeat(15) + problem);
        }
        out().flush();
        return !problem.isEmpty();
    }

    // ---- random programs

    private boolean randomPrograms() {
        long start = System.nanoTime();
        long first = seed == null ? 1 : seed;
        long count = programs == null ? Long.MAX_VALUE : programs;
        Duration time = timeout == null ? Duration.ofDays(1000) : timeout;
        RandomCheck.Result result = new RandomCheck(first, count, time).run(this::goOn);
        if (result.problem() != null) {
            out().println(result.problem());
            return false;
        }
        out().printf(
                        "%s from seed %d, %s: explorer and brute force agree (%s; %s too big)%n",
                        Numbers.count(result.programs(), "random program"),
                        first,
                        Numbers.count(result.traces(), "trace"),
                        seconds(start),
                        Numbers.count(result.tooBig(), "program"));
        return true;
    }

    private boolean goOn(RandomCheck.Result soFar) {
        long done = soFar.programs() + soFar.tooBig();
        if (environment.terminal().interactive() && done % PROGRAMS_BETWEEN_LINES == 0) {
            out().println(Numbers.count(done, "program") + ", next seed " + soFar.nextSeed());
            out().flush();
        }
        return !environment.interruption().requested();
    }
}
