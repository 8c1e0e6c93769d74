// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.explore.Equivalence;
import org.interleaf.machine.Op;
import org.interleaf.machine.Region;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;

import java.util.Arrays;

/// Tells the Mazurkiewicz trace of an execution: two executions with equal keys have the same
/// events with the same order among those that conflict.
///
/// Each access is known by its place in its task, and by its location's *version*, which goes up
/// with each write and wherever what is done to the location changes, from reading to adding, say.
/// Accesses of different versions are ordered, and those of one do not conflict. Of that, 128 bits
/// of hash are kept.
///
/// What conflicts is written down here for a second time, on purpose: this is what the explorer is
/// compared with.
final class TraceKey {
    private static final int READ = 0;
    private static final int WRITE = 1;

    /// Equal for equivalent executions of one machine.
    record Key(long one, long two) {}

    private final Equivalence equivalence;
    private int[] version = new int[64];
    private int[] mode = new int[64];
    private final long[] one;
    private final long[] two;

    TraceKey(int tasks, Equivalence equivalence) {
        this.equivalence = equivalence;
        one = new long[tasks];
        two = new long[tasks];
    }

    /// A new execution begins.
    void begin() {
        Arrays.fill(version, 0);
        Arrays.fill(mode, 0);
        Arrays.fill(one, 1);
        Arrays.fill(two, 2);
    }

    /// `task` has made the access that it describes; its word held `before`.
    void step(Task task, long before) {
        int t = task.id();
        mix(t, -1);
        boolean wrote = task.op().writes(before, task.a(), task.b());
        touch(t, task.word(), wrote ? mode(task.op()) : READ);
        Region region = task.word().region();
        if (region != null) {
            touch(t, region.life(), READ);
        }
        Word extra = task.extra();
        if (extra != null) {
            touch(t, extra, task.extraWritten() ? WRITE : READ);
        }
    }

    private int mode(Op op) {
        if (equivalence == Equivalence.TRACE) {
            return WRITE;
        }
        return switch (op) {
            case LOCK_SHARED, TRY_SHARED, UNLOCK_SHARED -> 6;
            case ENTER -> 7;
            case UPDATE_ADD -> 2;
            case UPDATE_AND -> 3;
            case UPDATE_OR -> 4;
            case UPDATE_XOR -> 5;
            default -> WRITE;
        };
    }

    private void touch(int task, Word word, int how) {
        int id = word.id();
        if (id >= version.length) {
            version = Arrays.copyOf(version, 2 * id);
            mode = Arrays.copyOf(mode, 2 * id);
        }
        if (how == WRITE || how != mode[id]) {
            version[id]++;
            mode[id] = how;
        }
        mix(task, 8 * id + how);
        mix(task, version[id]);
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
