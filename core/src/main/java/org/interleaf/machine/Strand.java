// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import jdk.internal.vm.Continuation;
import jdk.internal.vm.ContinuationScope;

/// A coroutine that runs one body after another: the only place that knows how tasks are suspended.
///
/// A strand whose body ended is used again, so that an execution allocates no stacks; one that was
/// left in the middle of a body is dropped.
final class Strand {
    private static final ContinuationScope SCOPE = new ContinuationScope("interleaf");

    private final Continuation continuation = new Continuation(SCOPE, this::loop);
    private Runnable body = Strand::nothing;
    private boolean idle = true;

    private static void nothing() {}

    private void loop() {
        while (true) {
            body.run();
            idle = true;
            Continuation.yield(SCOPE);
        }
    }

    /// Whether the last body ran to its end.
    boolean idle() {
        return idle;
    }

    /// Gives an idle strand its next body, to be run by {@link #resume}.
    void begin(Runnable newBody) {
        if (!idle) {
            throw new AssertionError("[interleaf internal] a strand was begun in the middle");
        }
        body = newBody;
        idle = false;
    }

    /// Runs the body until it pauses or ends.
    void resume() {
        continuation.run();
    }

    /// Suspends the body that is running; returns when somebody resumes it.
    static void pause() {
        if (!Continuation.yield(SCOPE)) {
            throw new AssertionError(
                    "[interleaf internal] a task was pinned at a scheduling point");
        }
    }
}
