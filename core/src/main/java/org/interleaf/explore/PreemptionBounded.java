// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Task;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// First every execution without a preemption, then those with one, with two, and so on (Musuvathi,
/// Qadeer: *Iterative Context Bounding for Systematic Testing of Multithreaded Programs*, PLDI
/// 2007). A preemption is a change of task where the task that went before could have gone on;
/// other changes are free. So the first execution that shows a bug has as few preemptions as any.
///
/// # What is left out, and why that is sound
///
/// Sleep sets and persistent sets lose executions under a bound, as the representative that they
/// keep may need more preemptions than the ones that they drop (Coons, Musuvathi, McKinley:
/// *Bounded Partial-Order Reduction*, OOPSLA 2013). So neither is used. What is used is that
/// equivalent beginnings lead to the same state (Musuvathi, Qadeer: *Partial-Order Reduction for
/// Context-Bounded State Exploration*, MSR-TR-2007-12): one that arrives with at least as many
/// preemptions spent, and with the same task in possession of the CPU, can show nothing that the
/// first did not. Beginnings are remembered by a hash of 128 bits while the memory for them lasts.
///
/// When no choice was barred by the bound, all there is has been seen.
///
/// @param max the last bound
public record PreemptionBounded(int max) implements Strategy {
    /// As many preemptions as it takes to see everything.
    public static final int ANY = Integer.MAX_VALUE;

    @Override
    public Exploration explore(Program program, Limits limits, String fingerprint) {
        Walk walk = new DepthFirst(program.machine(), limits.maxSteps(), max);
        return new Search(program, limits, fingerprint, walk).run();
    }

    @Override
    public boolean ends() {
        return true;
    }

    @Override
    public String describe() {
        return max == ANY ? "bounded" : "bounded, up to " + preemptions(max);
    }

    private static String preemptions(int n) {
        return n == 1 ? "1 preemption" : n + " preemptions";
    }

    /// Depth first search through the choices that the bound allows.
    private static final class DepthFirst extends Walk implements Branches {
        private final int max;
        private final VisitedStates visited = new VisitedStates();
        private int bound;

        /// Whether the bound barred a choice.
        private boolean barred;

        /// The choices of each state of the path, flat: who went last, if it can go on, and then
        /// the others, if the bound allows.
        private int[] options = new int[1024];

        private int[] firstOption = new int[257];
        private int[] taken = new int[256];
        private int[] spent = new int[257];

        /// How many choices are to be made as noted.
        private int forced;

        private boolean merged;
        private boolean over;

        DepthFirst(Machine machine, int maxSteps, int max) {
            super(machine, maxSteps);
            this.max = max;
        }

        @Override
        void begin() {
            super.begin();
            merged = false;
        }

        @Override
        @Nullable Task choose() {
            int state = steps();
            if (state >= forced) {
                collectOptions(state);
                if (firstOption[state + 1] - firstOption[state] > 1 && !isNew(state)) {
                    merged = true;
                    return null;
                }
            }
            Task next = tasks.get(options[taken[state]]);
            boolean preempts = taken[state] > firstOption[state] && lastCanGoOn(state);
            spent[state + 1] = spent[state] + (preempts ? 1 : 0);
            return next;
        }

        private void collectOptions(int state) {
            if (state == taken.length) {
                taken = Arrays.copyOf(taken, 2 * state);
                spent = Arrays.copyOf(spent, 2 * state + 1);
                firstOption = Arrays.copyOf(firstOption, 2 * state + 1);
            }
            int end = firstOption[state];
            taken[state] = end;
            if (end + tasks.size() > options.length) {
                options = Arrays.copyOf(options, 2 * options.length + tasks.size());
            }
            int last = lastTask();
            boolean goesOn = last >= 0 && tasks.get(last).ready();
            if (goesOn) {
                options[end++] = last;
            }
            for (int t = 0; t < tasks.size(); t++) {
                if (t == last || !tasks.get(t).ready()) {
                    continue;
                }
                if (goesOn && spent[state] == bound) {
                    barred = true;
                } else {
                    options[end++] = t;
                }
            }
            firstOption[state + 1] = end;
        }

        private boolean lastCanGoOn(int state) {
            return state > 0 && options[firstOption[state]] == lastTask();
        }

        /// Whether no equivalent beginning got here with as few preemptions.
        private boolean isNew(int state) {
            int running = lastCanGoOn(state) ? lastTask() : -1;
            return visited.enter(TraceHash.spread(hash.one(), running), hash.two(), spent[state]);
        }

        @Override
        boolean next() {
            for (int state = steps() - 1; state >= 0; state--) {
                if (taken[state] + 1 < firstOption[state + 1]) {
                    taken[state]++;
                    forced = state + 1;
                    return true;
                }
            }
            forced = 0;
            if (!barred || bound >= max) {
                over = true;
                return false;
            }
            bound++;
            barred = false;
            visited.clear();
            return true;
        }

        @Override
        boolean superfluous() {
            return merged;
        }

        @Override
        boolean countsTracesOnce() {
            return true;
        }

        @Override
        boolean sawAll() {
            return !barred;
        }

        @Override
        Coverage coverage(long executions, TraceCount traces) {
            double fraction = bound == max ? fraction() : Double.NaN;
            return new Coverage(traces.traces(), traces.exact(), steps(), fraction, statement());
        }

        private String statement() {
            if (over) {
                return "everything with up to " + preemptions(bound) + " was seen";
            }
            if (bound == 0) {
                return "a part of what has no preemption was seen";
            }
            return "everything with up to %s was seen, and a part of what has %s"
                    .formatted(preemptions(bound - 1), preemptions(bound));
        }

        @Override
        public int depth() {
            return Math.min(steps(), forced);
        }

        @Override
        public int done(int state) {
            return taken[state] - firstOption[state];
        }

        @Override
        public int known(int state) {
            return firstOption[state + 1] - firstOption[state];
        }
    }
}
