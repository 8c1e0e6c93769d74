// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.explore.Ending;
import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Exhaustive;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Program;
import org.interleaf.explore.Replay;
import org.interleaf.explore.Strategy;
import org.interleaf.machine.Loops;
import org.interleaf.machine.Machine;
import org.interleaf.trace.Schedule;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/// Compares what the explorer says of one random program with what brute force says.
final class CrossCheck {
    /// Interleavings up to which all are run; beyond, equivalent ones are merged, up to three times
    /// as many executions.
    private static final int INTERLEAVINGS_MAX =
            Integer.getInteger("interleaf.random.limit", 1_000);

    private static final int REPLAYS_MAX = 100;

    private final RandomProgram program;
    private final Equivalence equivalence;
    private final Strategy strategy;
    private final Playground ground;
    private final Map<TraceKey.Key, String> expected = new HashMap<>();
    private final List<String> problems = new ArrayList<>();
    private final Map<String, String> tokens = new LinkedHashMap<>();
    private final Set<TraceKey.Key> fruitless = new HashSet<>();
    private long executions;
    private long cut;

    private CrossCheck(RandomProgram program, Equivalence equivalence, Strategy strategy) {
        this.program = program;
        this.equivalence = equivalence;
        this.strategy = strategy;
        this.ground = playground();
    }

    private Playground playground() {
        Playground made = new Playground(program, equivalence);
        made.machine.loops(new Loops(true, 2, 2));
        return made;
    }

    /// What was compared.
    ///
    /// @param traces the number of traces; -1 where the program is too big for brute force
    /// @param problem what is wrong; null if nothing is
    record Result(long traces, @Nullable String problem) {}

    static Result of(RandomProgram program, Equivalence equivalence) {
        return of(program, equivalence, new Exhaustive());
    }

    static Result of(RandomProgram program, Equivalence equivalence, Strategy strategy) {
        CrossCheck check = new CrossCheck(program, equivalence, strategy);
        try {
            if (!check.bruteForce()) {
                return new Result(-1, null);
            }
            check.explore();
            check.replay();
        } catch (AssertionError | RuntimeException e) {
            check.problems.add(e.toString());
        }
        return new Result(
                check.expected.size(),
                check.problems.isEmpty() ? null : String.join("\n", check.problems));
    }

    private boolean bruteForce() {
        if (BruteForce.explore(ground.machine, this::expect, INTERLEAVINGS_MAX)) {
            return true;
        }
        expected.clear();
        long limit = 3L * INTERLEAVINGS_MAX;
        return BruteForce.exploreMerging(
                ground.machine, ground::trace, ground::state, this::expect, limit);
    }

    private void expect() {
        if (Ending.Kind.of(ground.machine) == Ending.Kind.FRUITLESS) {
            fruitless.add(ground.trace());
            return;
        }
        String outcome = ground.outcome();
        String other = expected.putIfAbsent(ground.trace(), outcome);
        if (other != null && !other.equals(outcome)) {
            throw new AssertionError(
                    "equivalent executions with two outcomes:\n" + other + "\n" + outcome);
        }
    }

    private void explore() {
        Set<TraceKey.Key> seen = new HashSet<>();
        Set<String> outcomes = new TreeSet<>();
        Program watched = watch(ground, ending -> ended(ending, seen, outcomes));
        compare(strategy.explore(watched, limits(), "test"), outcomes);
    }

    /// What is enough for an explorer that is right, and has one that is not come to an end.
    private Limits limits() {
        int[] looks = new int[1];
        long all = (long) expected.size() + fruitless.size();
        return Limits.NONE
                .withEquivalence(equivalence)
                .withMaxExecutions(2 * all + 10)
                .withStop(() -> looks[0]++ > all + 10);
    }

    private static Program watch(Playground ground, Consumer<Ending> atEnd) {
        return new Program() {
            @Override
            public Machine machine() {
                return ground.machine;
            }

            @Override
            public void finished(Ending ending) {
                atEnd.accept(ending);
            }
        };
    }

    private void ended(Ending ending, Set<TraceKey.Key> seen, Set<String> outcomes) {
        executions++;
        outcomes.add(ground.outcome());
        if (!seen.add(ground.trace())) {
            problems.add("the same trace twice, the second time as " + ending.schedule());
        }
        if (tokens.size() < REPLAYS_MAX) {
            tokens.put(ending.schedule().toString(), whole(ground));
        }
        if (!ground.outcome().equals(expected.get(ground.trace()))) {
            problems.add("not an ending that brute force has: " + ground.outcome());
        }
        boolean waits = ground.outcome().contains("waits");
        Ending.Kind kind = ending.kind();
        boolean complete = kind == Ending.Kind.COMPLETE;
        cut += kind == Ending.Kind.CUT ? 1 : 0;
        if (complete == waits) {
            problems.add(ending.kind() + ", but " + ground.outcome());
        }
    }

