// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Ending;
import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Program;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.selfcheck.PlainOracle.Act;
import org.interleaf.selfcheck.PlainOracle.Instruction;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/// The machine and the explorer on plain random programs, against an oracle that shares no code
/// with either. `-Dinterleaf.random.programs=N` checks N programs.
final class PlainOracleTest {
    private static final int WORDS = 3;
    private static final int LOCKS = 2;
    private static final int INTERLEAVINGS_MAX = Integer.getInteger("interleaf.random.limit", 500);

    @Test
    void explorerCountsTheFoataNormalForms() {
        long programs = Long.getLong("interleaf.random.programs", 1_500);
        long first = Long.getLong("interleaf.random.seed", 1);
        long checked = 0;
        for (long seed = first; seed < first + programs; seed++) {
            checked += agrees(seed) ? 1 : 0;
        }
        assertThat(checked).as("programs small enough").isGreaterThan(programs / 2);
    }

    private static boolean agrees(long seed) {
        List<List<Instruction>> threads = program(new Random(seed * 0x2545f4914f6cdd1dL));
        Equivalence equivalence = seed % 2 == 0 ? Equivalence.TRACE : Equivalence.UPDATE;
        boolean commute = equivalence == Equivalence.UPDATE;
        PlainOracle oracle = new PlainOracle(threads, commute, INTERLEAVINGS_MAX);
        if (!oracle.run(WORDS + LOCKS)) {
            return false;
        }
        OnMachine run = new OnMachine(threads);
        Limits limits =
                Limits.NONE
                        .withEquivalence(equivalence)
                        .withMaxExecutions(2L * oracle.traces() + 10);
        Exploration found = Explorer.explore(run, limits, "test");
        String what = "seed " + seed + " under " + equivalence + ": " + threads;
        assertThat(run.states).as(what).isEqualTo(oracle.states());
        assertThat(run.executions).as(what).isEqualTo(oracle.traces());
        assertThat(found.superfluous()).as(what).isZero();
        assertThat(found.complete()).as(what).isTrue();
        return true;
    }

    /// Each program draws which acts there are at all, and on how few variables.
    private static List<List<Instruction>> program(Random random) {
        List<Act> acts = new ArrayList<>();
        while (acts.size() < 2) {
            for (Act act : Act.values()) {
                if (random.nextInt(3) == 0) {
                    acts.add(act);
                }
            }
        }
        int words = 1 + random.nextInt(WORDS);
        int threads = 2 + random.nextInt(3);
        List<List<Instruction>> program = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            List<Instruction> code = new ArrayList<>();
            int length = 1 + random.nextInt(threads == 2 ? 5 : 3);
            for (int i = 0; i < length; i++) {
                code.add(instruction(random, acts, words));
            }
            program.add(code);
        }
        return program;
    }

    private static Instruction instruction(Random random, List<Act> acts, int words) {
        Act act = acts.get(random.nextInt(acts.size()));
        boolean lock = act == Act.LOCK || act == Act.TRYLOCK || act == Act.UNLOCK;
        int variable = lock ? WORDS + random.nextInt(LOCKS) : random.nextInt(words);
        int guard = random.nextInt(3) == 0 ? random.nextInt(2) : -1;
        return new Instruction(act, variable, random.nextInt(3), guard);
    }

    /// The same program, run by the machine.
    private static final class OnMachine implements Program {
        private final Machine machine = new Machine(1);
        private final Word[] words = new Word[WORDS];
        private final SpinLock[] locks = new SpinLock[LOCKS];
        private final int[] registers;
        private final Set<String> states = new TreeSet<>();
        private long executions;

        OnMachine(List<List<Instruction>> threads) {
            Arrays.setAll(words, w -> machine.word("w" + w, 0));
            Arrays.setAll(locks, l -> new SpinLock(machine, null, null, "l" + l));
            registers = new int[threads.size()];
            for (int t = 0; t < registers.length; t++) {
                int thread = t;
                machine.spawn("T" + t, 0, () -> run(thread, threads.get(thread)));
            }
            machine.onReset(() -> Arrays.fill(registers, 0));
            machine.seal();
        }

        private void run(int thread, List<Instruction> code) {
            for (Instruction i : code) {
                if (i.guard() < 0 || i.guard() == registers[thread]) {
                    run(thread, i);
                }
            }
        }

        private void run(int thread, Instruction i) {
            int v = i.value();
            int x = i.variable();
            switch (i.act()) {
                case LOAD -> registers[thread] = (int) words[x].readOnce();
                case STORE -> words[x].writeOnce(v);
                case STORE_SEEN -> words[x].writeOnce(registers[thread] + 1);
                case INC -> words[x].add(1, Order.RELAXED);
                case FETCH_ADD -> registers[thread] = (int) words[x].fetchAdd(1, Order.FULL);
                case XCHG -> registers[thread] = (int) words[x].xchg(v, Order.FULL);
                case CAS -> registers[thread] = (int) words[x].cmpxchg(v, v + 1, Order.FULL);
                case AWAIT -> registers[thread] = (int) words[x].await(-1, v);
                case LOCK -> locks[x - WORDS].lock();
                case TRYLOCK -> registers[thread] = locks[x - WORDS].trylock() ? 0 : 1;
                case UNLOCK -> locks[x - WORDS].unlock();
            }
        }

        @Override
        public Machine machine() {
            return machine;
        }

        @Override
        public void finished(Ending ending) {
            executions++;
            int[] memory = new int[WORDS + LOCKS];
            for (int w = 0; w < WORDS; w++) {
                memory[w] = (int) words[w].peek();
            }
            for (int l = 0; l < LOCKS; l++) {
                memory[WORDS + l] = locks[l].word().peek() == 0 ? 0 : 1;
            }
            boolean[] ended = new boolean[registers.length];
            for (int t = 0; t < ended.length; t++) {
                ended[t] = machine.tasks().get(t).finished();
            }
            states.add(PlainOracle.state(memory, registers, ended));
        }
    }
}
