// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.explore.Ending;
import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Program;
import org.interleaf.machine.Loops;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Task;
import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/// Compares what the explorer says of a random program with identical tasks, of which it may leave
/// executions out, with what brute force says, which leaves nothing out.
///
/// The explorer must see exactly the traces that have an interleaving in which identical tasks
/// begin in order; the same endings, but for who is who; and say how many traces there are in all.
final class SymmetryCheck {
    private static final int INTERLEAVINGS_MAX = 3_000;

    /// A program, and which of its tasks are identical.
    private record Doubled(RandomProgram program, List<List<Integer>> alike) {}

    /// What was compared.
    ///
    /// @param traces the number of traces; -1 where the program is too big for brute force
    /// @param explored of these, how many were explored
    /// @param problem what is wrong; null if nothing is
    record Result(long traces, long explored, @Nullable String problem) {}

    private final Doubled doubled;
    private final Equivalence equivalence;
    private final Playground ground;
    private final Set<TraceKey.Key> ordered = new HashSet<>();
    private final Set<TraceKey.Key> fruitless = new HashSet<>();
    private final Set<TraceKey.Key> fruitlessOrdered = new HashSet<>();
    private final Map<TraceKey.Key, String> all = new HashMap<>();
    private final List<String> problems = new ArrayList<>();

    private SymmetryCheck(Doubled doubled, Equivalence equivalence) {
        this.doubled = doubled;
        this.equivalence = equivalence;
        this.ground = playground();
    }

    private Playground playground() {
        Playground made = new Playground(doubled.program, equivalence, doubled.alike);
        made.machine.loops(new Loops(true, 2, 2));
        return made;
    }

    static Result of(long seed, Equivalence equivalence) {
        Doubled doubled = doubled(seed);
        SymmetryCheck check = new SymmetryCheck(doubled, equivalence);
        long explored = -1;
        try {
            if (!BruteForce.explore(check.ground.machine, check::expect, INTERLEAVINGS_MAX)) {
                return new Result(-1, 0, null);
            }
            explored = check.explore(1);
            if (seed % 8 == 0) {
                check.explore(2);
            }
        } catch (AssertionError | RuntimeException e) {
            check.problems.add(e.toString());
        }
        String where = "seed " + seed + " under " + equivalence + ", identical " + doubled.alike;
        return new Result(
                check.all.size(),
                explored,
                check.problems.isEmpty()
                        ? null
                        : where + ": " + doubled.program + String.join("\n", check.problems));
    }

    /// Doubles the first task of a random program, or has three of it, or doubles two of them; on
    /// one CPU or on one each.
    private static Doubled doubled(long seed) {
        Random random = new Random(seed * 0x9e3779b97f4a7c15L + 1);
        boolean loops = seed % 4 == 0;
        RandomProgram from = loops ? RandomProgram.looping(seed) : RandomProgram.of(seed);
        List<List<Statement>> tasks = new ArrayList<>();
        List<List<Integer>> alike = new ArrayList<>();
        int groups = 1 + random.nextInt(2);
        for (int t = 0; t < Math.min(2, from.tasks().size()); t++) {
            List<Integer> group = new ArrayList<>();
            int copies = t >= groups ? 1 : 2 + (groups == 1 ? random.nextInt(2) : 0);
            for (int i = 0; i < copies; i++) {
                List<Statement> body = from.tasks().get(t);
                group.add(tasks.size());
                tasks.add(body.subList(0, Math.min(body.size(), 4)));
            }
            if (copies > 1) {
                alike.add(group);
            }
        }
        boolean daemons = from.daemons() != RandomProgram.Daemons.NONE;
        RandomProgram program =
                new RandomProgram(
                        daemons || random.nextBoolean() ? 1 : tasks.size(),
                        from.daemons(),
                        from.regionsAlive(),
                        from.tableLevels(),
                        from.faultDropsTranslation(),
                        tasks);
        return new Doubled(program, alike);
    }

