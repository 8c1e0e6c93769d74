// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import jdk.internal.vm.Continuation;
import jdk.internal.vm.ContinuationScope;

/// A coroutine that runs one body after another: the only place that knows how tasks are suspended.
///
/// A strand whose body ended is used again, so that an execution allocates no stacks; one that was
/// left in the middle of a body is dropped.
///
/// A young strand changes its stack now and then. The outermost frames of a stack stay what they
/// were when it was made; while the JVM has not compiled them, every switch to it takes several
/// times as long.
final class Strand {
    private static final ContinuationScope SCOPE = new ContinuationScope("interleaf");
    private static final int BODIES_OF_A_YOUNG_STACK = 64;
    private static final int BODIES_UNTIL_COMPILED = 8192;

    private Continuation continuation = new Continuation(SCOPE, this::loop);
    private int bodies;
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
        if (++bodies % BODIES_OF_A_YOUNG_STACK == 0 && bodies <= BODIES_UNTIL_COMPILED) {
            continuation = new Continuation(SCOPE, this::loop);
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
