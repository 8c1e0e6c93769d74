// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Frame;

import java.util.List;

/// Gives processes that are alike all the names that they can have, at the end of an execution:
/// each time their registers are those of another execution, which differs only in who is who.
final class Naming {
    private final List<Frame> frames;
    private final List<List<Integer>> groups;
    private final int[] owner;

    Naming(List<Frame> frames, List<List<Integer>> groups) {
        this.frames = frames;
        this.groups = groups;
        this.owner = new int[frames.size()];
        for (int i = 0; i < owner.length; i++) {
            owner[i] = i;
        }
    }

    /// Calls `visit` under each naming, the one that is there first.
    void forEach(Runnable visit) {
        from(0, 0, visit);
    }

    /// Of which process the registers of process `p` really are.
    int owner(int p) {
        return owner[p];
    }

    private void from(int g, int i, Runnable visit) {
        if (g == groups.size()) {
            visit.run();
            return;
        }
        List<Integer> group = groups.get(g);
        if (i == group.size()) {
            from(g + 1, 0, visit);
            return;
        }
        for (int k = i; k < group.size(); k++) {
            exchange(group.get(i), group.get(k));
            from(g, i + 1, visit);
            exchange(group.get(i), group.get(k));
        }
    }

    private void exchange(int p, int q) {
        if (p != q) {
            frames.get(p).exchangeRegisters(frames.get(q));
            int kept = owner[p];
            owner[p] = owner[q];
            owner[q] = kept;
        }
    }
}
