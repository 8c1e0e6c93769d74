// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// A flow of control on one CPU: a process, a kernel thread, or the machine's own interrupt and RCU
/// work (a *daemon*, which comes to life whenever its trigger becomes enabled).
///
/// While it does not run, a task stands before its next access, which is described by {@link #op},
/// {@link #word} and the operands. The fields of that access are meaningful to the scheduler only.
public final class Task {
    final Machine machine;
    private final int id;
    private final String name;
    private final int cpu;
    private final Runnable body;
    private final boolean daemon;
    private final Op triggerOp;
    private final Word triggerWord;
    private final long triggerMask;

    private final Runnable life = this::live;
    private Strand strand = new Strand();
    private boolean finished;
    private boolean begun;
    private boolean killed;

    Op op = Op.LOAD;
    Word word;
    Order order = Order.PLAIN;
    long a;
    long b;
    @Nullable Word extra;
    boolean extraWritten;
    private @Nullable Aim lateAim;
    private @Nullable RoundTrial trial;

    /// The innermost loop that the task is in.
    @Nullable Rounds rounds;

    private @Nullable Alike alike;
    private boolean stopped;
    private @Nullable String boundReached;

    /// What a daemon's trigger held when it came to life.
    long taken;

    /// The first access, once it is known, see {@link #park}.
    private @Nullable FirstAccess first;

    private Lock[] held = new Lock[8];
    private LockClass[] heldAs = new LockClass[8];
    private LockMode[] heldModes = new LockMode[8];
    private int heldCount;
    private int spinDepth;
    int irqDepth;
    int rcuDepth;

    /// What the task has mapped, see {@link KmapLocal}.
    final long[] kmapped = new long[KmapLocal.MAX_IDX];

    int kmapIdx;

    /// Words and objects that this task made in this execution, see {@link Machine#word}.
    int wordsMade;

    int objectsMade;

    Task(Machine machine, int id, String name, int cpu, Runnable body) {
        this(machine, id, name, cpu, body, false, Op.LOAD, machine.idleWord, 0);
    }

    Task(
            Machine machine,
            int id,
            String name,
            int cpu,
            Runnable body,
            boolean daemon,
            Op triggerOp,
            Word triggerWord,
            long triggerMask) {
        this.machine = machine;
        this.id = id;
        this.name = name;
        this.cpu = cpu;
        this.body = body;
        this.daemon = daemon;
        this.triggerOp = triggerOp;
        this.word = triggerWord;
        this.triggerMask = triggerMask;
        this.triggerWord = triggerWord;
    }

    /// The machine that the task runs on.
    public Machine machine() {
        return machine;
    }

    /// Number of the task: dense, the same in every execution; -1 for the task that sets up.
    public int id() {
        return id;
    }

    /// The name in traces, such as `P0` or `rcuc/1`.
    public String name() {
        return name;
    }

    /// The CPU that the task runs on.
    public int cpu() {
        return cpu;
    }

    /// Whether this is machine work that waits for something to do and need not end.
    public boolean daemon() {
        return daemon;
    }

    /// The tasks that this one was declared identical with, itself included; null for most.
    public @Nullable Alike alike() {
        return alike;
    }

    void become(Alike group) {
        alike = group;
    }

    /// Whether the task has ended in this execution.
    public boolean finished() {
        return finished;
    }

    /// Whether an oops or a signal ended the task.
    public boolean killed() {
        return killed;
    }

    /// Whether this is a daemon that waits for something to do.
    public boolean atRest() {
        return daemon && !begun;
    }

    /// Whether the access that the task stands before could be made now.
    public boolean ready() {
        return !finished
                && op.enabled(word.value, a, b)
                && (trial == null || trial.goesOn(word.value));
    }

    /// What decides whether the next access waits beside its operation; null for most.
    public @Nullable RoundTrial trial() {
        return trial;
    }

    /// The loop that the task cannot get out of, where that is what keeps it from going on.
    public @Nullable Rounds spinning() {
        return stopped || trial != null ? rounds : null;
    }

    /// Whether the task has stopped in a loop that it would find another way through, as what it
    /// looked at has changed since: other executions show that.
    public boolean stoppedEarly() {
        Rounds loop = spinning();
        return !finished && loop != null && boundReached == null && !loop.isUpToDate();
    }

