// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Finds the final states of a few small processes under sequential consistency, by going through
/// all states that they can reach. It shares nothing with the machine, the explorer or the litmus
/// compiler.
final class TinyInterpreter {
    private static final int REGISTERS_MAX = 24;

    /// The value of an expression over a process's registers.
    @FunctionalInterface
    interface Value {
        int of(int[] registers);
    }

    /// What an access leaves in memory or returns, given what it finds.
    @FunctionalInterface
    interface Change {
        int of(int old, int[] registers);
    }

    /// Asked of a final state.
    @FunctionalInterface
    interface Question {
        boolean of(int[] memory, int[][] registers);
    }

    /// A step of a process.
    sealed interface Step {}

    /// Sets a register.
    record Local(int to, Value value) implements Step {}

    /// Changes `variable`, and sets the register `to` unless that is negative.
    record Access(int variable, int to, Change left, Change seen) implements Step {}

    /// Waits for `variable` to be 0 and makes it 1.
    record Lock(int variable) implements Step {}

    /// Goes to `target` where the condition is 0.
    static final class Branch implements Step {
        final Value condition;
        int target;

        Branch(Value condition) {
            this.condition = condition;
        }
    }

    private final List<List<Step>> threads;
    private final int variables;
    private final int registersShown;
    private final Question question;
    private final Set<List<Integer>> visited = new HashSet<>();
    private final Set<String> states = new TreeSet<>();
    private boolean anyHolds;
    private boolean anyFails;

    TinyInterpreter(RandomLitmus test) {
        threads = test.threads();
        variables = RandomLitmus.VARIABLES.size();
        registersShown = RandomLitmus.REGISTERS;
        question = test.condition().holds();
        go(test.initial(), new int[threads.size()][REGISTERS_MAX], new int[threads.size()]);
    }

    /// The final states as herd7 names their parts, sorted.
    Set<String> states() {
        return states;
    }

    String verdict() {
        return !anyHolds ? "Never" : anyFails ? "Sometimes" : "Always";
    }

    private void go(int[] memory, int[][] registers, int[] at) {
        for (int t = 0; t < at.length; t++) {
            at[t] = runLocally(threads.get(t), registers[t], at[t]);
        }
        if (!visited.add(key(memory, registers, at))) {
            return;
        }
        boolean ended = true;
        for (int t = 0; t < at.length; t++) {
            if (at[t] == threads.get(t).size()) {
                continue;
            }
            ended = false;
            int[] newMemory = memory.clone();
            int[][] newRegisters = registers.clone();
            newRegisters[t] = registers[t].clone();
            if (make(threads.get(t).get(at[t]), newMemory, newRegisters[t])) {
                int[] newAt = at.clone();
                newAt[t]++;
                go(newMemory, newRegisters, newAt);
            }
        }
        if (ended) {
            end(memory, registers);
        }
    }

    private static int runLocally(List<Step> code, int[] registers, int from) {
        int pc = from;
        while (pc < code.size()) {
            switch (code.get(pc)) {
                case Local local -> {
                    registers[local.to] = local.value.of(registers);
                    pc++;
                }
                case Branch branch ->
                        pc = branch.condition.of(registers) == 0 ? branch.target : pc + 1;
                default -> {
                    return pc;
                }
            }
        }
        return pc;
    }

    /// Makes an access; false where it must wait.
    private static boolean make(Step step, int[] memory, int[] registers) {
        return switch (step) {
            case Lock lock -> {
                boolean free = memory[lock.variable] == 0;
                memory[lock.variable] = 1;
                yield free;
            }
            case Access access -> {
                int old = memory[access.variable];
                memory[access.variable] = access.left.of(old, registers);
                int seen = access.seen.of(old, registers);
                if (access.to >= 0) {
                    registers[access.to] = seen;
                }
                yield true;
            }
            default -> throw new AssertionError(step);
        };
    }

    private static List<Integer> key(int[] memory, int[][] registers, int[] at) {
        List<Integer> key = new ArrayList<>();
        Arrays.stream(memory).forEach(key::add);
        Arrays.stream(at).forEach(key::add);
        for (int[] ofThread : registers) {
            Arrays.stream(ofThread).forEach(key::add);
        }
        return key;
    }

    private void end(int[] memory, int[][] registers) {
        Set<String> parts = new TreeSet<>();
        for (int v = 0; v < variables; v++) {
            parts.add("[" + RandomLitmus.VARIABLES.get(v) + "]=" + memory[v]);
        }
        for (int t = 0; t < registers.length; t++) {
            for (int r = 0; r < registersShown; r++) {
                parts.add(t + ":r" + r + "=" + registers[t][r]);
            }
        }
        states.add(String.join("; ", parts));
        boolean holds = question.of(memory, registers);
        anyHolds |= holds;
        anyFails |= !holds;
    }
}
