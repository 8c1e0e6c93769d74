// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.literature;

import org.interleaf.machine.Order;
import org.interleaf.machine.Word;

/// The shapes of the memory-model literature, and programs that are one access or two a task.
final class Shapes {
    private Shapes() {}

    static void mp(Scenario s) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        s.task(
                () -> {
                    x.writeOnce(1);
                    y.writeOnce(1);
                });
        s.task(
                () -> {
                    y.readOnce();
                    x.readOnce();
                });
    }

    static void ring(Scenario s, int n, boolean storeFirst) {
        Word[] x = s.words("x", n, 0);
        for (int i = 0; i < n; i++) {
            Word mine = x[i];
            Word next = x[(i + 1) % n];
            s.task(
                    () -> {
                        if (storeFirst) {
                            mine.writeOnce(1);
                        }
                        next.readOnce();
                        if (!storeFirst) {
                            mine.writeOnce(1);
                        }
                    });
        }
    }

    static void iriw(Scenario s) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        s.task(() -> x.writeOnce(1));
        s.task(() -> y.writeOnce(1));
        s.task(
                () -> {
                    x.readOnce();
                    y.readOnce();
                });
        s.task(
                () -> {
                    y.readOnce();
                    x.readOnce();
                });
    }

    static void wrc(Scenario s) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        s.task(() -> x.writeOnce(1));
        s.task(
                () -> {
                    x.readOnce();
                    y.writeOnce(1);
                });
        s.task(
                () -> {
                    y.readOnce();
                    x.readOnce();
                });
    }

    static void twoPlusTwoW(Scenario s) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        s.task(
                () -> {
                    x.writeOnce(1);
                    y.writeOnce(2);
                });
        s.task(
                () -> {
                    y.writeOnce(1);
                    x.writeOnce(2);
                });
    }

    static void readers(Scenario s, int n) {
        Word x = s.word("x", 0);
        s.task(() -> x.writeOnce(42));
        s.identicalTasks(n, i -> x::readOnce);
    }

    static void counters(Scenario s, int n, int each) {
        Word[] x = s.words("x", each, 0);
        s.identicalTasks(
                n,
                i ->
                        () -> {
                            for (Word word : x) {
                                word.add(1, Order.FULL);
                            }
                        });
    }

    static void casRotation(Scenario s, int n) {
        Word x = s.word("x", 0);
        for (int i = 1; i <= n; i++) {
            int id = i;
            s.task(() -> Scenario.cas(x, id - 1, id));
        }
    }

    static void casAndWrite(Scenario s, int n) {
        Word x = s.word("x", 0);
        s.identicalTasks(
                n,
                id ->
                        () -> {
                            Scenario.cas(x, 0, 1);
                            x.writeOnce(id + 3);
                        });
    }

    static void writersAndReader(Scenario s, int n) {
        Word x = s.word("x", 0);
        s.identicalTasks(n, i -> () -> x.writeOnce(1));
        s.task(x::readOnce);
    }

    static void twoWritesEach(Scenario s, int n) {
        Word x = s.word("x", 0);
        s.identicalTasks(
                n,
                id ->
                        () -> {
                            x.writeOnce(id);
                            x.writeOnce(id);
                        });
    }

    static void floatingRead(Scenario s, int n) {
        Word x = s.word("x", 0);
        s.identicalTasks(n, i -> () -> x.writeOnce(i + 1));
        s.task(x::readOnce);
    }

    static void lastWrite(Scenario s, int n) {
        Word x = s.word("x", 0);
        Word[] done = s.words("done", n, 0);
        for (int i = 0; i < n; i++) {
            int id = i;
            s.task(
                    () -> {
                        x.writeOnce(id + 1);
                        done[id].writeOnce(1);
                    });
        }
        s.task(
                () -> {
                    for (Word word : done) {
                        word.await(-1, 1);
                    }
                    x.readOnce();
                });
    }

    static void raceParam(Scenario s, int n) {
        Word v = s.word("v", 0);
        s.identicalTasks(
                2,
                id ->
                        () -> {
                            for (int k = 0; k < n; k++) {
                                v.writeOnce(id);
                                v.readOnce();
                            }
                        });
    }

    static void lostUpdates(Scenario s) {
        Word x = s.word("x", 0);
        s.identicalTasks(
                3,
                i ->
                        () -> {
                            for (int k = 0; k < 15; k++) {
                                x.writeOnce(x.readOnce() + 1);
                            }
                        });
    }

    static void redundantCoherence(Scenario s, int n) {
        Word x = s.word("x", 0);
        s.identicalTasks(
                2,
                i ->
                        () -> {
                            for (int k = 0; k < n; k++) {
                                x.writeOnce(i + 1);
                            }
                        });
        s.task(
                () -> {
                    x.readOnce();
                    x.readOnce();
                });
    }
}
