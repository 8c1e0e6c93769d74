// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// A simulated multiprocessor. It is set up once, by calls from outside that take effect at once;
/// {@link #seal} then fixes that state, and every {@link #run} executes the tasks from it, one
/// interleaving at a time, as a {@link Scheduler} decides.
///
/// # State
///
/// Whatever a task may change lives in {@link Word}s. The machine journals each word when it first
/// changes and puts the old values back before the next execution, so an execution pays for what it
/// touched and not for the size of the machine. Words that a task makes while it runs are numbered
/// by that task alone: its k-th word is the same location in every interleaving.
public final class Machine {
    final Word idleWord;

    private final Cpu[] cpus;
    private final Rcu rcu;
    private final KmapLocal kmapLocal;
    private final Ipi ipi;
    private final Task boot;
    private final Heap heap = new Heap();
    private final LockClasses lockClasses = new LockClasses();
    private final List<Task> tasks = new ArrayList<>();

    /// The tasks once more, to go through without an iterator.
    private Task[] all = new Task[0];

    private final List<Alike> alike = new ArrayList<>();
    private final List<Runnable> resets = new ArrayList<>();
    private final List<RcuDomain> rcuDomains = new ArrayList<>();
    private Monitor monitor = new Monitor() {};
    private @Nullable Scheduler scheduler;

    private int wordCount;
    private Word[][] madeWords = new Word[0][];

    private Word[] journalWords = new Word[256];
    private long[] journalValues = new long[256];
    private int journalSize;
    private int epoch;
    private int steps;

    private Task current;
    private @Nullable Task granted;
    private @Nullable Task chosen;
    private boolean sealed;
    private boolean running;
    private boolean parking;
    private boolean ended;
    private Loops loops = Loops.DEFAULT;
    private @Nullable RoundTrial trying;

    /// Where numbers for lasting words are taken from; null while none are made.
    private @Nullable Reserve reserve;

    /// The number of the first word that a running task makes.
    private int firstMadeWord;

    /// A machine with CPUs 0 to `cpus - 1` and nothing on them.
    public Machine(int cpus) {
        idleWord = new Word(this, wordCount++);
        boot = new Task(this, -1, "init", 0, () -> {});
        current = boot;
        this.cpus = new Cpu[cpus];
        for (int i = 0; i < cpus; i++) {
            this.cpus[i] = new Cpu(this, i);
        }
        rcu = new Rcu(this);
        kmapLocal = new KmapLocal(this);
        ipi = new Ipi(this);
    }

    // ---- set-up

    /// A free-standing shared location that holds `initial`.
    public Word word(String name, long initial) {
        return word(null, null, name, -1, initial);
    }

    /// A location that is a field of `owner`, or element `index` of it where `index` is not -1, and
    /// that dies with `region` where that is not null.
    public Word word(
            @Nullable Region region,
            @Nullable Object owner,
            String field,
            int index,
            long initial) {
        if (trying != null) {
            throw trying.somethingHappens();
        }
        boolean lasts = !running || reserve != null;
        Word word = lasts ? new Word(this, lastingNumber()) : pooledWord(current);
        word.become(region, owner, field, index);
        word.value = initial;
        word.epoch = lasts ? 0 : epoch;
        return word;
    }

    private int lastingNumber() {
        return reserve == null ? wordCount++ : reserve.next();
    }

    /// Sets numbers aside for words of parts of the machine that are made when they are first
    /// needed, by whichever task, and outlive the execution.
    ///
    /// @param parts how many such parts there are
    /// @param words how many words each can have
    public Reserve reserve(int parts, int words) {
        int first = wordCount;
        wordCount += parts * words;
        return new Reserve(first, words);
    }

    /// Numbers set aside, so that the words of a part have the same ones in every exploration, no
    /// matter when the part is made.
    public final class Reserve {
        private final int first;
        private final int words;
        private int next;
        private int end;

