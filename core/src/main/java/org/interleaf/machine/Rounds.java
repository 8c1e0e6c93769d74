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
/// A round without effect leaves memory and the task as they were. Whatever such rounds an
/// execution has, the same execution without them is one too, in which everything else is as it
/// was. So no round is made for nothing: an access that would end one waits for another value where
/// the round can be tried out ({@link #begin}), and where it cannot, the task stops for good and
/// the execution is left to those that do without the round. Only a task whose next round would be
/// for nothing again, and the next, for nobody will change what it looked at, *spins*.
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
    private boolean begun;
    private boolean effect;
    private boolean effectBefore;
    private int made;
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
        effect = false;
        made = task.wordsMade + task.objectsMade;
    }

    /// The round has ended and another is to follow. Does not return where that would be in vain or
    /// a bound has been reached.
    ///
    /// @param moved whether the task is in another local state than when the round began
    public void again(boolean moved) {
        if (!machine.running()) {
            if (!moved && !effect) {
                throw new IllegalStateException("the set-up would go round forever in " + name);
            }
            return;
        }
        if (task.rounds != this) {
            task.rounds = this;
            effect = true;
        }
        effect |= made != task.wordsMade + task.objectsMade;
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
            for (int i = 0; i < seen; i++) {
                outer.add(words[i], values[i]);
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
        if (op.isUpdate() || wrote && word.value != before || task.extra != null || !alive) {
            effect = true;
        } else {
            add(word, before);
        }
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
        boolean plain = task.extra == null && task.word.region == null;
        if (trial == null || effect || !plain || task.op.waits() || !machine.loops().waiting()) {
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
