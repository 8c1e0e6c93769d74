// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.literature.Scenario;
import org.interleaf.machine.Loops;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.Word;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;

/// Loops that wait for others: explored as if they were waits, reported where they never end.
final class WaitingLoopsTest {
    private static Exploration explore(Scenario s) {
        return Explorer.explore(s.seal(), Limits.NONE, "test");
    }

    private static long complete(Consumer<Scenario> program) {
        Scenario s = new Scenario(1);
        program.accept(s);
        Exploration found = explore(s);
        assertThat(found.complete()).isTrue();
        assertThat(s.blocked() + s.livelocked()).isZero();
        return s.complete();
    }

    private static void ticketLock(Scenario s, int n) {
        Word next = s.word("next", 0);
        Word owner = s.word("owner", 0);
        Word c = s.word("c", 0);
        for (int i = 0; i < n; i++) {
            s.task(
                    () -> {
                        long ticket = next.fetchAdd(1, Order.FULL);
                        s.machine().spin("ticket", () -> owner.readOnce() != ticket);
                        c.writeOnce(c.readOnce() + 1);
                        owner.writeOnce(ticket + 1);
                    });
        }
    }

    @Test
    void aTicketLockThatReadsInALoopIsOneThatAwaits() {
        assertThat(complete(s -> ticketLock(s, 3))).isEqualTo(6);
        assertThat(complete(s -> ticketLock(s, 4))).isEqualTo(24);
        assertThat(complete(s -> ticketLock(s, 5))).isEqualTo(120);
    }

    @Test
    void nothingSuperfluousIsRunForALoopThatLooksAtOnePlace() {
        Scenario s = new Scenario(1);
        ticketLock(s, 4);
        Exploration found = explore(s);
        assertThat(found.superfluous() + found.fruitless()).isZero();
    }

    private static void spinLock(Scenario s, int n, Consumer<Word> lock) {
        Word l = s.word("l", 0);
        Word c = s.word("c", 0);
        for (int i = 0; i < n; i++) {
            s.task(
                    () -> {
                        lock.accept(l);
                        c.writeOnce(c.readOnce() + 1);
                        l.writeOnce(0);
                    });
        }
    }

    @Test
    void aLockThatIsTriedInALoopIsOneThatWaits() {
        for (int n = 2; n <= 4; n++) {
            int tasks = n;
            long orders = n == 2 ? 2 : n == 3 ? 6 : 24;
            assertThat(complete(s -> spinLock(s, tasks, l -> cmpxchgLoop(s, l)))).isEqualTo(orders);
            assertThat(complete(s -> spinLock(s, tasks, l -> xchgLoop(s, l)))).isEqualTo(orders);
        }
    }

    private static void cmpxchgLoop(Scenario s, Word l) {
        s.machine().spin("lock", () -> !Scenario.cas(l, 0, 1));
    }

    private static void xchgLoop(Scenario s, Word l) {
        s.machine().spin("lock", () -> l.xchg(1, Order.FULL) != 0);
    }

    @Test
    void anMcsLockThatReadsInLoopsIsOneThatAwaits() {
        for (int n = 2; n <= 3; n++) {
            int tasks = n;
            long loops = complete(s -> mcs(s, tasks, true));
            assertThat(loops).isEqualTo(complete(s -> mcs(s, tasks, false)));
        }
        assertThat(complete(s -> mcs(s, 2, true))).isEqualTo(6);
    }

    private static void mcs(Scenario s, int n, boolean loops) {
        Word[] next = s.words("next", n + 1, 0);
        Word[] locked = s.words("locked", n + 1, 0);
        Word tail = s.word("tail", 0);
        Word c = s.word("c", 0);
        for (int t = 1; t <= n; t++) {
            int i = t;
            s.task(
                    () -> {
                        next[i].writeOnce(0);
                        locked[i].writeOnce(1);
                        int p = (int) tail.xchg(i, Order.FULL);
                        if (p != 0) {
                            next[p].writeOnce(i);
                            wait(s, locked[i], false, loops);
                        }
                        c.writeOnce(c.readOnce() + 1);
                        int successor = (int) next[i].readOnce();
                        if (successor == 0) {
                            if (Scenario.cas(tail, i, 0)) {
                                return;
                            }
                            successor = wait(s, next[i], true, loops);
                        }
                        locked[successor].writeOnce(0);
                    });
        }
    }