    private void expect() {
        boolean inOrder = inOrder(ground.went());
        TraceKey.Key trace = ground.trace();
        if (Ending.Kind.of(ground.machine) == Ending.Kind.FRUITLESS) {
            fruitless.add(trace);
            if (inOrder) {
                fruitlessOrdered.add(trace);
            }
            return;
        }
        all.put(trace, ground.outcome());
        if (inOrder) {
            ordered.add(trace);
        }
    }

    private boolean inOrder(int[] went) {
        for (List<Task> group : groups()) {
            int next = 0;
            Set<Integer> begun = new HashSet<>();
            for (int task : went) {
                boolean member = group.stream().anyMatch(other -> other.id() == task);
                if (member && begun.add(task) && group.get(next++).id() != task) {
                    return false;
                }
            }
        }
        return true;
    }

    private List<List<Task>> groups() {
        return ground.machine.alike().stream().map(each -> each.tasks()).toList();
    }

    /// Returns how many executions it took.
    private long explore(int workers) {
        Set<TraceKey.Key> seen = Collections.synchronizedSet(new HashSet<>());
        Set<String> outcomes = Collections.synchronizedSet(new TreeSet<>());
        Limits limits =
                Limits.NONE
                        .withEquivalence(equivalence)
                        .withSymmetry(true)
                        .withMaxExecutions(2L * (all.size() + fruitless.size()) + 10);
        Explorer explorer = new Explorer(watch(ground, seen, outcomes), limits, "test");
        explorer.withWorkers(workers, () -> watch(playground(), seen, outcomes), Duration.ZERO);
        Exploration found = explorer.explore();
        compare(found, seen);
        Set<String> expected = new TreeSet<>();
        all.values().forEach(outcome -> expected.add(nameless(outcome)));
        if (!expected.equals(outcomes)) {
            problems.add("endings " + outcomes + "\nand by brute force " + expected);
        }
        return found.executions() + found.cut();
    }

    private Program watch(Playground on, Set<TraceKey.Key> seen, Set<String> outcomes) {
        return new Program() {
            @Override
            public Machine machine() {
                return on.machine;
            }

            @Override
            public void finished(Ending ending) {
                if (!seen.add(on.trace())) {
                    problems.add("the same trace twice: " + ending.schedule());
                }
                outcomes.add(nameless(on.outcome()));
            }
        };
    }

    private void compare(Exploration found, Set<TraceKey.Key> seen) {
        if (!seen.equals(ordered) || found.executions() + found.cut() != ordered.size()) {
            problems.add(found + " of " + ordered.size() + " traces in order");
        }
        if (found.superfluous() != 0 || found.fruitless() != fruitlessOrdered.size()) {
            problems.add(found + " for " + fruitlessOrdered.size() + " fruitless traces");
        }
        if (!looksAtTasksByNumber() && found.represented() != all.size()) {
            problems.add(found.represented() + " traces in all, and really " + all.size());
        }
    }

    /// Whether somebody looks at one task after the other, so that traces with other names are not
    /// traces, though the endings are the same.
    private boolean looksAtTasksByNumber() {
        return doubled.program.tasks().stream()
                .flatMap(List::stream)
                .anyMatch(s -> s.kind() == Kind.SYNCHRONIZE_RCU || s.kind() == Kind.CALL_RCU);
    }

    /// An outcome without what tells identical tasks apart.
    private String nameless(String outcome) {
        String[] parts = outcome.split(" \\| ", -1);
        // Who has taken a spinlock, which the tasks say as well; and whose object was published.
        parts[0] = parts[0].replaceAll("([+-]{2})\\d+", "$1").replaceAll("\\d{9,}", "object");
        for (List<Task> group : groups()) {
            int[] places = group.stream().mapToInt(task -> task.id() + 1).toArray();
            String[] logs = Arrays.stream(places).mapToObj(p -> parts[p]).toArray(String[]::new);
            Arrays.sort(logs);
            for (int i = 0; i < places.length; i++) {
                parts[places[i]] = logs[i];
            }
        }
        return String.join(" | ", parts);
    }
}