        private Reserve(int first, int words) {
            this.first = first;
            this.words = words;
        }

        /// Has `make` create part number `part`. What it makes must not depend on who needs it.
        public <T> T make(int part, Supplier<T> make) {
            next = first + part * words;
            end = next + words;
            Reserve outer = reserve;
            reserve = this;
            try {
                return make.get();
            } finally {
                reserve = outer;
            }
        }

        private int next() {
            if (next == end) {
                throw new AssertionError(
                        "[interleaf internal] more than " + words + " words in a lasting part");
            }
            return next++;
        }
    }

    private Word pooledWord(Task maker) {
        int t = maker.id();
        int k = maker.wordsMade++;
        Word[] pool = madeWords[t];
        if (k == pool.length) {
            pool = madeWords[t] = Arrays.copyOf(pool, Math.max(8, 2 * k));
        }
        if (pool[k] == null) {
            int id = firstMadeWord + k * tasks.size() + t;
            pool[k] = new Word(this, id);
            wordCount = Math.max(wordCount, id + 1);
        }
        return pool[k];
    }

    /// The ids of all words so far are below it. Which word has which id does not depend on the
    /// order of exploration, so that ids mean the same on another machine with the same set-up.
    public int wordCount() {
        return wordCount;
    }

    /// Adds a task that runs `body` on `cpu`, from the beginning, in every execution.
    public Task spawn(String name, int cpu, Runnable body) {
        if (sealed) {
            throw new IllegalStateException("tasks must be spawned before the machine is sealed");
        }
        Task task = new Task(this, tasks.size(), name, cpu, body);
        tasks.add(task);
        return task;
    }

    /// Declares that nobody can say which of `some` is which: they run the same code with the same
    /// arguments, and whatever an exchange of two of them changes in the state at the start is
    /// their own, as the words of two arrays at the same index are. Code that goes through tasks or
    /// CPUs by number tells them apart. An exploration may then leave out what differs from what it
    /// has seen only in who is who.
    ///
    /// @throws IllegalArgumentException if that cannot be, here or in {@link #seal}: as where one
    ///   shares a CPU with somebody else, and not all of them do
    public void identical(Task... some) {
        if (sealed) {
            throw new IllegalStateException("tasks must be declared before the machine is sealed");
        }
        List<Task> group = List.of(some);
        if (group.size() < 2 || Set.copyOf(group).size() < group.size()) {
            throw new IllegalArgumentException("it takes two tasks to be identical: " + group);
        }
        for (Task task : group) {
            if (!tasks.contains(task) || task.daemon() || task.alike() != null) {
                throw new IllegalArgumentException(
                        task + " is no task of this machine, a daemon, or declared twice");
            }
        }
        Alike declared = new Alike(group, word("start of " + group, 0));
        alike.add(declared);
        group.forEach(task -> task.become(declared));
    }

    /// The groups of tasks that were declared to be {@link #identical}.
    public List<Alike> alike() {
        return alike;
    }

    /// Adds machine work that `body` does on `cpu` whenever `trigger` has a bit of `mask` set; the
    /// bits are cleared in the step that begins it.
    Task daemon(String name, int cpu, Word trigger, long mask, Runnable body) {
        Task task =
                new Task(this, tasks.size(), name, cpu, body, true, Op.TAKE_PENDING, trigger, mask);
        tasks.add(task);
        return task;
    }

    /// Adds the interrupt and softirq work of every CPU, which IPIs and `call_rcu()` need.
    public void startDaemons() {
        for (Cpu cpu : cpus) {
            ipi.startDaemon(cpu);
            rcu.startDaemon(cpu);
        }
    }

    /// Has `reset` called before every execution, for state of the machine that is not in words.
    public void onReset(Runnable reset) {
        resets.add(reset);
    }

    /// Says how loops are treated; {@link Loops#DEFAULT} where nobody does.
    public void loops(Loops newLoops) {
        loops = newLoops;
    }

