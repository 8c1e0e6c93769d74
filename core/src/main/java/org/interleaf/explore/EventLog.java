// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Aim;
import org.interleaf.machine.Op;
import org.interleaf.machine.Region;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// The events of the execution at hand, with their happens-before relation and the races among
/// them.
///
/// Everything is kept in flat arrays that grow and are used again. Events are appended, and taken
/// off the end when the explorer backtracks; what is known of each location is undone with them, so
/// the common prefix of two executions is analysed once.
///
/// # Clocks
///
/// The clock of event e holds, for each task, the number of that task's last event that happens
/// before e or is e. So event d happens before e exactly when `clock(e)[task(d)] >= d`.
final class EventLog {
    private static final int NONE = -1;

    private final int tasks;
    private int size;
    private int accessCount;

    // One element an event.
    private int[] task = new int[256];
    private Op[] op = new Op[256];
    private long[] a = new long[256];
    private long[] b = new long[256];
    private long[] before = new long[256];
    private long[] extraBefore = new long[256];
    private @Nullable Aim[] lateAim = new Aim[256];
    private int[] firstAccess = new int[257];
    private int[] previousOfTask = new int[256];
    private int[] racesBefore = new int[256];
    private @Nullable Footprint[] footprint = new Footprint[256];
    private int[] clock;

    // One element for each location that an event touches; the first is the event's own word.
    private int[] access = new int[512];
    private int[] previousWrite = new int[512];
    private int[] previousRead = new int[512];
    private int[] readBefore = new int[512];
    private int[] eventOf = new int[512];

    // One element a location: the last write, as an index of an access, and a chain of reads since.
    private int[] lastWrite;
    private int[] lastRead;

    private final int[] lastOfTask;
    private final int[] scratchClock;

    private final RaceList races = new RaceList();
    private int[] candidates = new int[64];
    private int candidateCount;

    EventLog(int tasks) {
        this.tasks = tasks;
        this.lastWrite = new int[256];
        this.lastRead = new int[256];
        this.clock = new int[256 * tasks];
        this.lastOfTask = new int[tasks];
        this.scratchClock = new int[tasks];
        Arrays.fill(lastOfTask, NONE);
        Arrays.fill(lastWrite, NONE);
        Arrays.fill(lastRead, NONE);
    }

    int size() {
        return size;
    }

    int task(int event) {
        return task[event];
    }

    RaceList races() {
        return races;
    }

    boolean happensBefore(int first, int second) {
        return clock[second * tasks + task[first]] >= first;
    }

    /// Whether event `i` is the access that `t` describes, which found `valueBefore`.
    boolean matches(int i, Task t, long valueBefore) {
        return task[i] == t.id()
                && op[i] == t.op()
                && access[firstAccess[i]] >> 1 == t.word().id()
                && a[i] == t.a()
                && b[i] == t.b()
                && before[i] == valueBefore;
    }

    // ---- appending

    /// Appends the access that `t` has just made and finds its races with earlier events.
    void append(Task t, long valueBefore, boolean wrote) {
        int e = size++;
        if (e == task.length) {
            growEvents();
        }
        task[e] = t.id();
        op[e] = t.op();
        a[e] = t.a();
        b[e] = t.b();
        before[e] = valueBefore;
        footprint[e] = null;
        firstAccess[e] = accessCount;
        previousOfTask[e] = lastOfTask[t.id()];
        racesBefore[e] = races.size();

        beginClock(t.id());
        candidateCount = 0;
        touch(e, t.word().id(), wrote, t.op().waits());
        Region region = t.word().region();
        if (region != null) {
            touch(e, region.life().id(), false, false);
        }
        lateAim[e] = t.lateAim();
        Word extra = t.extra();
        if (extra != null) {
            extraBefore[e] = extra.peek();
            touch(e, extra.id(), t.extraWritten(), false);
        }
        firstAccess[e + 1] = accessCount;
        if (t.op().waits() && accessCount > firstAccess[e] + 1) {
            dropWhereBlocked(e);
        }
        keepImmediateRaces(e);
        joinClock(e);
        lastOfTask[t.id()] = e;
    }

    private void beginClock(int t) {
        int previous = lastOfTask[t];
        if (previous == NONE) {
            Arrays.fill(scratchClock, NONE);
        } else {
            System.arraycopy(clock, previous * tasks, scratchClock, 0, tasks);
        }
    }