    private void compare(Exploration found, Set<String> outcomes) {
        Set<String> missing = new TreeSet<>(expected.values());
        missing.removeAll(outcomes);
        if (!missing.isEmpty()) {
            problems.add("never seen: " + missing);
        }
        if (executions != expected.size() || found.executions() + cut != executions) {
            problems.add(executions + " executions of " + expected.size() + " traces");
        }
        if (found.superfluous() != 0) {
            problems.add(found.superfluous() + " superfluous executions");
        }
        if (found.fruitless() != fruitless.size()) {
            String some = found.fruitless() + " fruitless executions";
            problems.add(some + " for " + fruitless.size() + " fruitless traces");
        }
        if (found.complete() != (cut == 0)) {
            problems.add("explored to the end: " + found.complete() + ", but " + cut + " cut");
        }
    }

    /// Runs what the explorer ran on a machine that has run nothing before.
    private void replay() {
        Playground fresh = playground();
        tokens.forEach((token, whole) -> replay(fresh, token, whole));
    }

    /// All that a replay must come to again: the outcome, and every access on the way.
    private static String whole(Playground ground) {
        return ground.outcome() + " #" + Long.toHexString(ground.digest());
    }

    private void replay(Playground fresh, String token, String whole) {
        Ending ending = Replay.run(watch(fresh, e -> {}), Schedule.parse(token));
        if (!whole(fresh).equals(whole)) {
            problems.add(token + " replays to " + whole(fresh) + ", not " + whole);
        }
        if (!new Schedule("test", fresh.went()).toString().equals(token)) {
            problems.add(token + " replays as " + Arrays.toString(fresh.went()));
        }
        boolean waits = whole.contains("waits");
        if ((ending.kind() == Ending.Kind.COMPLETE) == waits) {
            problems.add(token + " ends as " + ending.kind() + " when replayed");
        }
    }

    /// Compares what the loops of a program can come to with what they come to where every round is
    /// made, for nothing or not. Returns how many different endings there are, -1 if too many
    /// executions.
    static int roundByRound(RandomProgram program) {
        Set<String> waiting = endings(program, new Loops(true, 2, 2));
        Set<String> plain = endings(program, new Loops(false, 2, 2));
        if (waiting == null || plain == null) {
            return -1;
        }
        if (!waiting.equals(plain)) {
            throw new AssertionError(program + "waiting " + waiting + "\nround by round " + plain);
        }
        return waiting.size();
    }

    private static @Nullable Set<String> endings(RandomProgram program, Loops loops) {
        Playground ground = new Playground(program);
        ground.machine.loops(loops);
        Set<String> endings = new TreeSet<>();
        Runnable enter =
                () -> {
                    if (Ending.Kind.of(ground.machine) == Ending.Kind.COMPLETE) {
                        endings.add(ground.outcome().replaceAll("(use-after-free )+", "$1"));
                    }
                };
        return BruteForce.explore(ground.machine, enter, 30L * INTERLEAVINGS_MAX) ? endings : null;
    }

    /// Explores `program` with executions of up to `steps` accesses. Returns how many were cut.
    static long cutAt(
            int steps, RandomProgram program, Equivalence equivalence, Strategy strategy) {
        CrossCheck check = new CrossCheck(program, equivalence, strategy);
        Set<TraceKey.Key> seen = new HashSet<>();
        Program watched =
                watch(
                        check.ground,
                        ending -> {
                            check.tokens.put(ending.schedule().toString(), check.ground.outcome());
                            if (ending.steps() > steps || !seen.add(check.ground.trace())) {
                                throw new AssertionError(program + ": " + ending.schedule());
                            }
                        });
        Limits limits = Limits.NONE.withEquivalence(equivalence).withMaxSteps(steps);
        Exploration found = strategy.explore(watched, limits, "test");
        if (found.complete() != (found.cut() == 0) || seen.size() != check.tokens.size()) {
            throw new AssertionError(program + ": " + found);
        }
        return found.cut();
    }

    /// The smallest program that leaving out tasks and statements of a bad one leads to, one by
    /// one.
    static RandomProgram reduce(RandomProgram bad, Equivalence equivalence, Strategy strategy) {
        for (int t = 0; t < bad.tasks().size(); t++) {
            RandomProgram less = bad.withoutTask(t);
            if (of(less, equivalence, strategy).problem != null) {
                return reduce(less, equivalence, strategy);
            }
        }
        for (int t = 0; t < bad.tasks().size(); t++) {
            for (int i = 0; i < bad.tasks().get(t).size(); i++) {
                RandomProgram less = bad.withoutStatement(t, i);
                if (of(less, equivalence, strategy).problem != null) {
                    return reduce(less, equivalence, strategy);
                }
            }
        }
        return bad;
    }

    /// The program, made small, and what is wrong with it.
    static String report(
            long seed, RandomProgram program, Equivalence equivalence, Strategy strategy) {
        RandomProgram small = reduce(program, equivalence, strategy);
        String problem = of(small, equivalence, strategy).problem;
        String how = equivalence + ", " + strategy.describe();
        return "seed " + seed + " under " + how + ", reduced to: " + small + problem;
    }
}
