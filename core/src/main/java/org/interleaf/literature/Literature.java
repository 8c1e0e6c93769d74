// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.literature;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/// The programs with which the literature of partial order reduction compares its tools, by the
/// names that Nidhugg and GenMC use; most of them come in sizes, which the tools call `N`.
///
/// # Conventions
///
/// One shared access is one event. Two events conflict if they touch the same location and one of
/// them writes; stores of equal values conflict, a failed compare-and-swap is a load. Taking and
/// giving back one mutex conflict, and a blocked lock is no event. Starting and joining threads
/// never race. A loop that spins counts by its successful exit: it is a wait.
///
/// An execution counts where all tasks came to their end. Where a wait or an `assume()` never came
/// true it is one that the tools call blocked.
public final class Literature {
    private static final List<String> NAMES =
            List.of(
                    "mp",
                    "sbring",
                    "lbring",
                    "iriw",
                    "wrc",
                    "twoplus2w",
                    "readers",
                    "nwriters1reader",
                    "floating_read",
                    "lastwrite",
                    "co2_2w",
                    "redundant_co",
                    "race_param",
                    "vol90",
                    "ainc",
                    "binc",
                    "casrot",
                    "casw",
                    "lastzero",
                    "indexer",
                    "filesystem",
                    "fib_bench",
                    "opt_lock",
                    "control_flow",
                    "sigma",
                    "ssbexp",
                    "exp_bug",
                    "sat_example",
                    "circbuf",
                    "peterson",
                    "ticketlock",
                    "spinlock",
                    "mutexinc",
                    "mcs",
                    "treiber",
                    "seqlock",
                    "ptwalk");
    private static final String TABLE = "counts.tsv";
    private static final int SIZE_MAX = 1000;

    private Literature() {}

    /// A size at which the tools agree how many complete executions there are.
    ///
    /// @param executions complete executions, one a Mazurkiewicz trace
    public record Count(String name, int n, long executions) {
        private static Count parse(String line) {
            String[] columns = line.split("\t", -1);
            return new Count(columns[0], Integer.parseInt(columns[1]), Long.parseLong(columns[2]));
        }
    }

    /// The names of all programs.
    public static List<String> names() {
        return NAMES;
    }

    /// The published counts, program by program, small sizes first.
    public static List<Count> table() {
        try (InputStream in = Literature.class.getResourceAsStream(TABLE)) {
            byte[] bytes = Objects.requireNonNull(in).readAllBytes();
            return new String(bytes, StandardCharsets.UTF_8)
                    .lines()
                    .skip(1)
                    .map(Count::parse)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Whether the program comes in one size only; any `n` is the same to it then.
    public static boolean hasOneSize(String name) {
        return switch (name) {
            case "mp", "iriw", "wrc", "twoplus2w", "sat_example", "peterson", "vol90" -> true;
            default -> false;
        };
    }

    /// The largest size that the table has of a program; 5 where it has none.
    ///
    /// @throws LiteratureException if there is none of that name
    public static int usualSize(String name) {
        checkName(name);
        int usual = -1;
        for (Count row : table()) {
            if (row.name.equals(name)) {
                usual = Math.max(usual, row.n);
            }
        }
        return usual < 0 ? 5 : usual;
    }

    private static void checkName(String name) {
        if (!NAMES.contains(name)) {
            throw new LiteratureException(
                    "there is no program '" + name + "'", "there are " + String.join(", ", NAMES));
        }
    }

    /// Makes sure that there is a program of that name and size.
    ///
    /// @throws LiteratureException if there is not
    public static void check(String name, int n) {
        checkName(name);
        if (n < smallest(name) || n > largest(name)) {
            throw new LiteratureException(
                    name + ":" + n + ": there is no such size",
                    "it is from " + smallest(name) + " to " + largest(name));
        }
    }

    /// A program, ready to be explored.
    ///
    /// @throws LiteratureException if there is none of that name or size
    public static Scenario make(String name, int n) {
        check(name, n);
        Scenario s = new Scenario(1);
        build(s, name, n);
        return s.seal();
    }

    private static int smallest(String name) {
        // Its reader looks for a mutex, if only the first.
        return name.equals("ssbexp") ? 1 : 0;
    }

    /// Above these some task would look forever for room in a table.
    private static int largest(String name) {
        return switch (name) {
            case "indexer" -> Classics.SLOTS / Classics.MESSAGES;
            case "filesystem" -> Classics.BLOCKS;
            default -> SIZE_MAX;
        };
    }

    private static void build(Scenario s, String name, int n) {
        switch (name) {
            case "mp" -> Shapes.mp(s);
            case "sbring" -> Shapes.ring(s, n, true);
            case "lbring" -> Shapes.ring(s, n, false);
            case "iriw" -> Shapes.iriw(s);
            case "wrc" -> Shapes.wrc(s);
            case "twoplus2w" -> Shapes.twoPlusTwoW(s);
            case "readers" -> Shapes.readers(s, n);
            case "nwriters1reader" -> Shapes.writersAndReader(s, n);
            case "floating_read" -> Shapes.floatingRead(s, n);
            case "lastwrite" -> Shapes.lastWrite(s, n);
            case "co2_2w" -> Shapes.twoWritesEach(s, n);
            case "redundant_co" -> Shapes.redundantCoherence(s, n);
            case "race_param" -> Shapes.raceParam(s, n);
            case "vol90" -> Shapes.lostUpdates(s);
            case "ainc" -> Shapes.counters(s, n, 1);
            case "binc" -> Shapes.counters(s, n, 2);
            case "casrot" -> Shapes.casRotation(s, n);
            case "casw" -> Shapes.casAndWrite(s, n);
            case "lastzero" -> Classics.lastZero(s, n);
            case "indexer" -> Classics.indexer(s, n);
            case "filesystem" -> Classics.fileSystem(s, n);
            case "fib_bench" -> Classics.fibonacci(s, n);
            case "opt_lock" -> Classics.optimisticLock(s, n);
            case "control_flow" -> Classics.controlFlow(s, n);
            case "sigma" -> Classics.sigma(s, n);
            case "ssbexp" -> Classics.sleepSetExplosion(s, n);
            case "exp_bug" -> Classics.exponentialBug(s, n);
            case "sat_example" -> Classics.satExample(s);
            case "circbuf" -> Locks.circularBuffer(s, n);
            case "peterson" -> Locks.peterson(s);
            case "ticketlock" -> Locks.ticketLock(s, n);
            case "spinlock" -> Locks.spinLock(s, n);
            case "mutexinc" -> Locks.mutexIncrement(s, n);
            case "mcs" -> Locks.mcs(s, n);
            case "treiber" -> Locks.treiber(s, n);
            case "seqlock" -> Locks.seqlock(s, n);
            case "ptwalk" -> Locks.pageTableWalk(s, n);
            default -> throw new AssertionError("[interleaf internal] no program " + name);
        }
    }
}
