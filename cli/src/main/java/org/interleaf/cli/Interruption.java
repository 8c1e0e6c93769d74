// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Ctrl-C, or a request to terminate. The exploration is asked to stop, and the JVM's end is held
/// up until what was covered so far has been printed. The exit status is the JVM's then: 128 and
/// the number of the signal, 130 after Ctrl-C.
final class Interruption {
    private static final long PATIENCE_SECONDS = 10;

    private final CountDownLatch finished = new CountDownLatch(1);
    private volatile boolean requested;

    /// Has interruptions reported to an object of this class.
    static Interruption install() {
        Interruption interruption = new Interruption();
        Thread hook = new Thread(interruption::onShutdown, "interruption");
        Runtime.getRuntime().addShutdownHook(hook);
        return interruption;
    }

    /// Whether to stop as soon as possible.
    boolean requested() {
        return requested;
    }

    /// All has been printed.
    void finished() {
        finished.countDown();
    }

    void onShutdown() {
        requested = true;
        try {
            if (!finished.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                // The JVM ends all the same; there is nobody left to tell.
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
