// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.syntax.Expr;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.ProcessDef;
import org.interleaf.litmus.syntax.Prop;
import org.interleaf.litmus.syntax.Stmt;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Finds the processes of a test of which nobody can say which is which: those that are written the
/// same, begin with the same registers, and are not told apart by the `filter`.
///
/// The condition may tell them apart, since it is asked of a final state under all names that the
/// processes can have.
public final class Likeness {
    /// More of them have too many names for each final state.
    private static final int ALIKE_MAX = 6;

    private final List<List<Integer>> groups;
    private final @Nullable String why;

    private Likeness(List<List<Integer>> groups, @Nullable String why) {
        this.groups = groups;
        this.why = why;
    }

    /// Finds them in a test that gets by with the memory model's own names.
    public static Likeness of(LitmusTest test) {
        String reader = numbersReaders(test);
        if (reader != null) {
            return none("`" + reader + "` has somebody look at the readers one after the other");
        }
        Set<Integer> apart = new HashSet<>();
        for (Stmt stmt : test.init()) {
            if (stmt instanceof Stmt.InitRegister register) {
                apart.add(register.process());
            }
        }
        Prop filter = test.filter();
        if (filter != null) {
            addProcesses(filter, apart);
        }
        Map<List<String>, List<Integer>> byCode = new LinkedHashMap<>();
        for (ProcessDef process : test.processes()) {
            if (!apart.contains(process.index())) {
                byCode.computeIfAbsent(process.code(), code -> new ArrayList<>())
                        .add(process.index());
            }
        }
        List<List<Integer>> groups =
                byCode.values().stream()
                        .filter(group -> group.size() > 1)
                        .map(group -> group.subList(0, Math.min(group.size(), ALIKE_MAX)))
                        .toList();
        return groups.isEmpty()
                ? none(
                        "no two processes are written the same, begin the same and are the same to"
                                + " the filter")
                : new Likeness(groups, null);
    }

    /// None, because of `why`.
    public static Likeness none(String why) {
        return new Likeness(List.of(), why);
    }

    /// Groups of processes that are alike, by their numbers.
    public List<List<Integer>> groups() {
        return groups;
    }

    /// Why there is none; null where there is one.
    public @Nullable String why() {
        return why;
    }

    /// What a process uses that goes through all processes by their numbers.
    private static @Nullable String numbersReaders(LitmusTest test) {
        for (ProcessDef process : test.processes()) {
            for (String token : process.code()) {
                String word = token.replace("`", "");
                if (word.startsWith("synchronize_")
                        || word.contains("call_rcu")
                        || word.contains("srcu")) {
                    return word;
                }
            }
        }
        return null;
    }

    private static void addProcesses(Prop prop, Set<Integer> processes) {
        switch (prop) {
            case Prop.Constant p -> {}
            case Prop.Not p -> addProcesses(p.operand(), processes);
            case Prop.And p -> p.operands().forEach(o -> addProcesses(o, processes));
            case Prop.Or p -> p.operands().forEach(o -> addProcesses(o, processes));
            case Prop.Implies p -> {
                addProcesses(p.premise(), processes);
                addProcesses(p.conclusion(), processes);
            }
            case Prop.Compare p -> {
                addProcesses(p.left(), processes);
                addProcesses(p.right(), processes);
            }
        }
    }

    private static void addProcesses(Expr term, Set<Integer> processes) {
        if (term instanceof Expr.Register register) {
            processes.add(register.process());
        }
        Walk.parts(term).forEach(part -> addProcesses(part, processes));
    }
}
