// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// A second opinion on plain programs, that shares nothing with the explorer or the machine: it
/// interprets them itself, goes through all interleavings, and tells traces apart by their Foata
/// normal forms (Cartier and Foata, *Problèmes combinatoires de commutation et réarrangements*,
/// 1969): the first layer holds all events that could come first, the next what could then, and so
/// on.
final class PlainOracle {
    /// What an instruction does to its variable. Locks are variables that hold 0 or 1.
    enum Act {
        LOAD,
        STORE,
        STORE_SEEN,
        INC,
        FETCH_ADD,
        XCHG,
        CAS,
        AWAIT,
        LOCK,
        TRYLOCK,
        UNLOCK
    }

    /// An instruction. It is passed over if the thread's register differs from `guard`, where that
    /// is not negative; what it reads goes into the register.
    record Instruction(Act act, int variable, int value, int guard) {}

    /// An event as the normal form has it; `layer` counts from 1.
    private record Event(int layer, int thread, int number, int variable, boolean writes, Act act) {
        boolean dependsOn(Event other, boolean incsCommute) {
            if (thread == other.thread) {
                return true;
            }
            boolean commute = incsCommute && act == Act.INC && other.act == Act.INC;
            return variable == other.variable && (writes || other.writes) && !commute;
        }
    }

    private final List<List<Instruction>> threads;
    private final boolean incsCommute;
    private final int limit;
    private final List<Event> events = new ArrayList<>();
    private final Set<String> traces = new HashSet<>();
    private final Set<String> states = new TreeSet<>();
    private int interleavings;

    /// @param incsCommute whether two increments without a result are independent
    /// @param limit interleavings beyond which it gives up
    PlainOracle(List<List<Instruction>> threads, boolean incsCommute, int limit) {
        this.threads = threads;
        this.incsCommute = incsCommute;
        this.limit = limit;
    }

    /// Goes through all interleavings. False where there are too many.
    boolean run(int variables) {
        go(new int[variables], new int[threads.size()], new int[threads.size()]);
        return interleavings <= limit;
    }

    int traces() {
        return traces.size();
    }

    /// The final states, as {@link #state} writes them.
    Set<String> states() {
        return states;
    }

    static String state(int[] memory, int[] registers, boolean[] ended) {
        return Arrays.toString(memory) + Arrays.toString(registers) + Arrays.toString(ended);
    }

    private void go(int[] memory, int[] registers, int[] at) {
        boolean any = false;
        for (int t = 0; t < at.length && interleavings <= limit; t++) {
            int pc = passOver(threads.get(t), registers[t], at[t]);
            if (pc < threads.get(t).size() && mayRun(threads.get(t).get(pc), memory)) {
                any = true;
                step(memory.clone(), registers.clone(), at.clone(), t, pc);
            }
        }
        if (!any) {
            end(memory, registers, at);
        }
    }

    private static int passOver(List<Instruction> code, int register, int from) {
        int pc = from;
        while (pc < code.size() && code.get(pc).guard >= 0 && code.get(pc).guard != register) {
            pc++;
        }
        return pc;
    }

    private static boolean mayRun(Instruction i, int[] memory) {
        return switch (i.act) {
            case LOCK -> memory[i.variable] == 0;
            case AWAIT -> memory[i.variable] == i.value;
            default -> true;
        };
    }

    private void step(int[] memory, int[] registers, int[] at, int t, int pc) {
        Instruction i = threads.get(t).get(pc);
        int before = memory[i.variable];
        boolean writes =
                switch (i.act) {
                    case LOAD, AWAIT -> false;
                    case CAS -> before == i.value;
                    case TRYLOCK -> before == 0;
                    default -> true;
                };
        if (writes) {
            memory[i.variable] =
                    switch (i.act) {
                        case STORE, XCHG -> i.value;
                        case STORE_SEEN -> registers[t] + 1;
                        case INC, FETCH_ADD, CAS -> before + 1;
                        case LOCK, TRYLOCK -> 1;
                        default -> 0;
                    };
        }
        boolean reads =
                switch (i.act) {
                    case LOAD, FETCH_ADD, XCHG, CAS, AWAIT, TRYLOCK -> true;
                    default -> false;
                };
        registers[t] = reads ? before : registers[t];
        at[t] = pc + 1;
        Event bare = new Event(0, t, pc, i.variable, writes, i.act);
        int layer = 1;
        for (Event e : events) {
            layer = bare.dependsOn(e, incsCommute) ? Math.max(layer, e.layer + 1) : layer;
        }
        events.add(new Event(layer, t, pc, i.variable, writes, i.act));
        go(memory, registers, at);
        events.removeLast();
    }

    private void end(int[] memory, int[] registers, int[] at) {
        interleavings++;
        List<String> form = new ArrayList<>();
        events.forEach(e -> form.add(e.layer + "." + e.thread + "." + e.number));
        form.sort(null);
        traces.add(String.join(" ", form));
        boolean[] ended = new boolean[at.length];
        for (int t = 0; t < at.length; t++) {
            ended[t] = passOver(threads.get(t), registers[t], at[t]) == threads.get(t).size();
        }
        states.add(state(memory, registers, ended));
    }
}