    Loops loops() {
        return loops;
    }

    /// Lets `newMonitor` hear what happens.
    public void monitor(Monitor newMonitor) {
        monitor = newMonitor;
    }

    /// Ends the set-up: its state is where every execution starts from.
    public void seal() {
        rcu.seal();
        rcuDomains.forEach(RcuDomain::seal);
        heap.seal();
        alike.forEach(group -> group.checkCpus(tasks));
        sealed = true;
        all = tasks.toArray(new Task[0]);
        madeWords = new Word[tasks.size()][8];
        firstMadeWord = wordCount;
        epoch = 1;
    }

    // ---- looking around

    /// The tasks, at their ids.
    public List<Task> tasks() {
        return tasks;
    }

    /// The task that runs now; outside of executions, the one that sets up.
    public Task current() {
        return current;
    }

    /// The CPU of the task that runs now.
    public Cpu cpu() {
        return cpus[current.cpu()];
    }

    public Cpu cpu(int id) {
        return cpus[id];
    }

    public int cpuCount() {
        return cpus.length;
    }

    /// Where tasks map pages of high memory.
    public KmapLocal kmapLocal() {
        return kmapLocal;
    }

    public Rcu rcu() {
        return rcu;
    }

    public Ipi ipi() {
        return ipi;
    }

    /// Read sections of a flavour of their own, as those of an `srcu_struct`. For the set-up.
    public RcuDomain rcuDomain(String name) {
        RcuDomain domain = new RcuDomain(this, name);
        rcuDomains.add(domain);
        return domain;
    }

    /// The classes that locks are in.
    public LockClasses lockClasses() {
        return lockClasses;
    }

    /// The objects that words can point to.
    public Heap heap() {
        return heap;
    }

    public Monitor monitor() {
        hasEffect();
        return monitor;
    }

    /// How many accesses the execution has made, with the one under way.
    public int steps() {
        return steps;
    }

    /// Whether tasks are running, as opposed to set-up or inspection from outside.
    public boolean running() {
        return running || trying != null;
    }

    // ---- loops

    /// The running task comes to a loop; {@link Rounds#end} says that it has left it. Rounds of an
    /// unfinished loop inside count as having an effect.
    ///
    /// @param name what reports call the loop
    public Rounds rounds(String name) {
        Task task = current;
        Rounds outer = task.rounds;
        Rounds inner = new Rounds(this, task, name, outer);
        if (trying == null) {
            task.rounds = inner;
        }
        return inner;
    }

    /// `goto retry`: the running task is about to do once more what it did in vain. Bounded as the
    /// rounds of any loop are.
    ///
    /// @param before what this returned before the last attempt, null before the first
    public Rounds retry(@Nullable Rounds before, String name) {
        if (trying != null) {
            throw trying.somethingHappens();
        }
        Rounds rounds = before == null ? rounds(name) : before;
        rounds.next();
        return rounds;
    }

    /// `while (round()) cpu_relax();`: goes round as long as `round` says so, and waits where that
    /// would be for nothing.
    ///
    /// @param round may change words, and nothing else before it returns false
    public void spin(String name, BooleanSupplier round) {
        if (trying != null) {
            if (round.getAsBoolean()) {
                throw trying.somethingHappens();
            }
            return;
        }
        Rounds rounds = rounds(name);
        rounds.begin(round);
        while (round.getAsBoolean()) {
            rounds.again(false);
            rounds.begin(round);
        }
        rounds.end();
    }

    /// Says that what the running task does in its loop has an effect that its accesses do not
    /// show.
    public void hasEffect() {
        if (trying != null) {
            throw trying.somethingHappens();
        }
        if (current.rounds != null) {
            current.rounds.hasEffect();
        }
    }

    /// Whether the running code is being tried out, see {@link Rounds#begin}.
    public boolean tryingOut() {
        return trying != null;
    }

