// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.literature;

import org.interleaf.machine.Mutex;
import org.interleaf.machine.Word;

/// The programs of the papers on partial order reduction.
final class Classics {
    /// Size of the indexer's hash table.
    static final int SLOTS = 128;

    /// How many messages each of its tasks puts there.
    static final int MESSAGES = 4;

    /// How many blocks the file system has.
    static final int BLOCKS = 26;

    private static final int INODES = 32;

    private Classics() {}

    static void lastZero(Scenario s, int n) {
        Word[] a = s.words("a", n + 1, 0);
        s.task(
                () -> {
                    int i = n;
                    while (a[i].readOnce() != 0) {
                        i--;
                    }
                });
        for (int j = 1; j <= n; j++) {
            Word from = a[j - 1];
            Word to = a[j];
            s.task(() -> to.writeOnce(from.readOnce() + 1));
        }
    }

    static void indexer(Scenario s, int n) {
        Word[] table = s.words("t", SLOTS, 0);
        for (int i = 0; i < n; i++) {
            int id = i;
            s.task(
                    () -> {
                        for (int m = 1; m <= MESSAGES; m++) {
                            int w = m * 11 + id;
                            int h = w * 7 % SLOTS;
                            while (!Scenario.cas(table[h], 0, w)) {
                                h = (h + 1) % SLOTS;
                            }
                        }
                    });
        }
    }

    static void fileSystem(Scenario s, int n) {
        Mutex[] li = s.mutexes("li", INODES);
        Mutex[] lb = s.mutexes("lb", BLOCKS);
        Word[] inode = s.words("inode", INODES, 0);
        Word[] busy = s.words("busy", BLOCKS, 0);
        for (int t = 0; t < n; t++) {
            int i = t % INODES;
            s.task(
                    () -> {
                        li[i].lock();
                        if (inode[i].readOnce() == 0) {
                            allocate(lb, busy, inode[i], i * 2 % BLOCKS);
                        }
                        li[i].unlock();
                    });
        }
    }

    private static void allocate(Mutex[] lb, Word[] busy, Word inode, int first) {
        int b = first;
        while (true) {
            lb[b].lock();
            if (busy[b].readOnce() == 0) {
                busy[b].writeOnce(1);
                inode.writeOnce(b + 1);
                lb[b].unlock();
                return;
            }
            lb[b].unlock();
            b = (b + 1) % BLOCKS;
        }
    }

    static void fibonacci(Scenario s, int n) {
        Word vi = s.word("i", 1);
        Word vj = s.word("j", 1);
        s.task(() -> addUp(vi, vj, n));
        s.task(() -> addUp(vj, vi, n));
    }

    private static void addUp(Word mine, Word other, int n) {
        for (int k = 0; k < n; k++) {
            long a = mine.readOnce();
            long b = other.readOnce();
            mine.writeOnce(a + b);
        }
    }

    static void optimisticLock(Scenario s, int n) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        s.identicalTasks(
                2,
                id ->
                        () -> {
                            for (int k = 0; k < n; k++) {
                                x.writeOnce(id);
                                y.writeOnce(1);
                                if (x.readOnce() == id) {
                                    y.readOnce();
                                    break;
                                }
                            }
                        });
    }

    static void controlFlow(Scenario s, int n) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        Word z = s.word("z", 0);
        s.identicalTasks(n, i -> x::readOnce);
        s.identicalTasks(n, i -> () -> y.writeOnce(1));
        s.task(
                () -> {
                    if (y.readOnce() == 0) {
                        z.writeOnce(1);
                    }
                });
        s.task(
                () -> {
                    if (z.readOnce() == 1 && y.readOnce() == 0) {
                        x.writeOnce(1);
                    }
                });
    }

    static void sleepSetExplosion(Scenario s, int n) {
        Mutex[] ma = s.mutexes("ma", n);
        Mutex mi = s.mutex("mi");
        Word c = s.word("c", 0);
        for (Mutex lock : ma) {
            s.task(
                    () -> {
                        lock.lock();
                        lock.unlock();
                    });
        }
        s.task(
                () -> {
                    for (int x = 1; x < n; x++) {
                        mi.lock();
                        c.writePlain(x);
                        mi.unlock();
                    }
                });
        s.task(
                () -> {
                    mi.lock();
                    int k = (int) c.readPlain();
                    mi.unlock();
                    ma[k].lock();
                    ma[k].unlock();
                });
    }

    static void exponentialBug(Scenario s, int n) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        Mutex l = s.mutex("l");
        s.task(
                () -> {
                    for (int k = 0; k < 2; k++) {
                        l.lock();
                        x.writeOnce(1);
                        for (int i = 0; i < n; i++) {
                            y.writeOnce(1);
                        }
                        l.unlock();
                    }
                });
        s.task(
                () -> {
                    for (int k = 0; k < 2; k++) {
                        l.lock();
                        x.writeOnce(0);
                        l.unlock();
                        if (x.readOnce() > 0) {
                            y.writeOnce(y.readOnce() + 1);
                            x.writeOnce(2);
                        }
                    }
                });
        s.task(
                () -> {
                    for (int k = 0; k < 2; k++) {
                        if (x.readOnce() > 1) {
                            if (y.readOnce() == 3) {
                                return;
                            }
                            y.writeOnce(2);
                        }
                    }
                });
    }

    static void satExample(Scenario s) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        Word z = s.word("z", 0);
        s.task(() -> z.writeOnce(1));
        s.task(
                () -> {
                    z.readOnce();
                    y.writeOnce(1);
                });
        s.task(
                () -> {
                    y.readOnce();
                    x.writeOnce(1);
                });
        s.task(() -> x.writeOnce(2));
        s.task(
                () -> {
                    x.readOnce();
                    y.writeOnce(2);
                    z.readOnce();
                });
        s.task(
                () -> {
                    x.readOnce();
                    z.writeOnce(2);
                    y.readOnce();
                });
    }

    /// The first task starts the others, one after each step of `idx`. That a task is started is a
    /// word that it waits for: the write that sets it cannot come later than the wait, so starting
    /// races with nothing.
    static void sigma(Scenario s, int n) {
        Word[] a = s.words("a", n, 0);
        Word idx = s.word("idx", -1);
        Word[] spawned = s.words("spawned", n, 0);
        s.task(
                () -> {
                    for (Word started : spawned) {
                        idx.writeOnce(idx.readOnce() + 1);
                        started.writeOnce(1);
                    }
                });
        for (Word started : spawned) {
            s.task(
                    () -> {
                        started.await(-1, 1);
                        a[(int) idx.readOnce()].writeOnce(1);
                    });
        }
    }
}
