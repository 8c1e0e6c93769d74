// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.trace.Schedule;

import java.time.Duration;

/// Explores every interleaving of a program, up to equivalence, within limits.
///
/// An explorer can be used again for the same program, and does not grow anew what it needs.
public final class Explorer {
    private static final int EXECUTIONS_BETWEEN_LOOKS = 64;

    private final Program program;
    private final Machine machine;
    private final Limits limits;
    private final String fingerprint;
    private final Dpor dpor;

    private long start;
    private long executions;
    private long superfluous;
    private long cut;
    private long steps;

    /// An explorer of `program`.
    ///
    /// @param fingerprint identifies the program in the schedules that are handed out
    public Explorer(Program program, Limits limits, String fingerprint) {
        this.program = program;
        this.machine = program.machine();
        this.limits = limits;
        this.fingerprint = fingerprint;
        this.dpor = new Dpor(machine, limits.maxSteps());
    }

    /// Explores `program` once.
    ///
    /// @param fingerprint identifies the program in the schedules that are handed out
    public static Exploration explore(Program program, Limits limits, String fingerprint) {
        return new Explorer(program, limits, fingerprint).explore();
    }

    /// Explores the program from the beginning.
    public Exploration explore() {
        start = System.nanoTime();
        executions = 0;
        superfluous = 0;
        cut = 0;
        steps = 0;
        dpor.forgetEverything();
        boolean more = true;
        while (more && !atLimit()) {
            dpor.begin();
            machine.run(dpor);
            steps += dpor.steps();
            if (dpor.superfluous()) {
                superfluous++;
            } else {
                finish();
                dpor.planRaces();
            }
            more = dpor.backtrack();
        }
        return soFar(!more && cut == 0);
    }

    private void finish() {
        if (dpor.cut()) {
            cut++;
        } else {
            executions++;
        }
        program.finished(new Ended(Ending.Kind.of(machine)));
    }

    private boolean atLimit() {
        long done = executions + superfluous + cut;
        if (executions + cut >= limits.maxExecutions()) {
            return true;
        }
        if (done % EXECUTIONS_BETWEEN_LOOKS != 0) {
            return false;
        }
        limits.progress().accept(soFar(false));
        return limits.stop().getAsBoolean()
                || System.nanoTime() - start > limits.timeout().toNanos();
    }

    private Exploration soFar(boolean complete) {
        Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
        double fraction = complete ? 1 : dpor.fraction();
        return new Exploration(executions, superfluous, cut, steps, complete, elapsed)
                .withCoverage(Coverage.ofTree(dpor.steps(), fraction));
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
            return dpor.steps();
        }

        @Override
        public int switches() {
            return dpor.switches();
        }

        @Override
        public Schedule schedule() {
            return new Schedule(fingerprint, dpor.schedule());
        }
    }
}
