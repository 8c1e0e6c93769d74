// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import static org.interleaf.selfcheck.Kind.*;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// A small random program for a {@link Playground}.
///
/// @param tasks the statements of each task
record RandomProgram(
        int cpus,
        Daemons daemons,
        boolean regionsAlive,
        int tableLevels,
        boolean faultDropsTranslation,
        List<List<Statement>> tasks) {
    /// Whether the machine's daemons are there, and their place among the tasks.
    enum Daemons {
        NONE,
        FIRST,
        LAST
    }

    /// Few long tasks, or many short ones: these are the more intricate. Where many do one thing
    /// each in one place, what an access comes to depends most on who was before it.
    private enum Shape {
        LONG(2, 5, Playground.WORDS),
        SHORT(3, 2, 3),
        CONTENDED(4, 1, 1);

        final int tasksMin;
        final int lengthMax;
        final int wordsMax;

        Shape(int tasksMin, int lengthMax, int wordsMax) {
            this.tasksMin = tasksMin;
            this.lengthMax = lengthMax;
            this.wordsMax = wordsMax;
        }
    }

    /// Statements that belong together. A program draws on a few families only, so that its tasks
    /// meet.
    private enum Family {
        WORDS(LOAD, STORE, STORE_SEEN, LOAD, STORE),
        UPDATES(CMPXCHG, CMPXCHG, ADD_UNLESS, XCHG, ADD, OR, AND, XOR),
        CONDITIONAL(CMPXCHG, ENTER, ADD_UNLESS, ENTER, KEEP_OUT, LOAD, STORE),
        ATTEMPTED(CMPXCHG, ADD_UNLESS, ENTER, TRY, LOAD, STORE, ATTEMPTS, CMPXCHG_SEEN),
        BITFIELDS(STORE_BITS, XCHG_BITS, TAKE_OR_QUEUE, LOCK, TRY, UPDATE_AND, LOAD, AWAIT_BIT),
        NARROW(ADD_NARROW, UPDATE_NARROW, UPDATE_NARROW, AWAIT_NARROW, AWAIT_NOT_NARROW),
        TOLD(LOAD, LOAD_TOLD, STORE_TOLD, STORE_SEEN, UPDATE_SEEN, OWN_WORD),
        SEMAPHORES(DOWN_TRYLOCK, DOWN_TRYLOCK, UPDATE_ADD, ADD, AWAIT_NOT, LOAD),
        COUNTS(UPDATE_ADD, UPDATE_ADD, UPDATE_ADD, LOAD, AWAIT, AWAIT_NOT, CMPXCHG),
        BITMAPS(UPDATE_OR, UPDATE_AND, UPDATE_XOR, UPDATE_OR, LOAD, AWAIT_BIT, AWAIT_NOT, TAKE),
        LOOPS(
                LOOP_READ,
                LOOP_READ_TWO,
                LOOP_READ_TWICE,
                LOOP_CMPXCHG,
                LOOP_XCHG,
                LOOP_OR,
                LOOP_ADD_CMPXCHG,
                LOOP_NESTED,
                LOOP_UNDO,
                LOOP_RETRY,
                STORE,
                STORE,
                STORE,
                UPDATE_ADD),
        RETRIES(
                LOOP_TRYLOCK,
                LOOP_DOWN,
                LOCK_BOTH,
                UNLOCK_BOTH,
                UNLOCK_BOTH,
                SPIN_LOCK,
                SPIN_UNLOCK,
                LOOP_UPDATE,
                LOOP_AWAIT,
                LOOP_RISING,
                LOOP_COUNTED,
                STORE),
        WAITS(AWAIT, AWAIT_BIT, AWAIT_NOT, STORE, ADD),
        PAIRS(
                LOAD_READING,
                LOAD_WRITING,
                STORE_READING,
                STORE_WRITING,
                ADD_WRITING,
                AWAIT_READING,
                AWAIT_WRITING),
        PAIRED_ATOMICS(
                CMPXCHG_READING,
                CMPXCHG_WRITING,
                TRY_WRITING,
                LOCK_READING,
                LOCK_WRITING,
                TAKE_WRITING,
                UPDATE_READING,
                UPDATE_WRITING,
                STORE,
                LOAD),
        SPINS(SPIN_LOCK, SPIN_UNLOCK, SPIN_TRYLOCK, SPIN_UNLOCK, SPIN_IS_LOCKED, ROGUE_SPIN_UNLOCK),
        MUTEXES(MUTEX_LOCK, MUTEX_UNLOCK, MUTEX_TRYLOCK, MUTEX_UNLOCK),
        BITS(BIT_LOCK, BIT_UNLOCK, BIT_TRYLOCK, BIT_WAIT, BIT_IS_LOCKED),
        RWSEMS(DOWN_READ, UP, DOWN_WRITE, UP, DOWN_READ_TRYLOCK, DOWN_WRITE_TRYLOCK, DOWNGRADE),
        QUEUES(PREPARE_TO_WAIT, SLEEP, WAKE_UP, FINISH_WAIT, WAITQUEUE_ACTIVE),
        EVENTS(WAIT_EVENT, SET_AND_WAKE, WAKE_UP, STORE),
        SEQLOCKS(READ_SEQ, WRITE_SEQ, STORE),
        SEQS(WRITE_SEQ_BEGIN, WRITE_SEQ_END, READ_SEQ_BEGIN, READ_SEQ_RETRY),
        IRQS(IRQ_SAVE, IRQ_RESTORE),
        IPIS(IPI, IPI_WAIT, IRQ_SAVE, IRQ_RESTORE),
        RCU(RCU_READ_LOCK, RCU_READ_UNLOCK, SYNCHRONIZE_RCU, CALL_RCU),
        SRCU(SRCU_READ_LOCK, SRCU_READ_UNLOCK, SYNCHRONIZE_SRCU),
        LISTS(PUBLISH, FOLLOW_SAFELY, FOLLOW_SAFELY, RETIRE),
        REFERENCES(PUBLISH, GET, RETIRE, UNPUBLISH),
        FRAMES(ALLOCATE_FRAME, FREE_FRAME, ALLOCATE_FRAME),
        REGIONS(ALLOCATE, FREE, TOUCH, TOUCH),
        OBJECTS(PUBLISH, FOLLOW, UNPUBLISH),
        USERS(USER_LOAD, USER_STORE, USER_ADD, USER_LOAD, USER_STORE),
        USER_ATOMICS(USER_CMPXCHG, USER_UPDATE, USER_ADD_UNLESS, USER_LOAD, LOAD, UPDATE_ADD),
        TABLES(
                USER_LOAD,
                USER_STORE,
                USER_ADD,
                MAP,
                MAP_WRITABLE,
                UNMAP,
                UNMAP_ALL,
                FLUSH,
                FLUSH,
                FLUSH_BY_IPI),
        DEATHS(OOPS, CRASH);

        final List<Kind> kinds;

        Family(Kind... kinds) {
            this.kinds = List.of(kinds);
        }
    }

    static RandomProgram of(long seed) {
        return of(seed, false);
    }

    /// A program with loops, in which executions may come up that do not count.
    static RandomProgram looping(long seed) {
        return of(seed, true);
    }

    private static RandomProgram of(long seed, boolean loops) {
        Random random = new Random(seed * 0x9e3779b97f4a7c15L);
        Shape shape = Shape.values()[random.nextInt(Shape.values().length)];
        List<Kind> kinds =
                shape == Shape.CONTENDED && !loops
                        ? Family.CONDITIONAL.kinds
                        : kinds(random, loops);
        boolean daemons =
                kinds.contains(IPI)
                        || kinds.contains(CALL_RCU)
                        || kinds.contains(RETIRE)
                        || kinds.contains(FLUSH_BY_IPI)
                        || random.nextInt(20) == 0;
        int count = shape.tasksMin + random.nextInt(3);
        int words = 1 + random.nextInt(shape.wordsMax);
        List<List<Statement>> tasks = new ArrayList<>();
        for (int t = 0; t < count; t++) {
            List<Statement> body = new ArrayList<>();
            int length = 1 + random.nextInt(shape.lengthMax);
            for (int i = 0; i < length; i++) {
                body.add(statement(random, kinds, words));
            }
            if (random.nextBoolean()) {
                close(body);
            }
            tasks.add(body);
        }
        return new RandomProgram(
                1 + random.nextInt(3),
                !daemons ? Daemons.NONE : random.nextBoolean() ? Daemons.FIRST : Daemons.LAST,
                random.nextBoolean(),
                1 + random.nextInt(2),
                random.nextBoolean(),
                tasks);
    }

    /// What a program is made of: most often of families, else of any few kinds.
    private static List<Kind> kinds(Random random, boolean loops) {
        List<Kind> kinds = new ArrayList<>(loops ? Family.LOOPS.kinds : List.of());
        if (random.nextInt(4) == 0) {
            int some = 2 + random.nextInt(6);
            for (int i = 0; i < some; i++) {
                Kind kind = Kind.values()[random.nextInt(Kind.values().length)];
                kinds.add(loops || !isLoop(kind) ? kind : LOAD);
            }
            return kinds;
        }
        int families = 1 + random.nextInt(3);
        for (int i = 0; i < families; i++) {
            Family[] all = Family.values();
            Family family = all[random.nextInt(all.length)];
            kinds.addAll(
                    loops || family.kinds.stream().noneMatch(RandomProgram::isLoop)
                            ? family.kinds
                            : Family.WORDS.kinds);
        }
        if (random.nextInt(3) > 0) {
            kinds.addAll(Family.WORDS.kinds);
        }
        return kinds;
    }

    private static boolean isLoop(Kind kind) {
        return switch (kind) {
            case WAIT_EVENT, READ_SEQ, GET, LOCK_BOTH -> true;
            default -> kind.name().startsWith("LOOP_");
        };
    }

    /// Ends what `body` began. What gives nothing back where nothing was taken makes no access.
    private static void close(List<Statement> body) {
        for (int i = body.size() - 1; i >= 0; i--) {
            Statement begun = body.get(i);
            Kind end =
                    switch (begun.kind()) {
                        case SPIN_LOCK, SPIN_TRYLOCK, LOOP_TRYLOCK -> SPIN_UNLOCK;
                        case MUTEX_LOCK, MUTEX_TRYLOCK -> MUTEX_UNLOCK;
                        case BIT_LOCK, BIT_TRYLOCK -> BIT_UNLOCK;
                        case DOWN_READ, DOWN_WRITE, DOWN_READ_TRYLOCK, DOWN_WRITE_TRYLOCK -> UP;
                        case IRQ_SAVE -> IRQ_RESTORE;
                        case RCU_READ_LOCK -> RCU_READ_UNLOCK;
                        case SRCU_READ_LOCK -> SRCU_READ_UNLOCK;
                        case LOCK_BOTH -> UNLOCK_BOTH;
                        default -> null;
                    };
            if (end != null) {
                body.add(new Statement(end, begun.x(), 0, Statement.When.ALWAYS));
            }
        }
    }

    private static Statement statement(Random random, List<Kind> kinds, int words) {
        Kind kind = kinds.get(random.nextInt(kinds.size()));
        int x =
                switch (kind) {
                    case SPIN_LOCK,
                            SPIN_TRYLOCK,
                            SPIN_UNLOCK,
                            SPIN_IS_LOCKED,
                            ROGUE_SPIN_UNLOCK,
                            ALLOCATE,
                            FREE,
                            TOUCH,
                            USER_LOAD,
                            USER_STORE,
                            USER_ADD,
                            USER_CMPXCHG,
                            USER_UPDATE,
                            USER_ADD_UNLESS,
                            LOOP_TRYLOCK,
                            LOCK_BOTH,
                            MAP,
                            MAP_WRITABLE,
                            UNMAP,
                            FLUSH ->
                            random.nextInt(2);
                    case IPI, IPI_WAIT -> 1 + random.nextInt(7);
                    // Sometimes the words with a region, whose numbers are the highest.
                    default ->
                            random.nextInt(5) == 0
                                    ? Playground.WORDS - 1 - random.nextInt(2)
                                    : random.nextInt(words);
                };
        Statement.When[] whens = Statement.When.values();
        Statement.When when =
                random.nextInt(3) > 0 ? Statement.When.ALWAYS : whens[random.nextInt(whens.length)];
        int y =
                switch (kind) {
                    case IPI, IPI_WAIT, CALL_RCU -> random.nextInt(6);
                    case MAP, MAP_WRITABLE -> random.nextInt(Playground.WORDS);
                    default -> random.nextInt(3);
                };
        return new Statement(kind, x, y, when);
    }

    private RandomProgram with(List<List<Statement>> newTasks) {
        return new RandomProgram(
                cpus, daemons, regionsAlive, tableLevels, faultDropsTranslation, newTasks);
    }

    /// The program without one task.
    RandomProgram withoutTask(int t) {
        List<List<Statement>> fewer = new ArrayList<>(tasks);
        fewer.remove(t);
        return with(fewer);
    }

    /// The program without one statement of one task.
    RandomProgram withoutStatement(int t, int i) {
        List<List<Statement>> fewer = new ArrayList<>(tasks);
        List<Statement> body = new ArrayList<>(tasks.get(t));
        body.remove(i);
        fewer.set(t, body);
        return with(fewer);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        text.append(cpus).append(" CPUs, daemons ").append(daemons);
        text.append(regionsAlive ? ", regions allocated, " : ", regions free, ");
        text.append(tableLevels).append(" table levels, ");
        text.append(faultDropsTranslation ? "x86\n" : "arm64\n");
        for (int t = 0; t < tasks.size(); t++) {
            text.append("  task ").append(t).append(": ").append(tasks.get(t)).append('\n');
        }
        return text.toString();
    }
}
