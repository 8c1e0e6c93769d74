// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Mutex;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;

/// The programs with which the literature of partial order reduction compares its tools, by the
/// names that Nidhugg and GenMC use. An execution counts where no `assume()` failed in it.
final class Literature {
    private Literature() {}

    static Scenario make(String name, int n) {
        Scenario s = new Scenario(1);
        switch (name) {
            case "mp" -> mp(s);
            case "sbring" -> ring(s, n, true);
            case "lbring" -> ring(s, n, false);
            case "iriw" -> iriw(s);
            case "wrc" -> wrc(s);
            case "twoplus2w" -> twoPlusTwoW(s);
            case "readers" -> readers(s, n);
            case "lastzero" -> lastZero(s, n);
            case "indexer" -> indexer(s, n);
            case "filesystem" -> fileSystem(s, n);
            case "ainc" -> counters(s, n, 1);
            case "binc" -> counters(s, n, 2);
            case "casrot" -> casRotation(s, n);
            case "casw" -> casAndWrite(s, n);
            case "nwriters1reader" -> writersAndReader(s, n);
            case "co2_2w" -> twoWritesEach(s, n);
            case "floating_read" -> floatingRead(s, n);
            case "lastwrite" -> lastWrite(s, n);
            case "fib_bench" -> fibonacci(s, n);
            case "opt_lock" -> optimisticLock(s, n);
            case "control_flow" -> controlFlow(s, n);
            case "race_param" -> raceParam(s, n);
            case "circbuf" -> circularBuffer(s, n);
            case "ssbexp" -> sleepSetExplosion(s, n);
            case "exp_bug" -> exponentialBug(s, n);
            case "sat_example" -> satExample(s);
            case "peterson" -> peterson(s);
            case "ticketlock" -> ticketLock(s, n);
            case "spinlock" -> spinLock(s, n);
            case "mutexinc" -> mutexIncrement(s, n);
            case "mcs" -> mcs(s, n);
            case "treiber" -> treiber(s, n);
            case "seqlock" -> seqlock(s, n);
            case "ptwalk" -> pageTableWalk(s, n);
            default -> throw new IllegalArgumentException(name);
        }
        return s.seal();
    }

