// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.machine.Region;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;

import java.util.Arrays;

/// Tells the Mazurkiewicz trace of an execution: two executions with equal keys have the same
/// events with the same order among those that conflict.
///
/// Each access is known by its place in its task, and by its location's *version*, the number of
/// writes to it so far. Writes to a location are all ordered, and a read lies between two of them,
/// so the versions say for every two conflicting accesses which comes first. Of that, 128 bits of
/// hash are kept.
///
/// What conflicts is written down here for a second time, on purpose: this is what the explorer is
/// compared with.
final class TraceKey {
    /// Equal for equivalent executions of one machine.
    record Key(long one, long two) {}

    private int[] version = new int[64];
    private final long[] one;
    private final long[] two;

    TraceKey(int tasks) {
        one = new long[tasks];
        two = new long[tasks];
    }

    /// A new execution begins.
    void begin() {
        Arrays.fill(version, 0);
        Arrays.fill(one, 1);
        Arrays.fill(two, 2);
    }

    /// `task` has made the access that it describes; its word held `before`.
    void step(Task task, long before) {
        int t = task.id();
        mix(t, -1);
        touch(t, task.word(), task.op().writes(before, task.a(), task.b()));
        Region region = task.word().region();
        if (region != null) {
            touch(t, region.life(), false);
        }
        Word extra = task.extra();
        if (extra != null) {
            touch(t, extra, task.extraWritten());
        }
    }

    private void touch(int task, Word word, boolean written) {
        if (word.id() >= version.length) {
            version = Arrays.copyOf(version, 2 * word.id());
        }
        mix(task, 2 * word.id() + (written ? 1 : 0));
        mix(task, version[word.id()]);
        if (written) {
            version[word.id()]++;
        }
    }

    private void mix(int task, long x) {
        one[task] = Long.rotateLeft((one[task] ^ x) * 0x9e3779b97f4a7c15L, 29);
        two[task] = Long.rotateLeft((two[task] + x) * 0xc2b2ae3d27d4eb4fL, 31);
    }

    /// The trace so far.
    Key key() {
        long a = 1;
        long b = 2;
        for (int t = 0; t < one.length; t++) {
            a = Long.rotateLeft((a ^ one[t]) * 0xff51afd7ed558ccdL, 33);
            b = Long.rotateLeft((b + two[t]) * 0xc4ceb9fe1a85ec53L, 27);
        }
        return new Key(a, b);
    }
}
