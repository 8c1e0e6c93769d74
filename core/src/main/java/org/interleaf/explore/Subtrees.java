// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// What the workers of a parsimonious exploration share: subtrees, of which none ever needs to know
/// of another.
final class Subtrees extends Pool<SubtreeWorker> {
    /// A subtree that nobody has begun with.
    ///
    /// @param share how much of everything it is, if all that one execution asks for is as much as
    ///   that execution
    record Part(Subtree subtree, double share) {}

    private final List<Part> waiting = new ArrayList<>();
    private int busy;
    private double seen;

    @Override
    synchronized void begin() {
        super.begin();
        waiting.clear();
        waiting.add(new Part(Subtree.ALL, 1));
        busy = 0;
        seen = 0;
    }

    @Override
    Worker worker(Program program, Limits limits, String fingerprint) {
        return new SubtreeWorker(program, limits, fingerprint, this);
    }

    /// The latest one first, so that few of them wait at a time.
    @Override
    boolean takeNow(SubtreeWorker worker) {
        if (waiting.isEmpty()) {
            return false;
        }
        busy++;
        worker.enter(waiting.removeLast());
        return true;
    }

    /// A worker gives a subtree away.
    synchronized void give(Part part) {
        waiting.add(part);
        given();
    }

    /// A worker is done with what it took, and has given away what it has not done of it.
    synchronized void finish() {
        busy--;
    }

    /// A worker has seen this much more of everything.
    synchronized void report(double share) {
        seen += share;
    }

    @Override
    synchronized boolean done() {
        return waiting.isEmpty() && busy == 0;
    }

    @Override
    synchronized double fraction() {
        return seen;
    }

    @Override
    synchronized void save(DataOutputStream out) throws IOException {
        out.writeDouble(seen);
        out.writeInt(waiting.size());
        for (Part part : waiting) {
            byte[] line = part.subtree.toString().getBytes(StandardCharsets.US_ASCII);
            out.writeDouble(part.share);
            out.writeInt(line.length);
            out.write(line);
        }
    }

    @Override
    synchronized void load(DataInputStream in) throws IOException {
        seen = in.readDouble();
        waiting.clear();
        for (int left = in.readInt(); left > 0; left--) {
            double share = in.readDouble();
            byte[] line = in.readNBytes(in.readInt());
            waiting.add(
                    new Part(Subtree.parse(new String(line, StandardCharsets.US_ASCII)), share));
        }
    }
}