    /// Has `task` try out what `trial` is about.
    boolean tryOut(RoundTrial trial, Task task, BooleanSupplier round) {
        Task interrupted = current;
        int irqDepth = task.irqDepth;
        int rcuDepth = task.rcuDepth;
        int kmapIdx = task.kmapIdx;
        current = task;
        trying = trial;
        try {
            return round.getAsBoolean();
        } finally {
            trying = null;
            current = interrupted;
            task.irqDepth = irqDepth;
            task.rcuDepth = rcuDepth;
            task.kmapIdx = kmapIdx;
        }
    }

    // ---- execution

    /// Runs one execution from the sealed state; returns when the scheduler ends it.
    public void run(Scheduler newScheduler) {
        if (!sealed) {
            throw new IllegalStateException("the machine must be sealed before it runs");
        }
        restore();
        scheduler = newScheduler;
        running = true;
        try {
            park();
            Task next = newScheduler.pick();
            while (next != null) {
                chosen = null;
                granted = next;
                current = next;
                next.resume();
                next = chosen != null || ended ? chosen : newScheduler.pick();
            }
            startTheRest();
        } finally {
            running = false;
            current = boot;
        }
    }

    /// Brings every task to its first access.
    private void park() {
        parking = true;
        for (Task task : all) {
            if (!task.daemon()) {
                current = task;
                task.park();
            }
        }
        parking = false;
    }

    /// Has those that never got to go come to where they stand, for who looks at them now.
    private void startTheRest() {
        parking = true;
        for (Task task : all) {
            if (task.notStarted()) {
                current = task;
                task.resume();
            }
        }
        parking = false;
    }

    /// Whether `word` is there in all executions.
    boolean lasts(Word word) {
        return word.id() < firstMadeWord;
    }

    private void restore() {
        for (int i = journalSize - 1; i >= 0; i--) {
            journalWords[i].value = journalValues[i];
        }
        journalSize = 0;
        epoch++;
        steps = 0;
        granted = null;
        ended = false;
        heap.reset();
        for (Task task : all) {
            task.reset();
        }
        for (int i = 0; i < resets.size(); i++) {
            resets.get(i).run();
        }
        monitor.started();
    }

    /// Remembers the value of `word` before its first change in this execution.
    void journal(Word word) {
        if (trying != null) {
            throw trying.somethingHappens();
        }
        if (word.epoch == epoch) {
            return;
        }
        word.epoch = epoch;
        if (journalSize == journalWords.length) {
            journalWords = Arrays.copyOf(journalWords, 2 * journalSize);
            journalValues = Arrays.copyOf(journalValues, 2 * journalSize);
        }
        journalWords[journalSize] = word;
        journalValues[journalSize++] = word.value;
    }

    /// The one way to touch shared state: a scheduling point, then the access. Returns the value
    /// before.
    long access(Word word, Op op, Order order, long a, long b) {
        return access(word, op, order, a, b, null, false);
    }

    /// As {@link #access(Word, Op, Order, long, long)}, reading or writing `extra` in the same
    /// step: only the order against other accesses of `extra` matters, its value is left alone. It
    /// must be another location than `word` and the life of its region.
    public long access(
            Word word,
            Op op,
            Order order,
            long a,
            long b,
            @Nullable Word extra,
            boolean extraWritten) {
        if (extra != null && (extra == word || isLife(extra, word.region))) {
            throw new AssertionError(
                    "[interleaf internal] one step touches " + extra.name() + " twice");
        }
        if (trying != null) {
            return trying.access();
        }
        Task task = current;
        task.aim(word, op, order, a, b, extra, extraWritten);
        if (running) {
            yieldUnlessGranted(task);
        } else if (!task.ready()) {
            throw new IllegalStateException("the set-up would wait forever for " + word.name());
        }
        return perform(task);
    }

