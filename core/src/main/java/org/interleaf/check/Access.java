// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.check.CallSites.Site;
import org.interleaf.machine.Op;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;

/// One access, as far as data races and reports of them go.
///
/// @param when its number among the accesses of its task
/// @param step its number in the execution
/// @param reads whether it uses what it found
/// @param marked whether it is marked, or counts as such
/// @param mask which bits of the word it touches
record Access(
        Task task,
        Word word,
        Site site,
        int when,
        int step,
        boolean reads,
        boolean writes,
        boolean marked,
        long mask,
        long before,
        long after) {

    /// The access that `task` has just made.
    static Access of(Task task, Site site, int when, boolean marked, long before) {
        Op op = task.op();
        return new Access(
                task,
                task.word(),
                site,
                when,
                task.machine().steps(),
                op != Op.STORE && op != Op.STORE_BITS,
                op.writes(before, task.a(), task.b()),
                marked,
                op == Op.STORE_BITS ? task.a() : -1,
                before,
                task.word().peek());
    }

    /// `ASSERT_EXCLUSIVE_WRITER()`: as a plain read, which no write may race with.
    static Access assertion(Task task, Word word, Site site, int when) {
        int step = task.machine().steps();
        return new Access(
                task, word, site, when, step, true, false, false, -1, word.peek(), word.peek());
    }

    /// Whether the two touch the same bits, one of them writes, and one of them is plain.
    boolean conflicts(Access other) {
        return (writes || other.writes) && !(marked && other.marked) && (mask & other.mask) != 0;
    }

    String function() {
        return site.function(task);
    }

    /// What the kernel's report calls it: `write (marked) to x by P0 on CPU 0:`.
    String describe() {
        String what = reads && writes ? "read-write" : writes ? "write" : "read";
        return what
                + (marked ? " (marked)" : "")
                + " to "
                + word.name()
                + " by "
                + task.name()
                + " on CPU "
                + task.cpu()
                + ":";
    }
}
