// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Equivalence;
import org.interleaf.selfcheck.RandomProgram.Daemons;
import org.interleaf.selfcheck.Statement.When;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

/// The smallest programs that an explorer was once wrong about, each compared with brute force.
final class ExplorerTest {
    private final List<List<Statement>> tasks = new ArrayList<>();

    private static Statement of(Kind kind, int x, int y) {
        return new Statement(kind, x, y, When.ALWAYS);
    }

    private static Statement ifNotZero(Kind kind, int x, int y) {
        return new Statement(kind, x, y, When.IF_NOT_ZERO);
    }

    private ExplorerTest task(Statement... statements) {
        tasks.add(List.of(statements));
        return this;
    }

    private void hasTraces(int traces) {
        hasTraces(Equivalence.TRACE, traces);
    }

    private void hasTraces(Equivalence equivalence, int traces) {
        Daemons daemons =
                tasks.stream().flatMap(List::stream).anyMatch(s -> s.kind() == Kind.IPI)
                        ? Daemons.LAST
                        : Daemons.NONE;
        CrossCheck.Result result =
                CrossCheck.of(
                        new RandomProgram(2, daemons, true, 1, true, List.copyOf(tasks)),
                        equivalence);
        assertThat(result.problem()).isNull();
        assertThat(result.traces()).isEqualTo(traces);
    }

    /// Two executions share a prefix with a race, and go on differently beside it.
    @Test
    void aRaceOfTheCommonPrefixIsLookedAtInEveryExecution() {
        task(of(Kind.XOR, 0, 1));
        task(of(Kind.CMPXCHG, 1, 0), ifNotZero(Kind.CMPXCHG, 0, 0));
        task(of(Kind.CMPXCHG, 1, 1), of(Kind.OR, 0, 1));
        task(of(Kind.CMPXCHG, 1, 2), of(Kind.ADD, 1, 2));
        hasTraces(32);
    }

    /// The store to word 4 writes word 0 beside it, but leaves its value alone.
    @Test
    void aWaitDoesNotRaceWithAWriteAfterWhichItStillWaits() {
        task(of(Kind.AWAIT_READING, 0, 0));
        task(of(Kind.STORE_WRITING, 4, 0));
        hasTraces(1);
    }

    /// Spinlock 1 and its word die with region 0. The second task cannot take the lock right before
    /// the free, since the first one has it then.
    @Test
    void aLockDoesNotRaceWithTheFreeingOfItsObjectWhileItIsHeld() {
        task(of(Kind.SPIN_LOCK, 1, 0), of(Kind.STORE, 0, 1), of(Kind.SPIN_UNLOCK, 1, 0));
        task(of(Kind.SPIN_LOCK, 1, 0), of(Kind.SPIN_UNLOCK, 1, 0));
        task(of(Kind.AWAIT, 0, 1), of(Kind.FREE, 0, 0));
        hasTraces(6);
    }

    @Test
    void twoSendersOfACpuWaitForEachOther() {
        task(of(Kind.IPI, 2, 2));
        task();
        task(of(Kind.IPI, 3, 1));
        hasTraces(2);
    }

    @Test
    void aTryThatFailsIsALoad() {
        task(of(Kind.SPIN_LOCK, 0, 0), of(Kind.SPIN_UNLOCK, 0, 0));
        task(of(Kind.SPIN_TRYLOCK, 0, 0));
        task(of(Kind.SPIN_TRYLOCK, 0, 0));
        hasTraces(7);
    }

    @Test
    void aWaitingWriterLetsNoReaderIn() {
        task(of(Kind.DOWN_READ, 0, 0), of(Kind.DOWN_READ, 0, 0), of(Kind.UP, 0, 0));
        task(of(Kind.DOWN_WRITE, 0, 0), of(Kind.UP, 0, 0));
        task(of(Kind.DOWN_READ_TRYLOCK, 0, 0), of(Kind.UP, 0, 0));
        hasTraces(48);
    }

    /// Before the entry changed the walk would have filled the TLB, which the third task's walk on
    /// the same CPU looks at. (Tasks 0 and 2 are on CPU 0.)
    @Test
    void aWalkBeforeItsEntryChangedTouchesMore() {
        task(of(Kind.USER_ADD, 0, 2));
        task(of(Kind.MAP, 0, 2));
        task(of(Kind.USER_STORE, 1, 2));
        hasTraces(3);
    }

    /// Before the flush the access would have been a hit, which conflicts with the store.
    @Test
    void aWalkAfterAFlushIsAHitBeforeIt() {
        task(of(Kind.USER_LOAD, 0, 1));
        task(of(Kind.FLUSH, 0, 0));
        task(of(Kind.STORE, 0, 1));
        hasTraces(6);
    }

    /// A round is never made for nothing that has an update in it, whatever the update finds.
    @Test
    void anUpdateInALoopRacesWithTheReadsBeforeIt() {
        task(of(Kind.LOAD, 0, 0));
        task(of(Kind.LOOP_UPDATE, 0, 1));
        hasTraces(Equivalence.UPDATE, 2);
    }
}