    private static int wait(Scenario s, Word word, boolean set, boolean loops) {
        if (!loops) {
            return (int) (set ? word.awaitNot(-1, 0) : word.await(-1, 0));
        }
        long[] found = new long[1];
        s.machine()
                .spin(
                        "mcs",
                        () -> {
                            found[0] = word.readOnce();
                            return found[0] != 0 != set;
                        });
        return (int) found[0];
    }

    @Test
    void anIncrementThatIsTriedInALoopIsNeverTriedInVain() {
        assertThat(complete(s -> casIncrements(s, 3))).isEqualTo(6);
        assertThat(complete(s -> casIncrements(s, 4))).isEqualTo(24);
    }

    private static void casIncrements(Scenario s, int n) {
        Word x = s.word("x", 0);
        for (int i = 0; i < n; i++) {
            s.task(() -> s.machine().spin("add", () -> !tryIncrement(x)));
        }
    }

    private static boolean tryIncrement(Word x) {
        long before = x.readOnce();
        return Scenario.cas(x, before, before + 1);
    }

    @Test
    void aLoopThatLooksAtTwoPlacesSeesThemChangeInTurn() {
        Scenario s = new Scenario(1);
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        s.task(() -> s.machine().spin("both", () -> !(x.readOnce() == 0 && y.readOnce() == 1)));
        s.task(
                () -> {
                    x.writeOnce(1);
                    y.writeOnce(1);
                });
        Exploration found = explore(s);
        assertThat(found.complete()).isTrue();
        assertThat(s.complete()).as("x seen before, y after").isEqualTo(1);
        assertThat(s.livelocked()).as("x seen after").isEqualTo(1);
    }

    // ---- loops that do not end

    @Test
    void aLoopThatWaitsForWhatNobodyDoesIsALivelock() {
        Scenario s = new Scenario(1);
        Word x = s.word("x", 0);
        s.task(() -> s.machine().spin("here", () -> x.readOnce() != 2));
        s.task(() -> x.writeOnce(1));
        explore(s);
        assertThat(s.complete()).isZero();
        assertThat(s.livelocked()).isEqualTo(1);
    }

    @Test
    void aLoopThatSomebodyEndsInTheEndIsNoLivelock() {
        Scenario s = new Scenario(1);
        Word x = s.word("x", 0);
        Word y = s.word("y", 0);
        s.task(() -> s.machine().spin("x", () -> x.readOnce() == 0));
        s.task(
                () -> {
                    s.machine().spin("y", () -> y.readOnce() == 0);
                    x.writeOnce(1);
                });
        s.task(() -> y.writeOnce(1));
        Exploration found = explore(s);
        assertThat(s.complete()).isEqualTo(1);
        assertThat(s.livelocked() + s.blocked()).isZero();
        assertThat(found.superfluous() + found.fruitless()).isZero();
    }

    @Test
    void aSpinnerThatWaitsForALockHolderIsADeadlock() {
        Scenario s = new Scenario(1);
        Word x = s.word("x", 0);
        var mutex = s.mutex("m");
        s.task(
                () -> {
                    mutex.lock();
                    s.machine().spin("x", () -> x.readOnce() == 0);
                });
        s.task(
                () -> {
                    mutex.lock();
                    x.writeOnce(1);
                    mutex.unlock();
                });
        explore(s);
        assertThat(s.complete()).isEqualTo(1);
        assertThat(s.blocked()).isEqualTo(1);
        assertThat(s.livelocked()).isZero();
    }

    /// Nobody has seen what they did, so they are as good as rounds that only look.
    @Test
    void roundsThatUndoWhatTheyDidAreForNothing() {
        Scenario s = new Scenario(1);
        Word x = s.word("x", 0);
        Word y = s.word("y", 1);
        s.task(
                () ->
                        s.machine()
                                .spin(
                                        "here",
                                        () -> {
                                            x.xchg(1, Order.FULL);
                                            x.writeOnce(0);
                                            return y.readOnce() == 1;
                                        }));
        Exploration found = explore(s);
        assertThat(found.complete()).isTrue();
        assertThat(s.livelocked()).isEqualTo(1);
    }