    private void touch(int e, int location, boolean written, boolean waits) {
        int x = accessCount++;
        if (x == access.length) {
            growAccesses();
        }
        if (location >= lastWrite.length) {
            growLocations(location);
        }
        access[x] = Footprint.access(location, written);
        eventOf[x] = e;
        findRaces(location, written, waits, op[e], a[e], b[e]);
        previousWrite[x] = lastWrite[location];
        int read = lastRead[location];
        readBefore[x] = read;
        if (written) {
            previousRead[x] = read;
            lastWrite[location] = x;
            lastRead[location] = NONE;
        } else {
            // An earlier read by the same task happens before this one, and need not be remembered.
            boolean own = read != NONE && task[eventOf[read]] == task[e];
            previousRead[x] = own ? previousRead[read] : read;
            lastRead[location] = x;
        }
    }

    /// Adds to the candidates the events that race with an access of `location` about to happen.
    private void findRaces(int location, boolean written, boolean waits, Op o, long x, long y) {
        if (written) {
            for (int r = lastRead[location]; r != NONE; r = previousRead[r]) {
                candidate(eventOf[r]);
            }
        }
        int w = lastWrite[location];
        if (waits) {
            w = lastWriteBeforeWhichEnabled(w, o, x, y);
        }
        if (w != NONE) {
            candidate(eventOf[w]);
        }
    }

    /// A waiting access cannot come right before the write that enabled it. It races with the
    /// latest write that it could have come before: the one that found a value with which it need
    /// not wait.
    private int lastWriteBeforeWhichEnabled(int last, Op o, long x, long y) {
        for (int w = last; w != NONE; w = previousWrite[w]) {
            if (known(eventOf[w])) {
                return NONE;
            }
            if (o.enabled(valueBefore(w), x, y)) {
                return w;
            }
        }
        return NONE;
    }

    /// What the location of the write `w` held before it.
    private long valueBefore(int w) {
        int e = eventOf[w];
        return w == firstAccess[e] ? before[e] : extraBefore[e];
    }

    /// Drops the candidates that the waiting event `second` races with by another location than its
    /// word, where the word's value without them, and without what they happen before, blocks it: a
    /// lock taken inside an object that was freed while somebody held the lock.
    private void dropWhereBlocked(int second) {
        int kept = 0;
        for (int i = 0; i < candidateCount; i++) {
            long value =
                    valueWithout(candidates[i], before[second], previousWrite[firstAccess[second]]);
            if (op[second].enabled(value, a[second], b[second])) {
                candidates[kept++] = candidates[i];
            }
        }
        candidateCount = kept;
    }

    /// What a location would hold without `first` and what that happens before.
    ///
    /// @param value what it holds with them
    /// @param last the last write to it
    private long valueWithout(int first, long value, int last) {
        long found = value;
        for (int w = last; w != NONE && happensBefore(first, eventOf[w]); w = previousWrite[w]) {
            found = valueBefore(w);
        }
        return found;
    }

    private boolean known(int e) {
        return scratchClock[task[e]] >= e;
    }

    private void candidate(int e) {
        if (known(e)) {
            return;
        }
        if (candidateCount == candidates.length) {
            candidates = Arrays.copyOf(candidates, 2 * candidateCount);
        }
        candidates[candidateCount++] = e;
    }

    /// Of the candidates, those with no other candidate between them and `second` are races.
    private void keepImmediateRaces(int second) {
        for (int i = 0; i < candidateCount; i++) {
            if (isImmediate(i)) {
                races.add(candidates[i], second);
            }
        }
    }

    private boolean isImmediate(int i) {
        int e = candidates[i];
        for (int k = 0; k < candidateCount; k++) {
            int other = candidates[k];
            if (other != e ? happensBefore(e, other) : k < i) {
                return false;
            }
        }
        return true;
    }

    /// The clock of `e`: all that conflicts with it, by program order and by each of its accesses.
    private void joinClock(int e) {
        for (int x = firstAccess[e]; x < accessCount; x++) {
            if (previousWrite[x] != NONE) {
                join(eventOf[previousWrite[x]]);
            }
            if ((access[x] & 1) != 0) {
                for (int r = previousRead[x]; r != NONE; r = previousRead[r]) {
                    join(eventOf[r]);
                }
            }
        }
        scratchClock[task[e]] = e;
        System.arraycopy(scratchClock, 0, clock, e * tasks, tasks);
    }

    private void join(int earlier) {
        int base = earlier * tasks;
        for (int t = 0; t < tasks; t++) {
            scratchClock[t] = Math.max(scratchClock[t], clock[base + t]);
        }
    }

    // ---- the end of an execution

    /// Finds the races of the access that `t` is blocked at for good: it may have gone ahead had it
    /// come earlier.
    void addBlocked(Task t) {
        if (t.word().id() >= lastWrite.length) {
            return;
        }
        beginClock(t.id());
        candidateCount = 0;
        findRaces(t.word().id(), false, true, t.op(), t.a(), t.b());
        keepImmediateRaces(size + t.id());
    }

