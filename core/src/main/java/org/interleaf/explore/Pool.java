// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.jspecify.annotations.Nullable;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;

/// What several workers share: what is left to do, and when to stop. A worker takes something, does
/// it alone, and gives a part of it away when others have nothing to do. For a checkpoint all give
/// everything away: then this is all that there is to know.
///
/// @param <T> what takes something to do
abstract class Pool<T> {
    private int workers;
    private int idle;
    private boolean stopped;
    private @Nullable Runnable atPause;

    /// Whether workers should look in here: read without the lock, as a hint.
    private volatile boolean wanted;

    /// Begins a new exploration, once no worker is left of an earlier one.
    synchronized void begin() {
        workers = 0;
        idle = 0;
        stopped = false;
        atPause = null;
        wanted = false;
    }

    /// A worker for `program`.
    abstract Worker worker(Program program, Limits limits, String fingerprint);

    // ---- workers

    synchronized void join() {
        workers++;
    }

    synchronized void leave() {
        workers--;
        notifyAll();
    }

    /// Has everybody stop. What is left to do stays here.
    synchronized void stop() {
        stopped = true;
        wanted = true;
        notifyAll();
    }

    /// Has everybody give away what there is, has `action` run once when it is all here, and has
    /// everybody go on.
    synchronized void pause(Runnable action) {
        atPause = action;
        wanted = true;
        notifyAll();
    }

    /// Whether a worker should give something away.
    boolean wanted() {
        return wanted;
    }

    /// Whether a worker should give everything away, and come to {@link #take}.
    synchronized boolean recalls() {
        return stopped || atPause != null;
    }

    /// Something was given away.
    synchronized void given() {
        wanted = recalls();
        notifyAll();
    }

    /// Whether anybody has nothing to do.
    synchronized boolean anyIdle() {
        return idle > 0;
    }

    // ---- work

    /// Takes something to do for `worker`; waits until there is something. False where nothing is
    /// left, or all were stopped.
    synchronized boolean take(T worker) {
        idle++;
        try {
            while (!stopped) {
                if (atPause == null && takeNow(worker)) {
                    return true;
                }
                if (atPause == null && idle == workers) {
                    notifyAll();
                    return false;
                }
                if (atPause != null && idle == workers) {
                    atPause.run();
                    atPause = null;
                    notifyAll();
                    continue;
                }
                wanted = true;
                wait();
            }
            return false;
        } catch (InterruptedException e) {
            stop();
            Thread.currentThread().interrupt();
            return false;
        } finally {
            idle--;
        }
    }

    /// The same, now, if there is something. Called with the lock.
    abstract boolean takeNow(T worker);

    /// Whether all has been explored.
    abstract boolean done();

    /// About which part has been explored, by what the workers reported last.
    abstract double fraction();

    // ---- checkpoints, while nobody works

    /// Writes what is left.
    abstract void save(DataOutputStream out) throws IOException;

    /// Goes on from where an earlier exploration stopped.
    abstract void load(DataInputStream in) throws IOException;
}
