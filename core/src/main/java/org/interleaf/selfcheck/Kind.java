// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.machine.Mmu;
import org.interleaf.machine.Op;
import org.interleaf.machine.Order;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.TaskKilled;
import org.interleaf.machine.Word;

import java.util.function.BooleanSupplier;

/// What a statement of a random program can do; `x` and `y` are its operands. What gives a lock
/// back does so only where the task has it, so that any statement can be left out of a program.
enum Kind {
    LOAD((on, x, y) -> on.see(on.words[x].readOnce())),
    STORE((on, x, y) -> on.words[x].writeOnce(y)),
    STORE_SEEN((on, x, y) -> on.words[x].writeOnce(on.local().last + 1 & 3)),
    XCHG((on, x, y) -> on.see(on.words[x].xchg(y, Order.FULL))),
    CMPXCHG((on, x, y) -> on.see(on.words[x].cmpxchg(y, y + 1, Order.FULL))),
    ADD((on, x, y) -> on.see(on.words[x].fetchAdd(1, Order.FULL))),
    ADD_UNLESS((on, x, y) -> on.see(on.words[x].addUnless(1, y, Order.FULL))),
    OR((on, x, y) -> on.see(on.words[x].fetchOr(y, Order.FULL))),
    AND((on, x, y) -> on.see(on.words[x].fetchAnd(y, Order.FULL))),
    XOR((on, x, y) -> on.see(on.words[x].fetchXor(y, Order.FULL))),
    UPDATE_ADD((on, x, y) -> on.words[x].add(1 - 2 * (y & 1), Order.RELAXED)),
    UPDATE_OR((on, x, y) -> on.words[x].or(y, Order.RELAXED)),
    UPDATE_AND((on, x, y) -> on.words[x].and(y, Order.RELAXED)),
    UPDATE_XOR((on, x, y) -> on.words[x].xor(y, Order.RELAXED)),
    AWAIT((on, x, y) -> on.see(on.words[x].await(-1, y))),
    TAKE((on, x, y) -> on.see(take(on, x, y | 1))),
    AWAIT_BIT((on, x, y) -> on.see(on.words[x].await(1, y & 1))),
    AWAIT_NOT((on, x, y) -> on.see(on.words[x].awaitNot(-1, y))),

    ENTER((on, x, y) -> on.see(on.words[x].enter(Playground.OUT, Order.FULL).ordinal())),
    KEEP_OUT((on, x, y) -> on.see(on.words[x].fetchXor(Playground.OUT, Order.FULL))),
    STORE_BITS((on, x, y) -> on.words[x].storeBits(1L << (y & 1), y, Order.ONCE)),
    XCHG_BITS((on, x, y) -> on.see(on.words[x].xchgBits(1L << (y & 1), y >> 1, Order.FULL))),
    DOWN_TRYLOCK((on, x, y) -> on.see(on.words[x].addUnless(-1, 0, Order.FULL))),
    UPDATE_SEEN((on, x, y) -> on.words[x].add(on.local().last & 1, Order.RELAXED)),
    LOAD_TOLD((on, x, y) -> on.see(Patterns.told(on, x).readOnce())),
    STORE_TOLD((on, x, y) -> Patterns.told(on, x).writeOnce(y)),
    CMPXCHG_SEEN((on, x, y) -> on.see(on.words[x].cmpxchg(on.local().last & 3, y, Order.FULL))),
    ATTEMPTS((on, x, y) -> Patterns.attempts(on, x)),
    OWN_WORD((on, x, y) -> Patterns.ownWord(on, y)),

    /// Locks and trylocks of bits of a word that is a number as well.
    TRY((on, x, y) -> on.see(raw(on, x, Op.TRY, y | 1, y + 1))),

    /// A number of two bits, which wraps around.
    ADD_NARROW((on, x, y) -> on.see(on.narrow.fetchAdd(1, -62, Order.FULL))),
    UPDATE_NARROW((on, x, y) -> on.narrow.add(y + 1, -62, Order.RELAXED)),
    AWAIT_NARROW((on, x, y) -> on.see(on.narrow.await(-1, y))),
    AWAIT_NOT_NARROW((on, x, y) -> on.see(on.narrow.awaitNot(-1, y))),