    // ---- footprints

    Footprint footprint(int e) {
        Footprint known = footprint[e];
        if (known == null) {
            known =
                    new Footprint(
                            task[e],
                            Arrays.copyOfRange(access, firstAccess[e], firstAccess[e + 1]));
            footprint[e] = known;
        }
        return known;
    }

    /// Whether event `e` took its aim in the step that made it.
    boolean tookLateAim(int e) {
        return e < size && lateAim[e] != null;
    }

    /// The footprint that event `second` would have had without `first`, which it races with: a
    /// compare-and-swap, say, may succeed or fail for another.
    Footprint footprintWithout(int first, int second) {
        Aim aim = lateAim[second];
        if (aim != null) {
            return footprint(task[second], aim.at(word -> endValueWithout(first, word)), first);
        }
        int x = firstAccess[second];
        int y = firstAccess[first];
        if (op[second].waits() || access[x] >> 1 != access[y] >> 1 || (access[y] & 1) == 0) {
            return footprint(second);
        }
        boolean writes = op[second].writes(before[first], a[second], b[second]);
        if (writes == ((access[x] & 1) != 0)) {
            return footprint(second);
        }
        int[] accesses = Arrays.copyOfRange(access, x, firstAccess[second + 1]);
        accesses[0] = Footprint.access(accesses[0] >> 1, writes);
        return new Footprint(task[second], accesses);
    }

    private Footprint footprint(int t, Aim.Target target, int first) {
        Word word = target.word();
        long value = endValueWithout(first, word);
        boolean writes = target.op().writes(value, target.a(), target.b());
        return footprint(t, word, writes, target.extra(), target.extraWritten());
    }

    /// What `word` would hold now, at the end of the execution, without `first` and what that
    /// happens before.
    private long endValueWithout(int first, Word word) {
        int last = word.id() < lastWrite.length ? lastWrite[word.id()] : NONE;
        return valueWithout(first, word.peek(), last);
    }

    /// The footprint of the access that `t`, which is blocked, stands before.
    static Footprint pendingFootprint(Task t) {
        boolean writes = t.op() == Op.LOCK || t.op() == Op.TAKE_PENDING;
        return footprint(t.id(), t.word(), writes, t.extra(), t.extraWritten());
    }

    private static Footprint footprint(
            int task, Word word, boolean writes, @Nullable Word extra, boolean extraWritten) {
        int own = Footprint.access(word.id(), writes);
        Region region = word.region();
        return new Footprint(
                task,
                new int[] {
                    own,
                    region == null ? own : Footprint.access(region.life().id(), false),
                    extra == null ? own : Footprint.access(extra.id(), extraWritten)
                });
    }

    // ---- taking back

    /// Takes the last event off.
    void removeLast() {
        int e = --size;
        for (int x = accessCount - 1; x >= firstAccess[e]; x--) {
            int location = access[x] >> 1;
            lastWrite[location] = previousWrite[x];
            lastRead[location] = readBefore[x];
        }
        accessCount = firstAccess[e];
        lastOfTask[task[e]] = previousOfTask[e];
        races.truncate(racesBefore[e]);
    }

    private void growEvents() {
        int n = 2 * task.length;
        task = Arrays.copyOf(task, n);
        op = Arrays.copyOf(op, n);
        a = Arrays.copyOf(a, n);
        b = Arrays.copyOf(b, n);
        before = Arrays.copyOf(before, n);
        extraBefore = Arrays.copyOf(extraBefore, n);
        lateAim = Arrays.copyOf(lateAim, n);
        firstAccess = Arrays.copyOf(firstAccess, n + 1);
        previousOfTask = Arrays.copyOf(previousOfTask, n);
        racesBefore = Arrays.copyOf(racesBefore, n);
        footprint = Arrays.copyOf(footprint, n);
        clock = Arrays.copyOf(clock, n * tasks);
    }

    private void growAccesses() {
        int n = 2 * access.length;
        access = Arrays.copyOf(access, n);
        previousWrite = Arrays.copyOf(previousWrite, n);
        previousRead = Arrays.copyOf(previousRead, n);
        readBefore = Arrays.copyOf(readBefore, n);
        eventOf = Arrays.copyOf(eventOf, n);
    }

    private void growLocations(int location) {
        int old = lastWrite.length;
        int n = Math.max(2 * old, location + 1);
        lastWrite = Arrays.copyOf(lastWrite, n);
        lastRead = Arrays.copyOf(lastRead, n);
        Arrays.fill(lastWrite, old, n, NONE);
        Arrays.fill(lastRead, old, n, NONE);
    }
}
