// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.explore.Equivalence;
import org.interleaf.machine.BitLock;
import org.interleaf.machine.Lock;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Mmu;
import org.interleaf.machine.Monitor;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.PhysicalMemory;
import org.interleaf.machine.RcuDomain;
import org.interleaf.machine.Ref;
import org.interleaf.machine.Region;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.SeqCount;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Task;
import org.interleaf.machine.Tlb;
import org.interleaf.machine.WaitQueue;
import org.interleaf.machine.Word;

import java.util.ArrayList;
import java.util.List;

/// A machine with some of everything, on which a {@link RandomProgram} runs. It writes down what
/// each task saw and what was found.
final class Playground implements Monitor {
    static final int WORDS = 5;

    /// A bit of a word that keeps others out of what it counts.
    static final long OUT = 1 << 20;

    static final int REGIONS = 2;

    final Machine machine;

    /// Words 0 to 2 live forever, 3 and 4 belong to a region each.
    final Word[] words = new Word[WORDS];

    /// Holds two bits.
    final Word narrow;

    final Region[] regions = new Region[REGIONS];
    final SpinLock[] spins;
    final Mutex mutex;
    final RwSem sem;

    /// A bit of word 2, whose other bits are used as a number.
    final BitLock bit;

    final WaitQueue queue;
    final SeqCount seq;
    final RcuDomain srcu;
    final Ref<Node> head;

    /// One page frame for each CPU.
    final PhysicalMemory memory;

    final TinyTables tables;
    final Mmu mmu;

    private final List<Local> locals = new ArrayList<>();
    private final List<Integer> went = new ArrayList<>();
    private final TraceKey trace;
    private final int wordsAtFirst;
    private long digest;

    /// What a task knows, and what was seen of it.
    static final class Local {
        long last;
        int readHolds;
        int writeHolds;
        boolean inSrcu;
        long frame;
        final StringBuilder log = new StringBuilder();
    }

    /// An object that tasks make while they run.
    static final class Node extends Shared {
        final Region region;
        final Word word;
        final BitLock lock;

        Node(Machine machine, long initial) {
            super(machine);
            region = new Region(machine);
            word = machine.word(region, null, "node", -1, initial);
            lock = new BitLock(machine, word, 8, "lock", false);
        }
    }

    Playground(RandomProgram program) {
        this(program, Equivalence.UPDATE);
    }

    Playground(RandomProgram program, Equivalence equivalence) {
        this(program, equivalence, List.of());
    }

    /// @param alike groups of tasks that are declared identical, by their places in the program
    Playground(RandomProgram program, Equivalence equivalence, List<List<Integer>> alike) {
        machine = new Machine(program.cpus());
        for (int r = 0; r < REGIONS; r++) {
            regions[r] = new Region(machine);
            regions[r].owner("region" + r);
            if (program.regionsAlive()) {
                regions[r].allocate();
            }
        }
        for (int w = 0; w < WORDS; w++) {
            Region region = w < WORDS - REGIONS ? null : regions[w - (WORDS - REGIONS)];
            words[w] = machine.word(region, null, "w" + w, -1, 0);
        }
        narrow = machine.word("narrow", 0);
        spins =
                new SpinLock[] {
                    new SpinLock(machine, null, null, "s0"),
                    new SpinLock(machine, regions[0], null, "s1")
                };
        mutex = new Mutex(machine, null, "m");
        sem = new RwSem(machine, regions[1], null, "sem");
        bit = new BitLock(machine, words[2], 4, "bit", false);
        queue = new WaitQueue(machine, null, "queue");
        seq = new SeqCount(machine, null, "seq");
        head = new Ref<>(machine, Node.class, null, "head", -1);
        tables = new TinyTables(machine, program.tableLevels(), words);
        srcu = new RcuDomain(machine, "srcu");
        memory = new PhysicalMemory(machine, 1, 1, 1, 0);
        mmu = new Mmu(machine, tables, program.faultDropsTranslation());
        spawn(program, alike);
        trace = new TraceKey(machine.tasks().size(), equivalence);
        wordsAtFirst = machine.wordCount();
    }