    LOCK((on, x, y) -> on.see(raw(on, x, Op.LOCK, y | 1, y + 1))),
    TAKE_OR_QUEUE((on, x, y) -> on.see(raw(on, x, Op.TAKE_OR_QUEUE, y | 1, 4L << 32 | 1))),

    /// Accesses that read or write another word in the same step, which one `y` says.
    LOAD_READING((on, x, y) -> on.see(beside(on, x, Op.LOAD, 0, y, false))),
    LOAD_WRITING((on, x, y) -> on.see(beside(on, x, Op.LOAD, 0, y, true))),
    STORE_READING((on, x, y) -> beside(on, x, Op.STORE, 1, y, false)),
    STORE_WRITING((on, x, y) -> beside(on, x, Op.STORE, 1, y, true)),
    ADD_WRITING((on, x, y) -> on.see(beside(on, x, Op.ADD, 1, y, true))),
    CMPXCHG_READING((on, x, y) -> on.see(beside(on, x, Op.CMPXCHG, 0, y, false))),
    CMPXCHG_WRITING((on, x, y) -> on.see(beside(on, x, Op.CMPXCHG, 0, y, true))),
    TRY_WRITING((on, x, y) -> on.see(beside(on, x, Op.TRY, 1, y, true))),
    LOCK_READING((on, x, y) -> on.see(beside(on, x, Op.LOCK, 1, y, false))),
    LOCK_WRITING((on, x, y) -> on.see(beside(on, x, Op.LOCK, 1, y, true))),
    TAKE_WRITING((on, x, y) -> on.see(beside(on, x, Op.TAKE_PENDING, 3, y, true))),
    UPDATE_READING((on, x, y) -> beside(on, x, Op.UPDATE_ADD, 1, y, false)),
    UPDATE_WRITING((on, x, y) -> beside(on, x, Op.UPDATE_ADD, 1, y, true)),
    AWAIT_READING((on, x, y) -> on.see(beside(on, x, Op.AWAIT_NOT, -1, y, false))),
    AWAIT_WRITING((on, x, y) -> on.see(beside(on, x, Op.AWAIT_NOT, -1, y, true))),

    /// Loops that go round until something is so.
    LOOP_READ((on, x, y) -> loop(on, () -> on.words[x].readOnce() == y)),
    LOOP_READ_TWO(
            (on, x, y) ->
                    loop(on, () -> on.words[x].readOnce() == y && second(on, x).readOnce() != y)),
    LOOP_READ_TWICE((on, x, y) -> loop(on, () -> rises(on.words[x]))),
    LOOP_CMPXCHG((on, x, y) -> loop(on, () -> on.words[x].cmpxchg(y, y + 1, Order.FULL) == y)),
    LOOP_XCHG((on, x, y) -> loop(on, () -> on.words[x].xchg(1, Order.FULL) != 1)),
    LOOP_OR((on, x, y) -> loop(on, () -> (on.words[x].fetchOr(1, Order.FULL) & 1) == 0)),
    LOOP_ADD_CMPXCHG((on, x, y) -> loop(on, () -> added(on.words[x]))),
    LOOP_NESTED(
            (on, x, y) ->
                    loop(
                            on,
                            () -> {
                                loop(on, () -> on.words[x].readOnce() != y);
                                return second(on, x).cmpxchg(y, y + 1, Order.FULL) == y;
                            })),
    LOOP_UNDO(
            (on, x, y) ->
                    loop(
                            on,
                            () -> {
                                on.words[x].fetchAdd(1, Order.FULL);
                                return on.words[x].fetchAdd(-1, Order.FULL) != y + 1;
                            })),
    LOOP_RETRY(
            (on, x, y) -> {
                Rounds rounds = on.machine.rounds("retry");
                do {
                    rounds.next();
                } while (on.words[x].readOnce() != y && second(on, x).readOnce() == y);
                rounds.end();
            }),

