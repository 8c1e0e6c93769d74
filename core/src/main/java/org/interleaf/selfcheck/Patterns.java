// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.machine.Order;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.function.BooleanSupplier;

/// Statements of random programs that are more than one access: the patterns in which kernel code
/// uses words and locks.
final class Patterns {
    private static final int ATTEMPTS = 2;

    private Patterns() {}

    /// A compare-and-swap that is tried a fixed number of times, each with what the last one found.
    static void attempts(Playground on, int x) {
        long expected = 0;
        for (int i = 0; i < ATTEMPTS; i++) {
            long found = on.words[x].cmpxchg(expected, expected + 1, Order.FULL);
            on.see(found);
            if (found == expected) {
                return;
            }
            expected = found;
        }
    }

    /// `spin_lock(a); if (!spin_trylock(b)) { spin_unlock(a); goto retry; }`
    static void lockBoth(Playground on, int x) {
        Rounds rounds = null;
        while (true) {
            rounds = on.machine.retry(rounds, "lock both");
            on.spins[x].lock();
            if (on.spins[1 - x].trylock()) {
                break;
            }
            on.spins[x].unlock();
        }
        rounds.end();
    }

    /// Gives back what {@link #lockBoth} took, whichever was taken.
    static void unlockBoth(Playground on) {
        for (int i = 1; i >= 0; i--) {
            if (on.holds(on.spins[i])) {
                on.spins[i].unlock();
            }
        }
    }

    /// Reads two words between the begin and the retry of a sequence counter.
    static void readConsistently(Playground on, int x) {
        Rounds rounds = on.machine.rounds("seqlock");
        long start;
        long seen;
        do {
            rounds.next();
            start = on.seq.readBegin();
            seen = on.words[x].readOnce() << 2 | on.words[(x + 1) % 3].readOnce();
        } while (on.seq.readRetry(start));
        rounds.end();
        on.see(seen);
    }

    /// Writes two words inside a write section of the sequence counter.
    static void writeConsistently(Playground on, int x, int y) {
        on.seq.writeBegin();
        on.words[x].writeOnce(y);
        on.words[(x + 1) % 3].writeOnce(y);
        on.seq.writeEnd();
    }

    /// `wait_event()`.
    static void waitEvent(Playground on, int x, int y) {
        Rounds rounds = on.machine.rounds("wait_event");
        while (true) {
            rounds.next();
            on.queue.prepare();
            long found = on.words[x].readOnce();
            if (found != y) {
                on.see(found);
                break;
            }
            on.queue.sleep();
        }
        rounds.end();
        on.queue.finish();
    }

    /// A loop that counts its rounds and gives up.
    static void countedLoop(Playground on, int x, int y) {
        Rounds rounds = on.machine.rounds("counted");
        int left = ATTEMPTS;
        rounds.begin(null);
        while (on.words[x].readOnce() != y && left-- > 0) {
            rounds.again(true);
            rounds.begin(null);
        }
        rounds.end();
        on.see(left);
    }

    /// A spin loop, at most of what can be tried out.
    static void spin(Playground on, BooleanSupplier done) {
        on.machine.spin("loop", () -> !done.getAsBoolean());
    }

    /// `refcount_inc_not_zero()`, and look once more whether the object is still the one published.
    static void getReference(Playground on) {
        Rounds rounds = on.machine.rounds("get");
        Playground.Node node;
        do {
            rounds.next();
            node = on.head.readOnce();
        } while (node != null && !held(on, node));
        rounds.end();
        on.see(node == null ? 0 : 1);
    }

    private static boolean held(Playground on, Playground.Node node) {
        if (node.word.addUnless(1, 0, Order.FULL) == 0) {
            return on.head.readOnce() != node;
        }
        return on.head.readOnce() == node;
    }

    /// Takes the object off the list, and frees it after a grace period.
    static void retire(Playground on, boolean wait) {
        Playground.@Nullable Node node = on.head.readOnce();
        if (node == null) {
            return;
        }
        on.head.writeOnce(null);
        if (wait) {
            on.machine.rcu().synchronize();
            node.region.free();
        } else {
            on.machine.rcu().call(node.region::free);
        }
    }

    /// Follows the pointer inside an RCU read section, and locks what is there.
    static void followSafely(Playground on) {
        on.machine.rcu().readLock();
        Playground.Node node = on.head.readOnce();
        if (node != null) {
            node.lock.lock();
            on.see(node.word.readOnce());
            node.lock.unlock();
        }
        on.machine.rcu().readUnlock();
    }

    /// Makes a word that only this task has, as a local variable on the stack would be.
    static void ownWord(Playground on, int y) {
        Word own = on.machine.word("own", y);
        on.see(own.fetchAdd(1, Order.RELAXED) + own.readOnce());
    }

    /// A word that is told by what was seen last.
    static Word told(Playground on, int x) {
        return on.words[(int) (x + on.local().last & 1)];
    }
}
