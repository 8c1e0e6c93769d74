// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Region;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;

import java.util.Arrays;

/// Hashes the Mazurkiewicz trace of an execution as it grows: equivalent sequences of accesses have
/// equal hashes, others differ in 128 bits, as good as certainly.
///
/// An access is known by its place in its task and by the *version* of each location that it
/// touches, the number of writes there so far. Writes to a location are ordered and a read lies
/// between two of them, so versions say of any two conflicting accesses which comes first.
final class TraceHash {
    private static final long ODD_ONE = 0x9e3779b97f4a7c15L;
    private static final long ODD_TWO = 0xc2b2ae3d27d4eb4fL;

    private final long[] chainOne;
    private final long[] chainTwo;
    private int[] version = new int[64];

    /// The execution that a version belongs to; one of another is 0.
    private int[] versionOf = new int[64];

    private int execution;
    private long one;
    private long two;

    TraceHash(int tasks) {
        chainOne = new long[tasks];
        chainTwo = new long[tasks];
    }

    /// A new execution begins.
    void begin() {
        execution++;
        Arrays.fill(chainOne, 0);
        Arrays.fill(chainTwo, 0);
        one = 0;
        two = 0;
    }

    /// `task` has made the access that it describes.
    void step(Task task, boolean wrote) {
        int t = task.id();
        one -= spread(chainOne[t], t);
        two -= spread(chainTwo[t], ~t);
        touch(t, task.word(), wrote);
        Region region = task.word().region();
        if (region != null) {
            touch(t, region.life(), false);
        }
        Word extra = task.extra();
        if (extra != null) {
            touch(t, extra, task.extraWritten());
        }
        chainOne[t] = Long.rotateLeft(chainOne[t] * ODD_ONE, 17) + 1;
        chainTwo[t] = Long.rotateLeft(chainTwo[t] * ODD_TWO, 23) + 1;
        one += spread(chainOne[t], t);
        two += spread(chainTwo[t], ~t);
    }

    private void touch(int t, Word word, boolean written) {
        int id = word.id();
        if (id >= version.length) {
            version = Arrays.copyOf(version, 2 * id);
            versionOf = Arrays.copyOf(versionOf, 2 * id);
        }
        if (versionOf[id] != execution) {
            versionOf[id] = execution;
            version[id] = 0;
        }
        long x = ((long) id << 33) + ((long) version[id] << 1) + (written ? 1 : 0);
        chainOne[t] = Long.rotateLeft((chainOne[t] ^ x) * ODD_ONE, 29);
        chainTwo[t] = Long.rotateLeft((chainTwo[t] + x) * ODD_TWO, 31);
        if (written) {
            version[id]++;
        }
    }

    /// Mixes all bits of `x` (the finisher of MurmurHash3), so that sums of such do not cancel out.
    static long spread(long x, int salt) {
        long h = x + salt * ODD_ONE;
        h = (h ^ h >>> 33) * 0xff51afd7ed558ccdL;
        h = (h ^ h >>> 33) * 0xc4ceb9fe1a85ec53L;
        return h ^ h >>> 33;
    }

    /// Half of the hash of the trace so far.
    long one() {
        return one;
    }

    /// The other half.
    long two() {
        return two;
    }
}