    LOOP_TRYLOCK((on, x, y) -> loop(on, on.spins[x]::trylock)),
    LOOP_DOWN((on, x, y) -> loop(on, () -> on.words[x].addUnless(-1, 0, Order.FULL) != 0)),
    LOOP_UPDATE((on, x, y) -> loop(on, () -> updated(on, x, y))),
    LOOP_AWAIT((on, x, y) -> loop(on, () -> awaited(on, x, y))),
    LOOP_RISING((on, x, y) -> loop(on, () -> on.words[x].fetchAdd(1, Order.FULL) >= y)),
    LOOP_COUNTED((on, x, y) -> Patterns.countedLoop(on, x, y)),
    LOCK_BOTH((on, x, y) -> Patterns.lockBoth(on, x)),
    UNLOCK_BOTH((on, x, y) -> Patterns.unlockBoth(on)),

    SPIN_LOCK((on, x, y) -> on.spins[x].lock()),
    SPIN_TRYLOCK((on, x, y) -> on.see(on.spins[x].trylock())),
    SPIN_IS_LOCKED((on, x, y) -> on.see(on.spins[x].isLocked())),
    SPIN_UNLOCK(
            (on, x, y) -> {
                if (on.holds(on.spins[x])) {
                    on.spins[x].unlock();
                }
            }),
    ROGUE_SPIN_UNLOCK((on, x, y) -> on.spins[x].unlock()),
    MUTEX_LOCK((on, x, y) -> on.mutex.lock()),
    MUTEX_TRYLOCK((on, x, y) -> on.see(on.mutex.trylock())),
    MUTEX_UNLOCK(
            (on, x, y) -> {
                if (on.holds(on.mutex)) {
                    on.mutex.unlock();
                }
            }),
    BIT_LOCK((on, x, y) -> on.bit.lock()),
    BIT_TRYLOCK((on, x, y) -> on.see(on.bit.trylock())),
    BIT_IS_LOCKED((on, x, y) -> on.see(on.bit.isLocked())),
    BIT_WAIT((on, x, y) -> on.bit.waitUnlocked()),
    BIT_UNLOCK(
            (on, x, y) -> {
                if (on.holds(on.bit)) {
                    on.bit.unlock();
                }
            }),

    DOWN_READ(
            (on, x, y) -> {
                on.sem.downRead();
                on.local().readHolds++;
            }),
    DOWN_READ_TRYLOCK(
            (on, x, y) -> {
                boolean taken = on.sem.downReadTrylock();
                on.local().readHolds += taken ? 1 : 0;
                on.see(taken);
            }),
    DOWN_WRITE(
            (on, x, y) -> {
                on.sem.downWrite();
                on.local().writeHolds++;
            }),
    DOWN_WRITE_TRYLOCK(
            (on, x, y) -> {
                boolean taken = on.sem.downWriteTrylock();
                on.local().writeHolds += taken ? 1 : 0;
                on.see(taken);
            }),
    DOWNGRADE(
            (on, x, y) -> {
                if (on.local().writeHolds > 0) {
                    on.local().writeHolds--;
                    on.local().readHolds++;
                    on.sem.downgradeWrite();
                }
            }),
    UP(
            (on, x, y) -> {
                if (on.local().writeHolds > 0) {
                    on.local().writeHolds--;
                    on.sem.upWrite();
                } else if (on.local().readHolds > 0) {
                    on.local().readHolds--;
                    on.sem.upRead();
                }
            }),

    PREPARE_TO_WAIT((on, x, y) -> on.queue.prepare()),
    SLEEP((on, x, y) -> on.queue.sleep()),
    FINISH_WAIT((on, x, y) -> on.queue.finish()),
    WAKE_UP((on, x, y) -> on.queue.wakeAll()),
    WAITQUEUE_ACTIVE((on, x, y) -> on.see(on.queue.active())),

    WAIT_EVENT((on, x, y) -> Patterns.waitEvent(on, x, y)),
    SET_AND_WAKE(
            (on, x, y) -> {
                on.words[x].writeOnce(y);
                on.queue.wakeAll();
            }),

    WRITE_SEQ((on, x, y) -> Patterns.writeConsistently(on, x % 3, y)),
    READ_SEQ((on, x, y) -> Patterns.readConsistently(on, x % 3)),
    WRITE_SEQ_BEGIN((on, x, y) -> on.seq.writeBegin()),
    WRITE_SEQ_END((on, x, y) -> on.seq.writeEnd()),
    READ_SEQ_BEGIN((on, x, y) -> on.see(on.seq.readBegin())),
    READ_SEQ_RETRY((on, x, y) -> on.see(on.seq.readRetry(on.local().last))),

