// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.BooleanSupplier;

/// The rounds that a task makes in one loop, with what the present one has looked at and whether it
/// had an effect.
///
/// A round without effect leaves memory and the task as they were, and if it changed something on
/// the way, as by taking a lock and dropping it, nobody has looked at that. Whatever such rounds an
/// execution has, the same execution without them is one too, in which everything else is as it
/// was. So no round is made for nothing: an access that would end one waits for another value where
/// the round can be tried out ({@link #begin}), and where it cannot, the task stops for good and
/// the execution is left to those that do without the round. Only a task whose next round would be
/// for nothing again, and the next, for nobody will change what it looked at, *spins*.
///
/// Whether a round had an effect follows from the order of conflicting accesses alone, so it is the
/// same in all executions that count as one.
///
/// Rounds with effect are bounded, as they may go on forever.
public final class Rounds {
    private static final Word[] NO_WORDS = {};
    private static final long[] NO_VALUES = {};

    private final Machine machine;
    private final Task task;
    private final String name;
    private final @Nullable Rounds outer;

    private @Nullable BooleanSupplier trial;
    private Word[] words = NO_WORDS;
    private long[] values = NO_VALUES;
    private int seen;

    /// What is not as it was when the round began, and what that was.
    private Word[] written = NO_WORDS;

    private long[] originals = NO_VALUES;
    private int writes;

    /// Whether the round has written, even if all is as it was: then it cannot be tried out.
    private boolean wrote;

    private boolean begun;
    private boolean effect;
    private boolean effectBefore;
    private int made;
    private int held;
    private int changing;
    private int counting;

    Rounds(Machine machine, Task task, String name, @Nullable Rounds outer) {
        this.machine = machine;
        this.task = task;
        this.name = name;
        this.outer = outer;
    }

    /// What the loop is called in reports.
    public String name() {
        return name;
    }

    /// A round begins.
    ///
    /// @param newTrial does what a round does, from the same local state, and says whether another
    ///   one would follow that finds the task in that state again. It is run aside of everything,
    ///   at any time, so it must change nothing but words; null where there is no such thing
    public void begin(@Nullable BooleanSupplier newTrial) {
        effectBefore |= effect;
        trial = newTrial;
        seen = 0;
        writes = 0;
        wrote = false;
        effect = false;
        made = task.wordsMade + task.objectsMade;
        held = task.heldCount();
    }

    /// The round has ended and another is to follow. Does not return where that would be in vain or
    /// a bound has been reached.
    ///
    /// @param moved whether the task is in another local state than when the round began
    public void again(boolean moved) {
        if (task.rounds != this) {
            task.rounds = this;
            effect = true;
        }
        effect |= made != task.wordsMade + task.objectsMade;
        effect |= held != task.heldCount() || writes > 0;
        if (!machine.running()) {
            if (!moved && !effect) {
                throw new IllegalStateException("the set-up would go round forever in " + name);
            }
            return;
        }
        if (moved) {
            bound(++counting, machine.loops().countingMax());
        } else if (effect || !machine.loops().waiting()) {
            bound(++changing, machine.loops().changingMax());
        } else {
            task.stop(this, null);
        }
    }

    private void bound(int rounds, int max) {
        if (rounds > max) {
            task.stop(this, "loop at " + name + " made " + max + " rounds");
        }
    }

    /// Begins the first round or, after a round that leaves the task in the state that it began in,
    /// the next one: for loops whose rounds cannot be tried out.
    public void next() {
        if (begun) {
            again(false);
        }
        begun = true;
        begin(null);
    }

    /// The loop has ended. For a loop around it, its last round is part of the one there.
    public void end() {
        task.rounds = outer;
        if (outer != null) {
            // What several rounds did cannot be tried out as one.
            outer.effect |= effect || effectBefore || counting + changing > 0;
            outer.wrote |= wrote;
            for (int i = 0; i < seen; i++) {
                outer.add(words[i], values[i]);
            }
            for (int i = 0; i < writes; i++) {
                if (outer.indexOfWritten(written[i]) < 0) {
                    outer.addWritten(written[i], originals[i]);
                }
            }
        }
    }

