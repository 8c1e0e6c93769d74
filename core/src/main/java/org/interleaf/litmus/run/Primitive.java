// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.machine.Fence;
import org.jspecify.annotations.Nullable;

/// The nodes for what the machine offers beside memory: barriers, locks, RCU.
public final class Primitive {
    private Primitive() {}

    /// A memory barrier.
    public record Barrier(Fence kind) implements Node {
        @Override
        public long eval(Frame frame) {
            frame.machine().fence(kind);
            return 0;
        }
    }

    /// `data_race()`; yields the expression.
    public record DataRace(Node expression) implements Node {
        @Override
        public long eval(Frame frame) {
            return frame.machine().dataRace(() -> expression.eval(frame));
        }
    }

    /// What a task does without an argument, such as `rcu_read_lock()`.
    public record Action(Step step) implements Node {
        @Override
        public long eval(Frame frame) {
            frame.did();
            step.run(frame);
            return 0;
        }
    }

    /// One thing that a task does.
    @FunctionalInterface
    public interface Step {
        void run(Frame frame);
    }

    /// What a task does with the lock at an address.
    public record LockAction<L>(Node address, Find<L> find, Use<L> use, CallSite site)
            implements Node {
        @Override
        public long eval(Frame frame) {
            Variable variable = frame.context().memory().variableAt(address.eval(frame));
            L lock = variable == null ? null : find.in(variable);
            if (lock == null) {
                throw frame.fatal(site, "BUG", site.function() + "() of something that is no lock");
            }
            return use.of(lock, frame);
        }
    }

    /// Which lock of a variable is meant.
    @FunctionalInterface
    public interface Find<L> {
        @Nullable L in(Variable variable);
    }

    /// What is done with a lock, and what comes of it.
    @FunctionalInterface
    public interface Use<L> {
        long of(L lock, Frame frame);
    }

    /// `srcu_read_unlock(s, index)`.
    public record SrcuUnlock(Node address, Node index, CallSite site) implements Node {
        @Override
        public long eval(Frame frame) {
            Variable variable = frame.context().memory().variableAt(address.eval(frame));
            Srcu srcu = variable == null ? null : variable.srcu();
            if (srcu == null) {
                throw frame.fatal(
                        site, "BUG", site.function() + "() of something that is no srcu_struct");
            }
            long token = index.eval(frame);
            frame.did();
            if (!srcu.readUnlock(token)) {
                frame.complain(site, "WARNING", site.function() + "() of a section not open");
            }
            return 0;
        }
    }

    /// `WARN_ON()` and `BUG_ON()`; yields the condition.
    public record Complain(Node condition, String kind, boolean fatal, CallSite site)
            implements Node {
        @Override
        public long eval(Frame frame) {
            boolean wrong = condition.eval(frame) != 0;
            if (wrong && fatal) {
                throw frame.fatal(site, kind, site.function());
            }
            if (wrong) {
                frame.complain(site, kind, site.function());
            }
            return Arithmetic.truth(wrong);
        }
    }
}