    private static void mp(Scenario s) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        s.task(() -> {
            x.writeOnce(1);
            y.writeOnce(1);
        });
        s.task(() -> {
            y.readOnce();
            x.readOnce();
        });
    }

    private static void ring(Scenario s, int n, boolean storeFirst) {
        Word[] x = s.words("x", n, 0);
        for (int i = 0; i < n; i++) {
            Word mine = x[i];
            Word next = x[(i + 1) % n];
            s.task(() -> {
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

    private static void iriw(Scenario s) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        s.task(() -> x.writeOnce(1));
        s.task(() -> y.writeOnce(1));
        s.task(() -> {
            x.readOnce();
            y.readOnce();
        });
        s.task(() -> {
            y.readOnce();
            x.readOnce();
        });
    }

    private static void wrc(Scenario s) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        s.task(() -> x.writeOnce(1));
        s.task(() -> {
            x.readOnce();
            y.writeOnce(1);
        });
        s.task(() -> {
            y.readOnce();
            x.readOnce();
        });
    }

    private static void twoPlusTwoW(Scenario s) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        s.task(() -> {
            x.writeOnce(1);
            y.writeOnce(2);
        });
        s.task(() -> {
            y.writeOnce(1);
            x.writeOnce(2);
        });
    }

    private static void readers(Scenario s, int n) {
        Word x = s.word("x", 0);
        s.task(() -> x.writeOnce(42));
        for (int i = 0; i < n; i++) {
            s.task(x::readOnce);
        }
    }

    private static void lastZero(Scenario s, int n) {
        Word[] a = s.words("a", n + 1, 0);
        s.task(() -> {
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

    private static void indexer(Scenario s, int n) {
        Word[] table = s.words("t", 128, 0);
        for (int i = 0; i < n; i++) {
            int id = i;
            s.task(() -> {
                for (int m = 1; m <= 4; m++) {
                    int w = m * 11 + id;
                    int h = w * 7 % 128;
                    while (!Scenario.cas(table[h], 0, w)) {
                        h = (h + 1) % 128;
                    }
                }
            });
        }
    }

    private static void fileSystem(Scenario s, int n) {
        Mutex[] li = s.mutexes("li", 32);
        Mutex[] lb = s.mutexes("lb", 26);
        Word[] inode = s.words("inode", 32, 0);
        Word[] busy = s.words("busy", 26, 0);
        for (int t = 0; t < n; t++) {
            int i = t % 32;
            s.task(() -> {
                li[i].lock();
                if (inode[i].readOnce() == 0) {
                    allocate(lb, busy, inode[i], i * 2 % 26);
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
            b = (b + 1) % 26;
        }
    }

    private static void counters(Scenario s, int n, int each) {
        Word[] x = s.words("x", each, 0);
        for (int i = 0; i < n; i++) {
            s.task(() -> {
                for (Word word : x) {
                    word.fetchAdd(1, Order.FULL);
                }
            });
        }
    }

    private static void casRotation(Scenario s, int n) {
        Word x = s.word("x", 0);
        for (int i = 1; i <= n; i++) {
            int id = i;
            s.task(() -> Scenario.cas(x, id - 1, id));
        }
    }

    private static void casAndWrite(Scenario s, int n) {
        Word x = s.word("x", 0);
        for (int i = 0; i < n; i++) {
            int id = i;
            s.task(() -> {
                Scenario.cas(x, 0, 1);
                x.writeOnce(id + 3);
            });
        }
    }

    private static void writersAndReader(Scenario s, int n) {
        Word x = s.word("x", 0);
        for (int i = 0; i < n; i++) {
            s.task(() -> x.writeOnce(1));
        }
        s.task(x::readOnce);
    }

    private static void twoWritesEach(Scenario s, int n) {
        Word x = s.word("x", 0);
        for (int i = 0; i < n; i++) {
            int id = i;
            s.task(() -> {
                x.writeOnce(id);
                x.writeOnce(id);
            });
        }
    }

    private static void fibonacci(Scenario s, int n) {
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

    private static void optimisticLock(Scenario s, int n) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        for (int i = 0; i < 2; i++) {
            int id = i;
            s.task(() -> {
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
    }

    private static void controlFlow(Scenario s, int n) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        Word z = s.word("z", 0);
        for (int i = 0; i < n; i++) {
            s.task(x::readOnce);
            s.task(() -> y.writeOnce(1));
        }
        s.task(() -> {
            if (y.readOnce() == 0) {
                z.writeOnce(1);
            }
        });
        s.task(() -> {
            if (z.readOnce() == 1 && y.readOnce() == 0) {
                x.writeOnce(1);
            }
        });
    }

    private static void raceParam(Scenario s, int n) {
        Word v = s.word("v", 0);
        for (int i = 0; i < 2; i++) {
            int id = i;
            s.task(() -> {
                for (int k = 0; k < n; k++) {
                    v.writeOnce(id);
                    v.readOnce();
                }
            });
        }
    }

    private static void circularBuffer(Scenario s, int n) {
        Mutex m = s.mutex("m");
        for (int i = 0; i < 2; i++) {
            s.task(() -> {
                for (int k = 0; k < n; k++) {
                    m.lock();
                    m.unlock();
                }
            });
        }
    }

    private static void sleepSetExplosion(Scenario s, int n) {
        Mutex[] ma = s.mutexes("ma", n);
        Mutex mi = s.mutex("mi");
        Word c = s.word("c", 0);
        for (Mutex lock : ma) {
            s.task(() -> {
                lock.lock();
                lock.unlock();
            });
        }
        s.task(() -> {
            for (int x = 1; x < n; x++) {
                mi.lock();
                c.poke(x);
                mi.unlock();
            }
        });
        s.task(() -> {
            mi.lock();
            int k = (int) c.peek();
            mi.unlock();
            ma[k].lock();
            ma[k].unlock();
        });
    }

    private static void exponentialBug(Scenario s, int n) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        Mutex l = s.mutex("l");
        s.task(() -> {
            for (int k = 0; k < 2; k++) {
                l.lock();
                x.writeOnce(1);
                for (int i = 0; i < n; i++) {
                    y.writeOnce(1);
                }
                l.unlock();
            }
        });
        s.task(() -> {
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
        s.task(() -> {
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

    private static void satExample(Scenario s) {
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        Word z = s.word("z", 0);
        s.task(() -> z.writeOnce(1));
        s.task(() -> {
            z.readOnce();
            y.writeOnce(1);
        });
        s.task(() -> {
            y.readOnce();
            x.writeOnce(1);
        });
        s.task(() -> x.writeOnce(2));
        s.task(() -> {
            x.readOnce();
            y.writeOnce(2);
            z.readOnce();
        });
        s.task(() -> {
            x.readOnce();
            z.writeOnce(2);
            y.readOnce();
        });
    }

    private static void ticketLock(Scenario s, int n) {
        Word next = s.word("next", 0);
        Word owner = s.word("owner", 0);
        Word c = s.word("c", 0);
        for (int i = 0; i < n; i++) {
            s.task(() -> {
                long t = next.fetchAdd(1, Order.FULL);
                owner.await(-1, t);
                c.writeOnce(c.readOnce() + 1);
                owner.writeOnce(t + 1);
            });
        }
    }

    private static void spinLock(Scenario s, int n) {
        Word l = s.word("l", 0);
        Word c = s.word("c", 0);
        for (int i = 0; i < n; i++) {
            s.task(() -> {
                s.assume(Scenario.cas(l, 0, 1));
                c.writeOnce(c.readOnce() + 1);
                l.writeOnce(0);
            });
        }
    }

    private static void mutexIncrement(Scenario s, int n) {
        Mutex m = s.mutex("m");
        for (int i = 0; i < n; i++) {
            s.task(() -> {
                m.lock();
                m.unlock();
            });
        }
    }

    private static void floatingRead(Scenario s, int n) {
        Word x = s.word("x", 0);
        for (int i = 1; i <= n; i++) {
            int id = i;
            s.task(() -> x.writeOnce(id));
        }
        s.task(x::readOnce);
    }

    private static void lastWrite(Scenario s, int n) {
        Word x = s.word("x", 0);
        Word[] done = s.words("done", n, 0);
        for (int i = 0; i < n; i++) {
            int id = i;
            s.task(() -> {
                x.writeOnce(id + 1);
                done[id].writeOnce(1);
            });
        }
        s.task(() -> {
            for (Word word : done) {
                word.await(-1, 1);
            }
            x.readOnce();
        });
    }

    private static void peterson(Scenario s) {
        Word[] f = s.words("f", 2, 0);
        Word turn = s.word("turn", 0);
        Word c = s.word("c", 0);
        for (int t = 0; t < 2; t++) {
            int i = t;
            s.task(() -> {
                f[i].writeOnce(1);
                turn.writeOnce(1 - i);
                if (f[1 - i].readOnce() != 0) {
                    s.assume(turn.readOnce() == i);
                }
                c.writeOnce(i);
                c.readOnce();
                f[i].writeOnce(0);
            });
        }
    }

    private static void mcs(Scenario s, int n) {
        Word[] nx = s.words("next", n + 1, 0);
        Word[] lk = s.words("locked", n + 1, 0);
        Word tail = s.word("tail", 0);
        Word c = s.word("c", 0);
        for (int t = 1; t <= n; t++) {
            int i = t;
            s.task(() -> {
                nx[i].writeOnce(0);
                lk[i].writeOnce(1);
                int p = (int) tail.xchg(i, Order.FULL);
                if (p != 0) {
                    nx[p].writeOnce(i);
                    s.assume(lk[i].readOnce() == 0);
                }
                c.writeOnce(c.readOnce() + 1);
                int next = (int) nx[i].readOnce();
                if (next == 0) {
                    if (Scenario.cas(tail, i, 0)) {
                        return;
                    }
                    next = (int) nx[i].readOnce();
                    s.assume(next != 0);
                }
                lk[next].writeOnce(0);
            });
        }
    }

    private static void treiber(Scenario s, int n) {
        Word top = s.word("top", 0);
        Word[] nxt = s.words("nxt", n + 1, 0);
        for (int t = 1; t <= n; t++) {
            int i = t;
            s.task(() -> {
                s.assume(push(top, nxt[i], i));
                s.assume(pop(top, nxt));
            });
        }
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

    private static void seqlock(Scenario s, int n) {
        Word seq = s.word("s", 0);
        Word a = s.word("a", 0);
        Word b = s.word("b", 0);
        s.task(() -> {
            for (int k = 1; k <= n; k++) {
                seq.writeOnce(2 * k - 1);
                a.writeOnce(k);
                b.writeOnce(k);
                seq.writeOnce(2 * k);
            }
        });
        s.task(() -> {
            long first = seq.readOnce();
            s.assume((first & 1) == 0);
            a.readOnce();
            b.readOnce();
            s.assume(seq.readOnce() == first);
        });
    }

    private static void pageTableWalk(Scenario s, int n) {
        Word pmd = s.word("pmd", 0);
        Word[] pte = s.words("pte", 2, 0);
        Mutex mm = s.mutex("mm");
        Mutex ptl = s.mutex("ptl");
        for (Word entry : pte) {
            s.task(() -> {
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
        s.task(() -> {
            if (pmd.readOnce() != 0) {
                ptl.lock();
                if (pte[0].readOnce() != 0) {
                    pte[0].writeOnce(0);
                }
                ptl.unlock();
            }
        });
        for (int i = 0; i < n; i++) {
            s.task(() -> {
                if (pmd.readOnce() != 0) {
                    pte[0].readOnce();
                }
            });
        }
    }
}