    /// Says that the round has an effect that its accesses do not show.
    void hasEffect() {
        effect = true;
    }

    /// Notes the access that the task has just made.
    void note(Word word, Op op, long before, boolean wrote) {
        if (effect) {
            return;
        }
        boolean alive = word.region == null || word.region.alive();
        // What commutes with others may come before or after them, so that neither what it finds
        // nor who has been there can decide anything.
        boolean commutes = op.isUpdate() || wrote && op.commutes();
        if (task.extra != null || !alive || commutes) {
            effect = true;
            return;
        }
        int i = indexOfWritten(word);
        if (i >= 0) {
            rewritten(i);
        } else {
            add(word, before);
            if (wrote && word.value != before) {
                addWritten(word, before);
            }
        }
    }

    /// The place of `word` among those that are not as they were; -1 if it is not there.
    private int indexOfWritten(Word word) {
        for (int i = 0; i < writes; i++) {
            if (written[i] == word) {
                return i;
            }
        }
        return -1;
    }

    /// Notes an access to word `i` of those that are not as they were. If it is as it was now, and
    /// nobody else has looked at it meanwhile, nothing has happened to it.
    private void rewritten(int i) {
        Word word = written[i];
        if (word.toucher != task.id()) {
            effect = true;
        } else if (word.value == originals[i]) {
            forget(i);
        }
    }

    private void forget(int i) {
        written[i] = written[--writes];
        originals[i] = originals[writes];
    }

    /// Says that `word` counts what is over, so that what the round has changed there is nothing to
    /// it that was not before.
    void settled(Word word) {
        int i = indexOfWritten(word);
        if (i >= 0) {
            forget(i);
        }
        for (int k = 0; k < seen; k++) {
            values[k] = words[k] == word ? word.value : values[k];
        }
    }

    private void addWritten(Word word, long before) {
        if (writes == written.length) {
            written = Arrays.copyOf(written, Math.max(4, 2 * writes));
            originals = Arrays.copyOf(originals, Math.max(4, 2 * writes));
        }
        wrote = true;
        written[writes] = word;
        originals[writes++] = before;
    }

    private void add(Word word, long value) {
        if (seen == words.length) {
            words = Arrays.copyOf(words, Math.max(4, 2 * seen));
            values = Arrays.copyOf(values, Math.max(4, 2 * seen));
        }
        words[seen] = word;
        values[seen++] = value;
    }

    /// What decides whether the access that the task stands before need wait; null where it need
    /// not, for all that is known.
    @Nullable RoundTrial trial() {
        boolean plain = task.extra == null && task.word.region == null && !wrote;
        // An update always has an effect: it commutes with others of its kind, so that what it
        // finds, and whether it changes that, can decide nothing.
        boolean canEndRound = plain && !task.op.waits() && !task.op.commutes();
        if (trial == null || effect || !canEndRound || !machine.loops().waiting()) {
            return null;
        }
        return new RoundTrial(task, trial, Arrays.copyOf(values, seen), task.op, task.a, task.b);
    }

    /// Whether the next round would see what this one saw.
    boolean isUpToDate() {
        for (int i = 0; i < seen; i++) {
            Region region = words[i].region;
            if (words[i].value != values[i] || region != null && !region.alive()) {
                return false;
            }
        }
        return true;
    }

    /// What the round looked at, for reports: `x=0, y=1`.
    public String looks() {
        Set<String> looks = new LinkedHashSet<>();
        for (int i = 0; i < seen; i++) {
            looks.add(words[i].name() + "=" + words[i].show(values[i]));
        }
        if (task.trial() != null) {
            looks.add(task.word.toString());
        }
        return String.join(", ", looks);
    }
}