    /// Which bound the task has reached; null where it has reached none.
    public @Nullable String boundReached() {
        return boundReached;
    }

    /// Keeps the task from going on in `loop`.
    ///
    /// @param bound which bound it has reached; null where it just goes round in vain
    void stop(Rounds loop, @Nullable String bound) {
        stopped = true;
        boundReached = bound;
        rounds = loop;
        machine.idleWord.await(-1, 1);
    }

    /// What the next access does.
    public Op op() {
        return op;
    }

    /// The location of the next access.
    public Word word() {
        return word;
    }

    /// How the next access is marked.
    public Order order() {
        return order;
    }

    /// First operand of the next access.
    public long a() {
        return a;
    }

    /// Second operand of the next access.
    public long b() {
        return b;
    }

    /// A second location that the next access reads or writes in the same step, such as the TLB
    /// through which a user access goes; null for most.
    public @Nullable Word extra() {
        return extra;
    }

    /// Whether the second location is written.
    public boolean extraWritten() {
        return extraWritten;
    }

    /// What says what the next access is, where that is only known in the step that makes it.
    public @Nullable Aim lateAim() {
        return lateAim;
    }

    /// Has the task stand before the access that these describe.
    void aim(
            Word newWord,
            Op newOp,
            Order newOrder,
            long newA,
            long newB,
            @Nullable Word newExtra,
            boolean newExtraWritten) {
        word = newWord;
        op = newOp;
        order = newOrder;
        a = newA;
        b = newB;
        extra = newExtra;
        extraWritten = newExtraWritten;
        lateAim = null;
        trial = rounds == null || stopped ? null : rounds.trial();
    }

    /// Has the task stand before the access that `newAim` aims at now.
    void aim(Aim newAim) {
        Aim.Target target = newAim.at(Word::peek);
        aim(
                target.word(),
                target.op(),
                target.order(),
                target.a(),
                target.b(),
                target.extra(),
                target.extraWritten());
        lateAim = newAim;
        trial = null;
        if (rounds != null) {
            rounds.hasEffect();
        }
    }

    /// How many locks the task holds.
    public int heldCount() {
        return heldCount;
    }

    /// The lock taken as number `i` of those still held.
    public Lock held(int i) {
        return held[i];
    }

    /// The class or subclass in which that lock was taken.
    public LockClass heldAs(int i) {
        return heldAs[i];
    }

    /// How that lock was taken, or is held since it was downgraded.
    public LockMode heldMode(int i) {
        return heldModes[i];
    }

    /// Whether the task holds `lock` for writing.
    public boolean holdsForWriting(Lock lock) {
        int i = indexOf(lock);
        return i >= 0 && !heldModes[i].isRead();
    }

    /// Whether the task holds `lock` in any mode.
    public boolean holds(Lock lock) {
        return indexOf(lock) >= 0;
    }

    /// Where among the held locks `lock` is; -1 where it is not.
    private int indexOf(Lock lock) {
        int i = heldCount - 1;
        while (i >= 0 && held[i] != lock) {
            i--;
        }
        return i;
    }

    /// Whether interrupts are off on the task's CPU by the task's own doing.
    public boolean irqsOff() {
        return irqDepth > 0;
    }

    /// Depth of nested RCU read sections.
    public int rcuDepth() {
        return rcuDepth;
    }

    /// How many pages the task has mapped with `kmap_local_page()`.
    public int kmapDepth() {
        return kmapIdx;
    }

    /// Whether the task must not sleep now: it holds a spinlock, or interrupts are off.
    public boolean atomic() {
        return spinDepth > 0 || irqDepth > 0 || rcuDepth > 0;
    }

    /// The task is about to take `lock`, or to wait until it is free.
    void acquiring(Lock lock, LockClass as, LockMode mode) {
        if (heldCount > 0) {
            machine.acquiring(this, lock, as, mode);
        }
    }

