// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.junit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// A test that sets up an {@link org.interleaf.experiment.Experiment}, its only parameter, which is
/// then run through every interleaving.
///
/// ```
/// @Explore
/// void noUpdateIsLost(Experiment test) {
///     Word x = test.word("x", 0);
///     SpinLock lock = test.spinLock("lock");
///     for (String task : List.of("one", "two")) {
///         test.task(task, () -> {
///             lock.lock();
///             x.writeOnce(x.readOnce() + 1);
///             lock.unlock();
///         });
///     }
///     test.atEnd(() -> assertEquals(2, x.peek()));
/// }
/// ```
///
/// The test passes where every execution was seen and none fails. It fails with the simplest
/// failing execution as a trace, and also where the limits did not suffice to see all.
///
/// The JVM that runs the tests needs `--add-exports java.base/jdk.internal.vm=ALL-UNNAMED`.
@Test
@ExtendWith(ExploreExtension.class)
@Documented
@Target({ElementType.METHOD, ElementType.ANNOTATION_TYPE})
@Retention(RetentionPolicy.RUNTIME)
public @interface Explore {
    /// Number of CPUs. Tasks are put on them in turn.
    int cpus() default 4;

    /// How long to explore, in seconds.
    long seconds() default 60;

    /// The number of executions after which to give up.
    long maxExecutions() default Long.MAX_VALUE;

    /// The number of steps at which an execution is cut: what loops forever needs a bound.
    int maxSteps() default 10_000;

    /// The token of a failed execution, as its failure prints it: runs that one only.
    String replay() default "";
}