    private void spawn(RandomProgram program, List<List<Integer>> alike) {
        if (program.daemons() == RandomProgram.Daemons.FIRST) {
            machine.startDaemons();
        }
        List<Task> spawned = new ArrayList<>();
        for (List<Statement> body : program.tasks()) {
            int id = machine.tasks().size();
            spawned.add(machine.spawn("P" + id, id % machine.cpuCount(), () -> run(body)));
        }
        for (List<Integer> group : alike) {
            machine.identical(group.stream().map(spawned::get).toArray(Task[]::new));
        }
        if (program.daemons() == RandomProgram.Daemons.LAST) {
            machine.startDaemons();
        }
        machine.monitor(this);
        srcu.seal();
        machine.seal();
        machine.tasks().forEach(task -> locals.add(new Local()));
    }

    private void run(List<Statement> body) {
        for (Statement statement : body) {
            statement.run(this);
        }
    }

    // ---- for statements

    /// What the running task knows.
    Local local() {
        return locals.get(machine.current().id());
    }

    /// The running task has seen `value`.
    void see(long value) {
        local().last = value;
        local().log.append(value).append(' ');
    }

    void see(boolean value) {
        see(value ? 1 : 0);
    }

    boolean holds(Lock lock) {
        return machine.current().holds(lock);
    }

    // ---- what came of it

    /// The tasks of the accesses, in order.
    int[] went() {
        return went.stream().mapToInt(t -> t).toArray();
    }

    /// A hash of every access of the execution: who made it, where, what it found and left.
    long digest() {
        return digest;
    }

    /// The trace of the execution so far.
    TraceKey.Key trace() {
        return trace.key();
    }

    /// All that the rest of the execution depends on.
    String state() {
        StringBuilder text = new StringBuilder(outcome());
        for (int c = 0; c < machine.cpuCount(); c++) {
            text.append(" tlb").append(c);
            Tlb tlb = mmu.tlb(c);
            for (int i = 0; i < tlb.size(); i++) {
                text.append(' ').append(tlb.start(i)).append(tlb.pfn(i)).append(tlb.dirty(i));
            }
        }
        return text.toString();
    }

    /// What the execution came to: the state of everything, and what each task has seen.
    String outcome() {
        StringBuilder text = new StringBuilder();
        for (Word word : words) {
            text.append(word.peek()).append(' ');
        }
        for (Region region : regions) {
            text.append(region.alive() ? '+' : '-');
        }
        text.append(spins[0].word().peek()).append(spins[1].word().peek());
        text.append(' ').append(seq.word().peek()).append(head.word().peek());
        text.append(' ').append(narrow.peek());
        for (Word entry : tables.entries) {
            text.append(' ').append(entry.peek());
        }
        text.append(tables.directory.peek());
        for (int t = 0; t < locals.size(); t++) {
            Task task = machine.tasks().get(t);
            text.append(" | ").append(locals.get(t).log);
            text.append(task.finished() ? "ended" : task.atRest() ? "rests" : "waits");
            for (int i = 0; i < task.heldCount(); i++) {
                text.append(" holds ").append(task.held(i).name());
            }
        }
        return text.toString();
    }

    // ---- as a monitor

    @Override
    public void started() {
        trace.begin();
        digest = 0;
        went.clear();
        for (Local local : locals) {
            local.last = 0;
            local.readHolds = 0;
            local.writeHolds = 0;
            local.inSrcu = false;
            local.frame = -1;
            local.log.setLength(0);
        }
    }

    @Override
    public void stepped(Task task, long before) {
        int id = task.word().id();
        mix(task.id() << 8 | task.op().ordinal());
        // Words made while running are numbered when they are first made, on each machine.
        mix(id < wordsAtFirst ? id : -1);
        mix(before);
        mix(task.word().peek());
        trace.step(task, before);
        went.add(task.id());
    }

    private void mix(long x) {
        digest = Long.rotateLeft((digest ^ x) * 0x9e3779b97f4a7c15L, 29);
    }

    private void found(Task task, String what) {
        if (task.id() >= 0) {
            locals.get(task.id()).log.append(what).append(' ');
        }
    }

    @Override
    public void doubleFree(Task task, Region region) {
        found(task, "double-free");
    }

    @Override
    public void usedAfterFree(Task task, Word word) {
        found(task, "use-after-free");
    }

    @Override
    public void releasedUnheld(Task task, Lock lock) {
        found(task, "released-unheld");
    }

    @Override
    public void mightSleep(Task task, String what) {
        found(task, "sleeps");
    }

    @Override
    public void complained(Task task, String kind, String text) {
        found(task, kind);
    }

    @Override
    public void crashed(Task task, Throwable crash) {
        found(task, "crashed:" + crash.getMessage());
    }
}