    /// Looks at `y` under a lock until it is set; the other task sets it after it has tried to get
    /// the lock. Returns what became of that, execution by execution.
    private static List<String> lockingLoop(Scenario s, Loops loops) {
        s.machine().loops(loops);
        Word lock = s.word("lock", 0);
        Word y = s.word("y", 0);
        StringBuilder saw = new StringBuilder();
        s.machine().onReset(() -> saw.setLength(0));
        s.task(
                () -> {
                    boolean got = Scenario.cas(lock, 0, 2);
                    saw.append(got ? "got it" : "busy");
                    y.writeOnce(1);
                    if (got) {
                        lock.writeOnce(0);
                    }
                });
        s.task(
                () -> {
                    Rounds rounds = s.machine().rounds("locking");
                    boolean set = false;
                    while (!set) {
                        rounds.next();
                        s.machine().spin("lock", () -> !Scenario.cas(lock, 0, 1));
                        set = y.readOnce() == 1;
                        lock.writeOnce(0);
                    }
                    rounds.end();
                });
        return outcomes(s, saw);
    }

    @Test
    void whoSawThatALockWasTakenSawIt() {
        Scenario waiting = new Scenario(1);
        List<String> seen = lockingLoop(waiting, Loops.DEFAULT);
        List<String> plain = lockingLoop(new Scenario(1), new Loops(false, 4, 4));
        assertThat(new TreeSet<>(seen)).containsExactly("busy", "got it");
        assertThat(new TreeSet<>(plain)).isEqualTo(new TreeSet<>(seen));
        assertThat(waiting.livelocked() + waiting.blocked() + waiting.cut()).isZero();
    }

    // ---- loops that cannot be tried out

    private static List<String> retryLoop(Scenario s, Loops loops) {
        s.machine().loops(loops);
        Word seq = s.word("seq", 0);
        Word a = s.word("a", 0);
        Word b = s.word("b", 0);
        s.task(
                () -> {
                    seq.writeOnce(1);
                    a.writeOnce(1);
                    b.writeOnce(1);
                    seq.writeOnce(2);
                });
        StringBuilder saw = new StringBuilder();
        s.machine().onReset(() -> saw.setLength(0));
        s.task(
                () -> {
                    Rounds rounds = s.machine().rounds("read");
                    while (true) {
                        rounds.next();
                        long start = seq.readOnce();
                        long first = a.readOnce();
                        long second = b.readOnce();
                        if (start % 2 == 0 && seq.readOnce() == start) {
                            saw.append(first).append(second);
                            break;
                        }
                    }
                    rounds.end();
                });
        return outcomes(s, saw);
    }

    /// Explores the scenario; what `saw` said at the end of each execution.
    private static List<String> outcomes(Scenario s, StringBuilder saw) {
        s.seal();
        List<String> seen = new ArrayList<>();
        Program watched =
                new Program() {
                    @Override
                    public Machine machine() {
                        return s.machine();
                    }

                    @Override
                    public void finished(Ending ending) {
                        s.finished(ending);
                        if (ending.kind() == Ending.Kind.COMPLETE) {
                            seen.add(saw.toString());
                        }
                    }
                };
        Explorer.explore(watched, Limits.NONE, "test");
        return seen;
    }

    @Test
    void aRetryLoopHasTheOutcomesThatItHasRoundByRound() {
        Scenario waiting = new Scenario(1);
        List<String> seen = retryLoop(waiting, Loops.DEFAULT);
        List<String> plain = retryLoop(new Scenario(1), new Loops(false, 6, 1));
        assertThat(seen).containsExactlyInAnyOrder("00", "11");
        assertThat(new TreeSet<>(plain)).isEqualTo(new TreeSet<>(seen));
        assertThat(waiting.livelocked() + waiting.blocked() + waiting.cut()).isZero();
    }
}
