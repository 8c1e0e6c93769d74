// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.litmus.vocabulary.Survey;
import org.interleaf.run.Answer;
import org.interleaf.run.RunOptions;
import org.interleaf.run.TestRunner;
import org.interleaf.trace.Film;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;
import org.jspecify.annotations.Nullable;

/// Where answers come from. Tests of the command line put another one in the place of {@link
/// #REAL}.
@FunctionalInterface
interface Engine {
    /// Loads the kernel model and runs tests on it.
    Engine REAL = new RealEngine();

    /// Keeps the model that it loaded last: a patched one takes a while to compile, and is often
    /// asked for again with another configuration.
    final class RealEngine implements Engine {
        private @Nullable TestRunner last;

        @Override
        public Runner load(RunOptions options) {
            TestRunner runner = last == null ? new TestRunner(options) : last.with(options);
            last = runner;
            return new Runner() {
                @Override
                public Answer check(Source source) {
                    return runner.check(source);
                }

                @Override
                public String fingerprint(LitmusTest test) {
                    return runner.fingerprint(test);
                }

                @Override
                public Survey survey() {
                    return runner.survey();
                }

                @Override
                public Recording replay(Source source, Schedule schedule) {
                    return runner.replay(source, schedule);
                }

                @Override
                public String tables(Source source, @Nullable Schedule schedule, int step) {
                    return runner.tables(source, schedule, step);
                }

                @Override
                public Film film(Source source, @Nullable Schedule schedule) {
                    return runner.film(source, schedule);
                }
            };
        }
    }

    /// Gets the model ready that `options` ask for.
    ///
    /// @throws org.interleaf.patch.PatchException if a patch does not apply or compile
    Runner load(RunOptions options);

    /// Runs tests on a model.
    interface Runner {
        /// Explores a test.
        ///
        /// @throws org.interleaf.litmus.syntax.LitmusException if the test is wrong
        Answer check(Source source);

        /// Identifies a test on this model, as schedules of it do.
        String fingerprint(LitmusTest test);

        /// What the model can tell of itself.
        Survey survey();

        /// Runs one execution again.
        ///
        /// @throws org.interleaf.litmus.syntax.LitmusException if the test is wrong
        /// @throws org.interleaf.explore.ReplayException if the schedule is not one of this test
        Recording replay(Source source, Schedule schedule);

        /// The page tables of all processes before a step of an execution, see {@link
        /// TestRunner#tables}.
        String tables(Source source, @Nullable Schedule schedule, int step);

        /// The same with pictures of the machine.
        ///
        /// @param schedule which execution; null for one task after the other
        Film film(Source source, @Nullable Schedule schedule);
    }
}