    /// Makes an access that takes its aim in the same step. Until then the scheduler sees what the
    /// aim was when the task came here.
    long access(Aim aim) {
        if (trying != null) {
            throw trying.somethingHappens();
        }
        Task task = current;
        task.aim(aim);
        if (running) {
            yieldUnlessGranted(task);
            task.aim(aim);
        }
        return perform(task);
    }

    private static boolean isLife(Word word, @Nullable Region region) {
        return region != null && region.life() == word;
    }

    private void yieldUnlessGranted(Task task) {
        if (parking) {
            Strand.pause();
        } else if (granted != task) {
            Task next = Objects.requireNonNull(scheduler).pick();
            if (next != task) {
                chosen = next;
                ended = next == null;
                Strand.pause();
            }
        } else {
            task.checkStart();
        }
        granted = null;
    }

    /// Makes the access that `task` stands before.
    long perform(Task task) {
        Word word = task.word;
        steps += running ? 1 : 0;
        Region region = word.region;
        if (region != null && !region.alive()) {
            monitor.usedAfterFree(task, word);
        }
        long before = word.value;
        boolean wrote = task.op.writes(before, task.a, task.b);
        if (wrote) {
            journal(word);
            word.value = task.op.result(before, task.a, task.b);
        }
        if (running) {
            granted = null;
            Objects.requireNonNull(scheduler).executed(task, before, wrote);
            monitor.stepped(task, before);
        } else {
            monitor.setUp(task, before);
        }
        if (task.rounds != null) {
            task.rounds.note(word, task.op, before, wrote);
        }
        word.toucher = task.id();
        return before;
    }

    /// A memory barrier of the running task. It touches no location and is no scheduling point.
    public void fence(Fence kind) {
        if (trying != null) {
            return;
        }
        monitor.fenced(current, kind);
    }

    /// The running task's source says `annotation` here.
    public void annotate(Annotation annotation) {
        if (trying == null) {
            monitor.annotated(current, annotation);
        }
    }

    /// `data_race()`: whatever `expression` accesses may race.
    public long dataRace(LongSupplier expression) {
        annotate(Annotation.RACY_BEGIN);
        try {
            return expression.getAsLong();
        } finally {
            annotate(Annotation.RACY_END);
        }
    }

    /// `data_race()` of an unmarked read.
    public long dataRace(Word word) {
        annotate(Annotation.RACY_BEGIN);
        long value = word.readPlain();
        annotate(Annotation.RACY_END);
        return value;
    }

    /// `ASSERT_EXCLUSIVE_WRITER()`: nobody else writes to `word` now, marked or not. No access.
    public void assertExclusiveWriter(Word word) {
        if (trying == null) {
            monitor.exclusivelyWritten(current, word);
        }
    }

    /// `might_sleep()`: what the running task does next may sleep, which it must not do with a
    /// spinlock held, interrupts off or inside an RCU read section.
    public void mightSleep(String what) {
        if (current.atomic()) {
            hasEffect();
            monitor.mightSleep(current, what);
        }
    }

    /// Tells that `task` is about to take `lock`. Not an effect of the round of a loop, nor are the
    /// next two: what a lock is to others they see in its word.
    void acquiring(Task task, Lock lock, LockClass as, LockMode mode) {
        if (trying == null) {
            monitor.acquiring(task, lock, as, mode);
        }
    }

    /// Tells that `task` has taken `lock`.
    void acquired(Task task, Lock lock) {
        if (trying != null) {
            throw trying.somethingHappens();
        }
        monitor.acquired(task, lock);
    }

    /// Tells that `task` has given `lock` back.
    void released(Task task, Lock lock) {
        if (trying != null) {
            throw trying.somethingHappens();
        }
        monitor.released(task, lock);
    }

    /// The same as {@link #mightSleep(String)} for taking `lock` by the function `how`.
    void mightSleep(String how, Lock lock) {
        if (current.atomic()) {
            hasEffect();
            monitor.mightSleep(current, how + " " + lock.name());
        }
    }
}
