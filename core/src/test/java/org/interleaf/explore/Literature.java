// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// The programs with which the literature of partial order reduction compares its tools, by the
/// names that Nidhugg and GenMC use. An execution counts where no `assume()` failed in it.
///
/// # Conventions
///
/// One shared access is one event. Two events conflict if they touch the same location and one of
/// them writes; stores of equal values conflict, a failed compare-and-swap is a load. Taking and
/// giving back one mutex conflict, and a blocked lock is no event. Starting and joining threads
/// never race.
final class Literature {
    private Literature() {}

    static Scenario make(String name, int n) {
        Scenario s = new Scenario(1);
        switch (name) {
            case "mp" -> LiteratureShapes.mp(s);
            case "sbring" -> LiteratureShapes.ring(s, n, true);
            case "lbring" -> LiteratureShapes.ring(s, n, false);
            case "iriw" -> LiteratureShapes.iriw(s);
            case "wrc" -> LiteratureShapes.wrc(s);
            case "twoplus2w" -> LiteratureShapes.twoPlusTwoW(s);
            case "readers" -> LiteratureShapes.readers(s, n);
            case "lastzero" -> LiteratureClassics.lastZero(s, n);
            case "indexer" -> LiteratureClassics.indexer(s, n);
            case "filesystem" -> LiteratureClassics.fileSystem(s, n);
            case "ainc" -> LiteratureShapes.counters(s, n, 1);
            case "binc" -> LiteratureShapes.counters(s, n, 2);
            case "casrot" -> LiteratureShapes.casRotation(s, n);
            case "casw" -> LiteratureShapes.casAndWrite(s, n);
            case "nwriters1reader" -> LiteratureShapes.writersAndReader(s, n);
            case "co2_2w" -> LiteratureShapes.twoWritesEach(s, n);
            case "floating_read" -> LiteratureShapes.floatingRead(s, n);
            case "lastwrite" -> LiteratureShapes.lastWrite(s, n);
            case "fib_bench" -> LiteratureClassics.fibonacci(s, n);
            case "opt_lock" -> LiteratureClassics.optimisticLock(s, n);
            case "control_flow" -> LiteratureClassics.controlFlow(s, n);
            case "race_param" -> LiteratureShapes.raceParam(s, n);
            case "circbuf" -> LiteratureLocks.circularBuffer(s, n);
            case "ssbexp" -> LiteratureClassics.sleepSetExplosion(s, n);
            case "exp_bug" -> LiteratureClassics.exponentialBug(s, n);
            case "sat_example" -> LiteratureClassics.satExample(s);
            case "peterson" -> LiteratureLocks.peterson(s);
            case "ticketlock" -> LiteratureLocks.ticketLock(s, n);
            case "spinlock" -> LiteratureLocks.spinLock(s, n);
            case "mutexinc" -> LiteratureLocks.mutexIncrement(s, n);
            case "mcs" -> LiteratureLocks.mcs(s, n);
            case "treiber" -> LiteratureLocks.treiber(s, n);
            case "seqlock" -> LiteratureLocks.seqlock(s, n);
            case "sigma" -> LiteratureClassics.sigma(s, n);
            case "redundant_co" -> LiteratureShapes.redundantCoherence(s, n);
            case "ptwalk" -> LiteratureLocks.pageTableWalk(s, n);
            default -> throw new IllegalArgumentException(name);
        }
        return s.seal();
    }
}