    IRQ_SAVE((on, x, y) -> on.machine.cpu().irqSave()),
    IRQ_RESTORE(
            (on, x, y) -> {
                if (on.machine.current().irqsOff()) {
                    on.machine.cpu().irqRestore();
                }
            }),
    /// Sends to the CPUs of the mask `x`; the handler does number `y`.
    IPI((on, x, y) -> on.machine.ipi().call(x, cpu -> interrupt(on, y), false)),
    IPI_WAIT((on, x, y) -> on.machine.ipi().call(x, cpu -> interrupt(on, y), true)),

    RCU_READ_LOCK((on, x, y) -> on.machine.rcu().readLock()),
    RCU_READ_UNLOCK(
            (on, x, y) -> {
                if (on.machine.current().rcuDepth() > 0) {
                    on.machine.rcu().readUnlock();
                }
            }),
    SYNCHRONIZE_RCU((on, x, y) -> on.machine.rcu().synchronize()),
    CALL_RCU((on, x, y) -> on.machine.rcu().call(() -> callback(on, y))),

    SRCU_READ_LOCK(
            (on, x, y) -> {
                if (!on.local().inSrcu) {
                    on.local().inSrcu = true;
                    on.srcu.enter();
                }
            }),
    SRCU_READ_UNLOCK(
            (on, x, y) -> {
                if (on.local().inSrcu) {
                    on.local().inSrcu = false;
                    on.srcu.leave();
                }
            }),
    SYNCHRONIZE_SRCU((on, x, y) -> on.srcu.await(on.srcu.look())),

    ALLOCATE((on, x, y) -> on.regions[x].allocate()),
    FREE((on, x, y) -> on.regions[x].free()),
    TOUCH((on, x, y) -> on.see(on.words[Playground.WORDS - 1 - x].readOnce())),

    /// Makes an object and has {@link Playground#head} point to it.
    PUBLISH(
            (on, x, y) -> {
                Playground.Node node = new Playground.Node(on.machine, y);
                node.region.allocate();
                on.head.writeOnce(node);
            }),
    FOLLOW(
            (on, x, y) -> {
                Playground.Node node = on.head.readOnce();
                if (node != null) {
                    on.see(node.word.fetchAdd(1, Order.FULL));
                }
            }),
    UNPUBLISH(
            (on, x, y) -> {
                Playground.Node node = on.head.readOnce();
                if (node != null) {
                    on.head.writeOnce(null);
                    node.region.free();
                }
            }),

    GET((on, x, y) -> Patterns.getReference(on)),
    FOLLOW_SAFELY((on, x, y) -> Patterns.followSafely(on)),
    RETIRE((on, x, y) -> Patterns.retire(on, y > 0)),

    /// Page frames, taken off the CPU's list and given back to it.
    ALLOCATE_FRAME(
            (on, x, y) -> {
                on.local().frame = on.memory.allocate(0);
                on.see(on.local().frame);
            }),
    FREE_FRAME(
            (on, x, y) -> {
                if (on.local().frame >= 0) {
                    on.memory.free(on.local().frame, 0);
                    on.local().frame = -1;
                }
            }),

    /// Accesses of a page by user code.
    USER_LOAD((on, x, y) -> user(on, x, false, Op.LOAD, 0)),
    USER_STORE((on, x, y) -> user(on, x, true, Op.STORE, y)),
    USER_ADD((on, x, y) -> user(on, x, true, Op.ADD, 1)),
    USER_CMPXCHG((on, x, y) -> user(on, x, true, Op.CMPXCHG, y)),
    USER_UPDATE((on, x, y) -> userUpdate(on, x)),
    USER_ADD_UNLESS((on, x, y) -> user(on, x, true, Op.ADD_UNLESS, 1)),
    MAP((on, x, y) -> on.tables.entries[x].writeOnce(TinyTables.map(y, false))),
    MAP_WRITABLE((on, x, y) -> on.tables.entries[x].writeOnce(TinyTables.map(y, true))),
    UNMAP((on, x, y) -> on.see(on.tables.entries[x].xchg(0, Order.FULL))),
    UNMAP_ALL((on, x, y) -> on.tables.directory.writeOnce(0)),
    FLUSH((on, x, y) -> on.mmu.tlb(y % on.machine.cpuCount()).flush(0, x * 8L, x * 8L + 8)),
    FLUSH_BY_IPI(
            (on, x, y) ->
                    on.machine.ipi().call(-1, cpu -> on.mmu.tlb(cpu.id()).flush(0, 0, 99), true)),