    void acquired(Lock lock, LockClass as, LockMode mode) {
        if (heldCount == held.length) {
            held = Arrays.copyOf(held, 2 * heldCount);
            heldAs = Arrays.copyOf(heldAs, 2 * heldCount);
            heldModes = Arrays.copyOf(heldModes, 2 * heldCount);
        }
        heldAs[heldCount] = as;
        heldModes[heldCount] = mode;
        held[heldCount++] = lock;
        if (!lock.sleeps()) {
            spinDepth++;
        }
        machine.acquired(this, lock);
    }

    void released(Lock lock) {
        int i = indexOf(lock);
        if (i < 0) {
            machine.monitor().releasedUnheld(this, lock);
            return;
        }
        heldCount--;
        System.arraycopy(held, i + 1, held, i, heldCount - i);
        System.arraycopy(heldAs, i + 1, heldAs, i, heldCount - i);
        System.arraycopy(heldModes, i + 1, heldModes, i, heldCount - i);
        if (!lock.sleeps()) {
            spinDepth--;
        }
        machine.released(this, lock);
    }

    /// The task, which held `lock` for writing, holds it for reading.
    void downgraded(Lock lock) {
        int i = indexOf(lock);
        if (i >= 0) {
            heldModes[i] = heldModes[i].downgraded();
        }
    }

    void reset() {
        finished = false;
        begun = false;
        killed = false;
        heldCount = 0;
        spinDepth = 0;
        irqDepth = 0;
        rcuDepth = 0;
        kmapIdx = 0;
        wordsMade = 0;
        objectsMade = 0;
        extra = null;
        lateAim = null;
        trial = null;
        rounds = null;
        stopped = false;
        boundReached = null;
        if (!strand.idle()) {
            strand = new Strand();
        }
        if (daemon) {
            arm();
        }
    }

    private void arm() {
        op = triggerOp;
        word = triggerWord;
        order = Order.LOCK;
        a = triggerMask;
        b = 0;
        extra = null;
        extraWritten = false;
        lateAim = null;
        trial = null;
        rounds = null;
    }

    private record FirstAccess(
            Op op,
            Word word,
            Order order,
            long a,
            long b,
            @Nullable Word extra,
            boolean extraWritten) {}

    /// Has the task stand before its first access. What a task does until then depends on nothing
    /// that others do, so it is the same access in every execution. Once it is known, the task need
    /// not start for the scheduler to see it, and starts when it is to make it: that saves a switch
    /// to it and back.
    void park() {
        FirstAccess known = first;
        if (known != null) {
            op = known.op;
            word = known.word;
            order = known.order;
            a = known.a;
            b = known.b;
            extra = known.extra;
            extraWritten = known.extraWritten;
            return;
        }
        resume();
        boolean lasts = machine.lasts(word) && (extra == null || machine.lasts(extra));
        if (!finished && lateAim == null && rounds == null && lasts) {
            first = new FirstAccess(op, word, order, a, b, extra, extraWritten);
        }
    }

    /// Whether the task stands before its first access and has not run to it.
    boolean notStarted() {
        return !begun && !finished && !daemon;
    }

    /// The task was started to make its first access and has come to it: it must be what it was
    /// seen to stand before.
    void checkStart() {
        FirstAccess known = first;
        if (known != null && (op != known.op || word != known.word || a != known.a)) {
            throw new AssertionError(
                    "[interleaf internal] the first access of "
                            + name
                            + " is to "
                            + word.name()
                            + " and was to "
                            + known.word.name());
        }
    }

    /// Lets the task run until it stands before an access that it was not granted, or ends. A
    /// daemon at rest makes its trigger's access first.
    void resume() {
        if (!begun) {
            begun = true;
            if (daemon) {
                taken = machine.perform(this);
            }
            strand.begin(life);
        }
        strand.resume();
        if (strand.idle()) {
            end();
        }
    }

    private void live() {
        try {
            body.run();
        } catch (TaskKilled end) {
            killed = end != TaskKilled.EXITED;
        } catch (RuntimeException | StackOverflowError crash) {
            killed = true;
            machine.monitor().crashed(this, crash);
        }
    }

    private void end() {
        begun = false;
        if (daemon) {
            arm();
            return;
        }
        finished = true;
        machine.monitor().taskEnded(this);
    }

    @Override
    public String toString() {
        return name;
    }
}
