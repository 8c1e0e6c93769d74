// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import org.interleaf.explore.Ending;
import org.interleaf.explore.Program;
import org.interleaf.litmus.compile.CompiledTest;
import org.interleaf.litmus.compile.Likeness;
import org.interleaf.litmus.compile.TestCompiler;
import org.interleaf.litmus.outcome.Outcomes;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.vocabulary.LoopRounds;
import org.interleaf.litmus.vocabulary.Vocabulary;
import org.interleaf.machine.Loops;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Task;
import org.jspecify.annotations.Nullable;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// A litmus test on a machine: one task for each process, and a table of the final states.
public final class LitmusProgram implements Program {
    /// How many fruitless rounds a loop may make before the execution is cut, see {@link #load}.
    public static final int SPIN_BOUND = LoopRounds.DEFAULT;

    /// What an execution was, for the answer.
    public enum End {
        /// It ended, and the proposition of the condition holds.
        POSITIVE,
        /// It ended, and the proposition does not hold.
        NEGATIVE,
        /// It ended in a state that the `filter` excludes: it does not count, nor does what went
        /// wrong in it. A deadlock is such a state too.
        FILTERED,
        /// Tasks wait for each other, or wait or go round for something that nobody will do.
        DEADLOCK,
        /// It was cut: a loop or the whole execution reached its bound.
        CUT
    }

    private final LitmusTest test;
    private final Machine machine;
    private final CompiledTest compiled;
    private final Outcomes outcomes;
    private End lastEnd = End.CUT;
    private @Nullable Ending twin;
    private long filtered;
    private long deadlocks;
    private long cuts;
    private final Set<String> bounds = new TreeSet<>();

    private LitmusProgram(LitmusTest test, Machine machine, CompiledTest compiled) {
        this.test = test;
        this.machine = machine;
        this.compiled = compiled;
        this.outcomes = new Outcomes(compiled);
    }

    /// Compiles a test, runs its init block on `machine` and spawns its tasks. The caller adds what
    /// else the machine needs and seals it.
    ///
    /// @param spinBound how many rounds a loop may make that change memory and no register; then
    ///   the execution is cut
    /// @throws org.interleaf.litmus.syntax.LitmusException if the test is wrong
    public static LitmusProgram load(
            LitmusTest test, Machine machine, Vocabulary vocabulary, int spinBound) {
        CompiledTest compiled = TestCompiler.compile(test, machine, vocabulary);
        machine.loops(new Loops(true, spinBound, Loops.DEFAULT.countingMax()));
        compiled.setUp(machine);
        return new LitmusProgram(test, machine, compiled);
    }

    /// A plain LKMM test on a machine of its own, sealed, with a CPU for each process.
    public static LitmusProgram plain(LitmusTest test) {
        return plain(test, Likeness.none("not asked for"));
    }

    /// The same with processes that are alike declared identical.
    public static LitmusProgram plain(LitmusTest test, Likeness alike) {
        Machine machine = new Machine(test.processes().size());
        int rounds = LoopRounds.read(test.source(), test.config());
        LitmusProgram program = load(test, machine, Vocabulary.none(), rounds);
        program.compiled.declareAlike(alike.groups(), machine);
        machine.seal();
        return program;
    }

    @Override
    public Machine machine() {
        return machine;
    }

    @Override
    public void finished(Ending ending) {
        twin = null;
        lastEnd = end(ending);
        switch (lastEnd) {
            case POSITIVE, NEGATIVE -> {}
            case FILTERED -> filtered++;
            case DEADLOCK -> deadlocks++;
            case CUT -> {
                cuts++;
                noteBounds();
            }
        }
    }

    private void noteBounds() {
        for (Task task : machine.tasks()) {
            String bound = task.boundReached();
            if (bound != null) {
                bounds.add(bound);
            }
        }
    }

    private End end(Ending ending) {
        Ending.Kind kind = ending.kind();
        if (kind == Ending.Kind.CUT) {
            return End.CUT;
        }
        if (kind == Ending.Kind.FRUITLESS || !compiled.passesFilter()) {
            return End.FILTERED;
        }
        if (kind == Ending.Kind.DEADLOCK || kind == Ending.Kind.LIVELOCK) {
            return End.DEADLOCK;
        }
        boolean holds = outcomes.enter(ending.share());
        int[] names = outcomes.twin();
        twin = names == null ? null : new Twin(ending, names);
        return holds ? End.POSITIVE : End.NEGATIVE;
    }

    /// Enters what another program of the same test has seen.
    public void add(LitmusProgram other) {
        outcomes.add(other.outcomes);
        filtered += other.filtered;
        deadlocks += other.deadlocks;
        cuts += other.cuts;
        bounds.addAll(other.bounds);
    }

    /// Writes what was seen.
    public void save(DataOutputStream out) throws IOException {
        outcomes.save(out);
        out.writeLong(filtered);
        out.writeLong(deadlocks);
        out.writeLong(cuts);
        out.writeInt(bounds.size());
        for (String bound : bounds) {
            out.writeUTF(bound);
        }
    }

    /// Enters what {@link #save} has written of the same test.
    public void load(DataInputStream in) throws IOException {
        outcomes.load(in);
        filtered += in.readLong();
        deadlocks += in.readLong();
        cuts += in.readLong();
        for (int n = in.readInt(); n > 0; n--) {
            bounds.add(in.readUTF());
        }
    }

    /// The test.
    public LitmusTest test() {
        return test;
    }

    /// What is odd about the test though it can run, as lines `file:line:column: warning: …`.
    public List<String> warnings() {
        return compiled.warnings();
    }

    /// For an execution of which the condition holds and that stands for one of which it does not,
    /// or the other way round: the one that it stands for. Null for most.
    public @Nullable Ending twin() {
        return twin;
    }

    /// What the execution that finished last was.
    public End lastEnd() {
        return lastEnd;
    }

    /// The final states that count.
    public Outcomes outcomes() {
        return outcomes;
    }

    /// How many executions the filter excluded.
    public long filtered() {
        return filtered;
    }

    /// How many executions ended in a deadlock.
    public long deadlocks() {
        return deadlocks;
    }

    /// At which bounds on the rounds of a loop executions were cut: which loop, and how many rounds
    /// it made.
    public List<String> bounds() {
        return List.copyOf(bounds);
    }

    /// How many executions were cut; while there are any, the exploration is not complete.
    public long cuts() {
        return cuts;
    }
}