    OOPS(
            (on, x, y) -> {
                throw TaskKilled.INSTANCE;
            }),
    CRASH(
            (on, x, y) -> {
                throw new IllegalStateException("crash");
            });

    private final Action action;

    /// The code of a kind of statement.
    @FunctionalInterface
    interface Action {
        void run(Playground on, int x, int y);
    }

    Kind(Action action) {
        this.action = action;
    }

    Action action() {
        return action;
    }

    private static void loop(Playground on, BooleanSupplier done) {
        on.machine.spin("loop", () -> !done.getAsBoolean());
    }

    private static Word second(Playground on, int x) {
        return on.words[(x + 1) % Playground.WORDS];
    }

    private static boolean rises(Word word) {
        long before = word.readOnce();
        return before < word.readOnce();
    }

    private static boolean added(Word word) {
        long before = word.readOnce();
        return word.cmpxchg(before, before + 1, Order.FULL) == before;
    }

    private static long take(Playground on, int x, int mask) {
        Word word = on.words[x];
        return on.machine.access(word, Op.TAKE_PENDING, Order.LOCK, mask, 0, null, false);
    }

    private static long raw(Playground on, int x, Op op, long a, long b) {
        return on.machine.access(on.words[x], op, Order.LOCK, a, b, null, false);
    }

    private static boolean updated(Playground on, int x, int y) {
        on.words[x].or(1, Order.RELAXED);
        return second(on, x).readOnce() != y;
    }

    private static boolean awaited(Playground on, int x, int y) {
        on.words[x].awaitNot(-1, y);
        return second(on, x).cmpxchg(y, y + 1, Order.FULL) == y;
    }

    private static long beside(Playground on, int x, Op op, long a, int y, boolean written) {
        long b = op == Op.CMPXCHG || op == Op.TRY || op == Op.LOCK ? 1 : 0;
        Word extra = on.words[(x + 1 + y) % Playground.WORDS];
        return on.machine.access(on.words[x], op, Order.ONCE, a, b, extra, written);
    }

    private static void user(Playground on, int page, boolean write, Op op, long a) {
        Mmu.Access access =
                on.mmu.access(0, 0, TinyTables.address(page), write, op, Order.ONCE, a, 0);
        on.see(access.run() ? access.value() : -1);
    }

    private static void userUpdate(Playground on, int page) {
        long address = TinyTables.address(page);
        boolean made = on.mmu.access(0, 0, address, true, Op.UPDATE_ADD, Order.ONCE, 1, 0).run();
        on.see(made);
    }

    private static void interrupt(Playground on, int y) {
        switch (y) {
            case 0 -> on.see(on.words[0].readOnce());
            case 1 -> on.words[0].writeOnce(3);
            case 3 -> on.see(on.words[0].cmpxchg(0, 1, Order.FULL));
            case 4 -> on.words[1].add(1, Order.RELAXED);
            case 5 -> on.queue.wakeAll();
            default -> on.see(beside(on, 1, Op.ADD, 1, 0, true));
        }
    }

    private static void callback(Playground on, int y) {
        switch (y) {
            case 0 -> on.words[0].writeOnce(3);
            case 1 -> {
                on.see(on.words[0].readOnce());
                on.words[1].fetchAdd(1, Order.FULL);
            }
            case 3 -> on.see(on.spins[0].trylock());
            case 4 -> {
                on.see(on.words[0].awaitNot(-1, 0));
                on.words[1].add(1, Order.RELAXED);
            }
            case 5 -> on.queue.wakeAll();
            default -> on.regions[0].free();
        }
    }
}
