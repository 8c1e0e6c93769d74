// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.trace.Schedule;

import java.time.Duration;

/// Runs a program as a {@link Walk} says, again and again, within limits.
final class Search {
    private static final int EXECUTIONS_BETWEEN_LOOKS = 64;

    private final Program program;
    private final Machine machine;
    private final Limits limits;
    private final String fingerprint;
    private final Walk walk;
    private final TraceCount traces = new TraceCount();
    private final long start = System.nanoTime();

    private long executions;
    private long superfluous;
    private long fruitless;
    private long cut;
    private long steps;
    private long runs;

    Search(Program program, Limits limits, String fingerprint, Walk walk) {
        this.program = program;
        this.machine = program.machine();
        this.limits = limits;
        this.fingerprint = fingerprint;
        this.walk = walk;
    }

    Exploration run() {
        boolean more = true;
        while (more && !atLimit()) {
            walk.begin();
            machine.run(walk);
            runs++;
            steps += walk.steps();
            enter();
            more = walk.next();
        }
        return soFar(!more && cut == 0 && walk.sawAll());
    }

    private void enter() {
        Ending.Kind kind = Ending.Kind.of(machine);
        if (walk.superfluous()) {
            superfluous++;
            return;
        }
        if (kind == Ending.Kind.FRUITLESS) {
            fruitless++;
            return;
        }
        if (!traces.add(walk.hash.one()) && walk.countsTracesOnce() && traces.exact()) {
            superfluous++;
            return;
        }
        if (kind == Ending.Kind.CUT) {
            cut++;
        } else {
            executions++;
        }
        program.finished(new Ended(kind));
    }

    private boolean atLimit() {
        if (executions + cut >= limits.maxExecutions()) {
            return true;
        }
        if (runs % EXECUTIONS_BETWEEN_LOOKS != 0) {
            return false;
        }
        limits.progress().accept(soFar(false));
        return limits.stop().getAsBoolean()
                || System.nanoTime() - start > limits.timeout().toNanos();
    }

    private Exploration soFar(boolean complete) {
        Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
        return new Exploration(
                executions,
                superfluous,
                fruitless,
                cut,
                steps,
                executions + cut,
                complete,
                elapsed,
                walk.coverage(executions + cut, traces));
    }

    private final class Ended implements Ending {
        private final Kind kind;

        Ended(Kind kind) {
            this.kind = kind;
        }

        @Override
        public Kind kind() {
            return kind;
        }

        @Override
        public int steps() {
            return walk.steps();
        }

        @Override
        public int switches() {
            return walk.switches();
        }

        @Override
        public Schedule schedule() {
            return walk.schedule(fingerprint);
        }
    }
}
