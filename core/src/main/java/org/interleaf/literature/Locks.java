// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.literature;

import org.interleaf.machine.Mutex;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;

/// Locks, and structures that are built on them or do without.
final class Locks {
    private Locks() {}

    static void circularBuffer(Scenario s, int n) {
        Mutex m = s.mutex("m");
        Word value = s.word("val", 0);
        Word toSend = s.word("snd", 1);
        Word toReceive = s.word("rcv", 0);
        s.task(
                () -> {
                    for (int k = 0; k < n; k++) {
                        m.lock();
                        if (toSend.readPlain() != 0) {
                            value.writePlain(k);
                            toSend.writePlain(0);
                            toReceive.writePlain(1);
                        }
                        m.unlock();
                    }
                });
        s.task(
                () -> {
                    for (int k = 0; k < n; k++) {
                        m.lock();
                        if (toReceive.readPlain() != 0) {
                            toReceive.writePlain(0);
                            toSend.writePlain(1);
                        }
                        m.unlock();
                    }
                });
    }

    static void peterson(Scenario s) {
        Word[] f = s.words("f", 2, 0);
        Word turn = s.word("turn", 0);
        Word c = s.word("c", 0);
        for (int t = 0; t < 2; t++) {
            int i = t;
            s.task(
                    () -> {
                        f[i].writeOnce(1);
                        turn.writeOnce(1 - i);
                        if (f[1 - i].readOnce() != 0) {
                            turn.await(-1, i);
                        }
                        c.writeOnce(i);
                        c.readOnce();
                        f[i].writeOnce(0);
                    });
        }
    }

    static void ticketLock(Scenario s, int n) {
        Word next = s.word("next", 0);
        Word owner = s.word("owner", 0);
        Word c = s.word("c", 0);
        s.identicalTasks(
                n,
                i ->
                        () -> {
                            long t = next.fetchAdd(1, Order.FULL);
                            owner.await(-1, t);
                            c.writeOnce(c.readOnce() + 1);
                            owner.writeOnce(t + 1);
                        });
    }

    /// A lock that is spun for by compare-and-swap is waited for, as a mutex.
    static void spinLock(Scenario s, int n) {
        incrementUnder(s, s.mutex("l"), n);
    }

    static void mutexIncrement(Scenario s, int n) {
        incrementUnder(s, s.mutex("m"), n);
    }

    private static void incrementUnder(Scenario s, Mutex lock, int n) {
        Word c = s.word("c", 0);
        s.identicalTasks(
                n,
                i ->
                        () -> {
                            lock.lock();
                            c.writePlain(c.readPlain() + 1);
                            lock.unlock();
                        });
    }

    static void mcs(Scenario s, int n) {
        Word[] nx = s.words("next", n + 1, 0);
        Word[] lk = s.words("locked", n + 1, 0);
        Word tail = s.word("tail", 0);
        Word c = s.word("c", 0);
        for (int t = 1; t <= n; t++) {
            int i = t;
            s.task(
                    () -> {
                        nx[i].writeOnce(0);
                        lk[i].writeOnce(1);
                        int p = (int) tail.xchg(i, Order.FULL);
                        if (p != 0) {
                            nx[p].writeOnce(i);
                            lk[i].await(-1, 0);
                        }
                        c.writeOnce(c.readOnce() + 1);
                        int next = (int) nx[i].readOnce();
                        if (next == 0) {
                            if (Scenario.cas(tail, i, 0)) {
                                return;
                            }
                            next = (int) nx[i].awaitNot(-1, 0);
                        }
                        lk[next].writeOnce(0);
                    });
        }
    }

    static void treiber(Scenario s, int n) {
        Word top = s.word("top", 0);
        Word[] nxt = s.words("nxt", n + 1, 0);
        s.identicalTasks(
                n,
                i ->
                        () -> {
                            s.assume(push(top, nxt[i + 1], i + 1));
                            s.assume(pop(top, nxt));
                        });
    }

    private static boolean push(Word top, Word next, int i) {
        for (int k = 0; k < 2; k++) {
            long t = top.readOnce();
            next.writeOnce(t);
            if (Scenario.cas(top, t, i)) {
                return true;
            }
        }
        return false;
    }

    private static boolean pop(Word top, Word[] nxt) {
        for (int k = 0; k < 2; k++) {
            long t = top.readOnce();
            if (t == 0) {
                return true;
            }
            if (Scenario.cas(top, t, nxt[(int) t].readOnce())) {
                return true;
            }
        }
        return false;
    }

    static void seqlock(Scenario s, int n) {
        Word seq = s.word("s", 0);
        Word a = s.word("a", 0);
        Word b = s.word("b", 0);
        s.task(
                () -> {
                    for (int k = 1; k <= n; k++) {
                        seq.writeOnce(2 * k - 1);
                        a.writeOnce(k);
                        b.writeOnce(k);
                        seq.writeOnce(2L * k);
                    }
                });
        s.task(
                () -> {
                    long first = seq.await(1, 0);
                    a.readOnce();
                    b.readOnce();
                    seq.await(-1, first);
                });
    }

    static void pageTableWalk(Scenario s, int n) {
        Word pmd = s.word("pmd", 0);
        Word[] pte = s.words("pte", 2, 0);
        Mutex mm = s.mutex("mm");
        Mutex ptl = s.mutex("ptl");
        for (Word entry : pte) {
            s.task(
                    () -> {
                        if (pmd.readOnce() == 0) {
                            mm.lock();
                            if (pmd.readOnce() == 0) {
                                pmd.writeOnce(1);
                            }
                            mm.unlock();
                        }
                        ptl.lock();
                        if (entry.readOnce() == 0) {
                            entry.writeOnce(1);
                        }
                        ptl.unlock();
                    });
        }
        s.task(
                () -> {
                    if (pmd.readOnce() != 0) {
                        ptl.lock();
                        if (pte[0].readOnce() != 0) {
                            pte[0].writeOnce(0);
                        }
                        ptl.unlock();
                    }
                });
        s.identicalTasks(
                n,
                i ->
                        () -> {
                            if (pmd.readOnce() != 0) {
                                pte[0].readOnce();
                            }
                        });
    }
}
