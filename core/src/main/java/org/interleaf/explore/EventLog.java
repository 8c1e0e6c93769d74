// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Aim;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Op;
import org.interleaf.machine.Region;
import org.interleaf.machine.RoundTrial;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.Objects;

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
///
/// # Blocks
///
/// The accesses of one location form *blocks*: a write is one by itself, reads that follow each
/// other are one, and so are commuting updates of a kind. The accesses of a block do not conflict;
/// each conflicts with all of the block before, and that is all that need be looked at, since these
/// conflict with everything earlier.
final class EventLog {
    private static final int NONE = -1;
    private static final int[] NOTHING = {};

    private final int tasks;
    private final Equivalence equivalence;
    private final Starts starts;
    private int size;
    private int accessCount;
    private int lateAims;

    // One element an event.
    private int[] task = new int[256];
    private Op[] op = new Op[256];
    private long[] a = new long[256];
    private long[] b = new long[256];
    private long[] before = new long[256];
    private long[] extraBefore = new long[256];
    private @Nullable Aim[] lateAim = new Aim[256];
    private @Nullable RoundTrial[] trial = new RoundTrial[256];
    private int[] firstAccess = new int[257];
    private int[] previousOfTask = new int[256];
    private int[] racesBefore = new int[256];
    private @Nullable Footprint[] footprint = new Footprint[256];
    private int[] clock;

    // One element for each location that an event touches; the first is the event's own word.
    private int[] access = new int[512];
    private int[] eventOf = new int[512];
    private int[] previousInBlock = new int[512];
    private int[] previousBlock = new int[512];
    private int[] lastBefore = new int[512];

    // One element a location: its last access.
    private int[] last;

    private final int[] lastOfTask;

    /// The first event of each task that is one of several that are alike, once it has been made.
    private final int[] firstOfTask;

    /// One element an event, where tasks begin in order: see {@link #startsBehind(int)}.
    private long[] startsBehind = new long[0];

    private final int[] scratchClock;

    private final RaceList races = new RaceList();
    private int[] candidates = new int[64];
    private int candidateCount;
    // The waiting access whose races are being looked for.
    private Op asked = Op.LOAD;
    private long askedA;
    private long askedB;
    private @Nullable RoundTrial askedTrial;

    private final Jointly jointly = new Jointly(this);

    EventLog(Machine machine, Equivalence equivalence, Starts starts) {
        this.tasks = machine.tasks().size();
        this.starts = starts;
        this.equivalence = equivalence;
        this.last = new int[256];
        this.clock = new int[256 * tasks];
        this.lastOfTask = new int[tasks];
        this.firstOfTask = new int[tasks];
        this.scratchClock = new int[tasks];
        Arrays.fill(lastOfTask, NONE);
        Arrays.fill(last, NONE);
    }

    int size() {
        return size;
    }

    int task(int event) {
        return task[event];
    }

    /// The tasks of the events, in order.
    int[] schedule() {
        return Arrays.copyOf(task, size);
    }

    /// How often another task than before made the next event.
    int switches() {
        int switches = 0;
        for (int e = 1; e < size; e++) {
            switches += task[e] == task[e - 1] ? 0 : 1;
        }
        return switches;
    }

    RaceList races() {
        return races;
    }

    /// Whether task `t` has made an access.
    boolean hasStarted(int t) {
        return lastOfTask[t] != NONE;
    }

    /// Of the tasks that begin in order, by their ids, those whose first events come before that of
    /// task `t`, not counting that they begin in order.
    long startsBehind(int t) {
        return startsBehind[firstOfTask[t]];
    }

    /// Whether it is not yet the turn of task `t` to make its first access.
    boolean mustNotStart(int t) {
        int predecessor = starts.predecessor(t);
        return predecessor != NONE && lastOfTask[t] == NONE && lastOfTask[predecessor] == NONE;
    }

    boolean happensBefore(int first, int second) {
        return clock[second * tasks + task[first]] >= first;
    }

    /// Has `into` hold, for each task, the last event that was in it or happens before `e` or is
    /// `e`.
    void joinClock(int e, int[] into) {
        int base = e * tasks;
        for (int t = 0; t < tasks; t++) {
            into[t] = Math.max(into[t], clock[base + t]);
        }
    }

    /// Whether event `e` and `other`, of another task, conflict.
    boolean conflicts(int e, Footprint other) {
        for (int x = firstAccess[e]; x < firstAccess[e + 1]; x++) {
            for (int theirs : other.accesses()) {
                if (Footprint.conflict(access[x], theirs)) {
                    return true;
                }
            }
        }
        return false;
    }

    /// Makes sure that event `i` is the access that `t` describes, which found `valueBefore`: a
    /// prefix that is run again goes as it went.
    void checkRepeated(int i, Task t, long valueBefore) {
        boolean same =
                task[i] == t.id()
                        && op[i] == t.op()
                        && Footprint.location(access[firstAccess[i]]) == t.word().id()
                        && a[i] == t.a()
                        && b[i] == t.b()
                        && before[i] == valueBefore;
        if (!same) {
            throw new AssertionError(
                    "[interleaf internal] execution differs from the one it repeats, at step "
                            + i
                            + " of "
                            + t);
        }
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

        trial[e] = t.trial();
        beginClock(t.id());
        boolean waits = waits(e);
        if (waits) {
            ask(t);
        }
        touch(e, t.word().id(), equivalence.mode(t.op(), wrote), waits);
        Region region = t.word().region();
        if (region != null) {
            touch(e, region.life().id(), Footprint.READ, false);
        }
        lateAim[e] = t.lateAim();
        lateAims += lateAim[e] == null ? 0 : 1;
        Word extra = t.extra();
        if (extra != null) {
            extraBefore[e] = extra.peek();
            touch(e, extra.id(), t.extraWritten() ? Footprint.WRITE : Footprint.READ, false);
        }
        if (waits && accessCount > firstAccess[e] + 1) {
            dropWhereBlocked(e);
        }
        if (previousOfTask[e] == NONE && starts.turn(t.id()) != NONE) {
            start(e);
        }
        firstAccess[e + 1] = accessCount;
        keepImmediateRaces(e);
        joinClock(e);
        if (starts.any()) {
            joinStarts(e);
        }
        lastOfTask[t.id()] = e;
    }

    /// Event `e` is the first of its task, which is one of several that are alike.
    private void start(int e) {
        int predecessor = starts.predecessor(task[e]);
        int other = predecessor == NONE ? NONE : firstOfTask[predecessor];
        firstOfTask[task[e]] = e;
        if (other != NONE && op[e] != op[other] && lateAim[e] == null && lateAim[other] == null) {
            throw new IllegalStateException(
                    "tasks that were declared identical begin with " + op[other] + " and " + op[e]);
        }
        touch(e, starts.turn(task[e]), Footprint.WRITE, false);
    }

    private void beginClock(int t) {
        candidateCount = 0;
        jointly.clear();
        int previous = lastOfTask[t];
        if (previous == NONE && starts.predecessor(t) != NONE) {
            previous = firstOfTask[starts.predecessor(t)];
        }
        if (previous == NONE) {
            Arrays.fill(scratchClock, NONE);
        } else {
            System.arraycopy(clock, previous * tasks, scratchClock, 0, tasks);
        }
    }

    private void touch(int e, int location, int mode, boolean waits) {
        int x = accessCount++;
        if (x == access.length) {
            growAccesses();
        }
        if (location >= last.length) {
            growLocations(location);
        }
        int y = last[location];
        access[x] = Footprint.access(location, mode);
        eventOf[x] = e;
        lastBefore[x] = y;
        if (y != NONE && access[y] == access[x] && mode != Footprint.WRITE) {
            // An earlier read by the same task happens before this one, and need not be remembered.
            boolean own = mode == Footprint.READ && task[eventOf[y]] == task[e];
            previousInBlock[x] = own ? previousInBlock[y] : y;
            previousBlock[x] = previousBlock[y];
        } else {
            previousInBlock[x] = NONE;
            previousBlock[x] = y;
        }
        last[location] = x;
        if (waits) {
            findRacesOfWaiting(previousBlock[x], mode);
        } else {
            addCandidates(previousBlock[x]);
        }
    }

    /// Adds a block to the candidates.
    private void addCandidates(int block) {
        for (int x = block; x != NONE; x = previousInBlock[x]) {
            candidate(eventOf[x]);
        }
    }

    /// A waiting access cannot come right before the write that enabled it. It races with the
    /// latest write that it could have come before: the one that found a value with which it need
    /// not wait. Commuting updates may have enabled it jointly; see {@link Jointly}.
    ///
    /// @param block what it conflicts with, the last of it
    private void findRacesOfWaiting(int block, int mode) {
        int at = block;
        if (mode != Footprint.READ && at != NONE && mode(at) == Footprint.READ) {
            addCandidates(at);
        }
        while (at != NONE) {
            if (mode(at) == Footprint.WRITE) {
                if (known(eventOf[at])) {
                    return;
                }
                if (couldRun(valueBefore(at))) {
                    candidate(eventOf[at]);
                    return;
                }
            } else if (mode(at) != Footprint.READ && jointly.find(at)) {
                return;
            }
            at = previousBlock[at];
        }
    }

    /// Whether event `e` is one that can be blocked.
    boolean waits(int e) {
        return op[e].waits() || trial[e] != null;
    }

    private void ask(Task t) {
        asked = t.op();
        askedA = t.a();
        askedB = t.b();
        askedTrial = t.trial();
    }

    /// Whether the waiting access whose races are being looked for could run where its word holds
    /// `value`.
    boolean couldRun(long value) {
        return asked.enabled(value, askedA, askedB)
                && (askedTrial == null || askedTrial.goesOn(value));
    }

    /// How the access `x` touches its location.
    private int mode(int x) {
        return Footprint.mode(access[x]);
    }

    /// The access before `x` in its block of accesses that commute with each other, -1 where it is
    /// the first.
    int previousInBlock(int x) {
        return previousInBlock[x];
    }

    /// The event that makes the access `x`.
    int eventOf(int x) {
        return eventOf[x];
    }

    /// What the location of the write or update `x` held before it.
    long valueBefore(int x) {
        int e = eventOf[x];
        return x == firstAccess[e] ? before[e] : extraBefore[e];
    }

    /// What event `e` leaves where it finds `value`.
    long resultOf(int e, long value) {
        return op[e].result(value, a[e], b[e]);
    }

    /// Drops the candidates that the waiting event `second` races with by another location than its
    /// word, where the word's value without them, and without what they happen before, blocks it: a
    /// lock taken inside an object that was freed while somebody held the lock.
    private void dropWhereBlocked(int second) {
        int kept = 0;
        for (int i = 0; i < candidateCount; i++) {
            int block = previousBlock[firstAccess[second]];
            long value = valueWithout(candidates[i], NOTHING, before[second], block);
            if (couldRun(value)) {
                candidates[kept++] = candidates[i];
            }
        }
        candidateCount = kept;
    }

    /// What a location would hold without `first` and `also`, and what these happen before.
    ///
    /// @param value what it holds with them
    /// @param block the last access to it
    private long valueWithout(int first, int[] also, long value, int block) {
        long found = value;
        for (int x = block; x != NONE; x = previousBlock[x]) {
            if (mode(x) == Footprint.READ) {
                continue;
            }
            int start = x;
            int left = 0;
            int dropped = 0;
            for (int y = x; y != NONE; y = previousInBlock[y]) {
                boolean drop = follows(first, also, eventOf[y]);
                dropped += drop ? 1 : 0;
                left += drop ? 0 : 1;
                start = y;
            }
            if (dropped == 0) {
                return found;
            }
            found = valueBefore(start);
            for (int y = x; y != NONE; y = previousInBlock[y]) {
                boolean drop = follows(first, also, eventOf[y]);
                found = drop ? found : resultOf(eventOf[y], found);
            }
            if (left > 0) {
                return found;
            }
        }
        return found;
    }

    private boolean follows(int first, int[] also, int e) {
        return happensBefore(first, e) || followsAny(also, e);
    }

    /// Whether `e` is or happens after one of `events`.
    boolean followsAny(int[] events, int e) {
        for (int event : events) {
            if (happensBefore(event, e)) {
                return true;
            }
        }
        return false;
    }

    /// Whether `e` happens before the event that is being appended by program order.
    boolean known(int e) {
        return scratchClock[task[e]] >= e;
    }

    /// Adds a candidate for a race with the event that is being appended.
    void candidate(int e) {
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
            if (isImmediate(i) && !jointly.isBetween(candidates[i])) {
                races.add(candidates[i], NOTHING, second);
            }
        }
        jointly.addRaces(races, candidates, candidateCount, second);
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
            for (int y = previousBlock[x]; y != NONE; y = previousInBlock[y]) {
                join(eventOf[y]);
            }
        }
        scratchClock[task[e]] = e;
        System.arraycopy(scratchClock, 0, clock, e * tasks, tasks);
    }

    /// As {@link #joinClock}, for the first events of the tasks that begin in order, as if they did
    /// not.
    private void joinStarts(int e) {
        if (e >= startsBehind.length) {
            startsBehind = Arrays.copyOf(startsBehind, task.length);
        }
        int turn = starts.turn(task[e]);
        boolean first = previousOfTask[e] == NONE;
        long behind = first ? turn == NONE ? 0 : 1L << task[e] : startsBehind[previousOfTask[e]];
        for (int x = firstAccess[e]; x < accessCount; x++) {
            boolean ordered = Footprint.location(access[x]) == turn;
            for (int y = ordered ? NONE : previousBlock[x]; y != NONE; y = previousInBlock[y]) {
                behind |= startsBehind[eventOf[y]];
            }
        }
        startsBehind[e] = behind;
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
        if (t.word().id() >= last.length) {
            return;
        }
        beginClock(t.id());
        ask(t);
        findRacesOfWaiting(last[t.word().id()], Footprint.READ);
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

    /// Whether any event took its aim in the step that made it.
    boolean hasLateAims() {
        return lateAims > 0;
    }

    /// The footprint that the second event of `race` would have had without the first: a
    /// compare-and-swap, say, may succeed or fail for another.
    Footprint reversedFootprint(int race) {
        int first = races.first(race);
        int second = races.second(race);
        if (lateAim[second] != null) {
            return lateFootprint(second, first, NOTHING);
        }
        int x = firstAccess[second];
        int y = firstAccess[first];
        if (Footprint.location(access[x]) != Footprint.location(access[y])
                || mode(y) == Footprint.READ) {
            return footprint(second);
        }
        return footprintWithout(second, first, races.also(race));
    }

    /// The footprint that event `e` would have had without `first` and `also`, and what these
    /// happen before, if it looked at the same word.
    Footprint footprintWithout(int e, int first, int[] also) {
        if (op[e].waits()) {
            return footprint(e);
        }
        int x = firstAccess[e];
        long value = valueWithout(first, also, before[e], previousBlock[x]);
        int mode = equivalence.mode(op[e], op[e].writes(value, a[e], b[e]));
        if (mode == mode(x)) {
            return footprint(e);
        }
        int[] accesses = Arrays.copyOfRange(access, x, firstAccess[e + 1]);
        accesses[0] = Footprint.access(Footprint.location(access[x]), mode);
        return new Footprint(task[e], accesses);
    }

    /// The footprint of the late aim of event `e` at the end of the execution without `first` and
    /// `also`, and what these happen before.
    Footprint lateFootprint(int e, int first, int[] also) {
        Aim.Target target =
                Objects.requireNonNull(lateAim[e]).at(word -> endValueWithout(first, also, word));
        Word word = target.word();
        long value = endValueWithout(first, also, word);
        boolean writes = target.op().writes(value, target.a(), target.b());
        int mode = equivalence.mode(target.op(), writes);
        boolean starting = previousOfTask[e] == NONE;
        return footprint(task[e], word, mode, target.extra(), target.extraWritten(), starting);
    }

    /// What `word` would hold now, at the end of the execution, without `first` and `also`, and
    /// what these happen before.
    private long endValueWithout(int first, int[] also, Word word) {
        int block = word.id() < last.length ? last[word.id()] : NONE;
        return valueWithout(first, also, word.peek(), block);
    }

    /// The footprint of the access that `t`, which is blocked, stands before, without the first
    /// events of `race`.
    Footprint pendingFootprint(Task t, int race) {
        return pendingFootprint(t, races.first(race), races.also(race));
    }

    /// The same without `first` and `also`, and what these happen before.
    Footprint pendingFootprint(Task t, int first, int[] also) {
        long value = endValueWithout(first, also, t.word());
        int mode = equivalence.mode(t.op(), t.op().writes(value, t.a(), t.b()));
        boolean starting = lastOfTask[t.id()] == NONE;
        return footprint(t.id(), t.word(), mode, t.extra(), t.extraWritten(), starting);
    }

    private Footprint footprint(
            int t,
            Word word,
            int mode,
            @Nullable Word extra,
            boolean extraWritten,
            boolean starting) {
        int turn = starting ? starts.turn(t) : NONE;
        int own = Footprint.access(word.id(), mode);
        int extraMode = extraWritten ? Footprint.WRITE : Footprint.READ;
        Region region = word.region();
        return new Footprint(
                t,
                new int[] {
                    own,
                    region == null ? own : Footprint.access(region.life().id(), Footprint.READ),
                    extra == null ? own : Footprint.access(extra.id(), extraMode),
                    turn == NONE ? own : Footprint.access(turn, Footprint.WRITE)
                });
    }

    // ---- how an access could have come earlier

    /// Whether the waiting event `e`, or the access that `blocked` stands before where there is no
    /// such event, could be made without `first` and `also`, and what these happen before.
    boolean enabledWithout(int e, Task blocked, int first, int[] also) {
        askOf(e, blocked);
        return couldRun(
                e < size
                        ? valueWithout(first, also, before[e], previousBlock[firstAccess[e]])
                        : endValueWithout(first, also, blocked.word()));
    }

    private void askOf(int e, Task blocked) {
        if (e >= size) {
            ask(blocked);
            return;
        }
        asked = op[e];
        askedA = a[e];
        askedB = b[e];
        askedTrial = trial[e];
    }

    /// The write that the waiting event `e`, or the access that `blocked` stands before where there
    /// is no such event, could have come right before, had the events since not happened: the
    /// latest one that found a value with which it need not wait; -1 if there is none.
    ///
    /// This is for where updates do not commute.
    int overtakable(int e, Task blocked) {
        askOf(e, blocked);
        int previous = e < size ? previousOfTask[e] : lastOfTask[blocked.id()];
        int word = blocked.word().id();
        int at = NONE;
        if (e < size) {
            at = previousBlock[firstAccess[e]];
        } else if (word < last.length) {
            at = last[word];
        }
        for (; at != NONE; at = previousBlock[at]) {
            int write = eventOf[at];
            if (mode(at) == Footprint.READ) {
                continue;
            }
            if (previous != NONE && happensBefore(write, previous)) {
                return NONE;
            }
            if (couldRun(valueBefore(at))) {
                return write;
            }
        }
        return NONE;
    }

    /// Whether whatever conflicts with event `e` conflicts with `other` as well.
    boolean excludesOthers(Footprint other, int e) {
        for (int x = firstAccess[e]; x < firstAccess[e + 1]; x++) {
            int location = Footprint.location(access[x]);
            int theirs = other.modeAt(location);
            if (theirs != Footprint.WRITE && theirs != mode(x)) {
                return false;
            }
        }
        return true;
    }

    /// What `other`, which conflicts with event `e`, can do to it: 0 if it can block it or have it
    /// aim elsewhere, 1 if it can have a late aim read where it wrote, 2 if neither.
    int effect(Footprint other, int e) {
        int own = firstAccess[e];
        if (waits(e)) {
            return other.changes(Footprint.location(access[own])) ? 0 : 2;
        }
        if (lateAim[e] == null) {
            return 2;
        }
        // What a late aim depends on first of all comes last.
        int x = firstAccess[e + 1] - 1;
        if (other.changes(Footprint.location(access[x]))) {
            return 0;
        }
        while (x > own) {
            x--;
            if (other.changes(Footprint.location(access[x]))) {
                return 1;
            }
        }
        return 2;
    }

    // ---- taking back

    /// Takes the last event off.
    void removeLast() {
        int e = --size;
        lateAims -= lateAim[e] == null ? 0 : 1;
        for (int x = accessCount - 1; x >= firstAccess[e]; x--) {
            last[Footprint.location(access[x])] = lastBefore[x];
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
        trial = Arrays.copyOf(trial, n);
        firstAccess = Arrays.copyOf(firstAccess, n + 1);
        previousOfTask = Arrays.copyOf(previousOfTask, n);
        racesBefore = Arrays.copyOf(racesBefore, n);
        footprint = Arrays.copyOf(footprint, n);
        clock = Arrays.copyOf(clock, n * tasks);
    }

    private void growAccesses() {
        int n = 2 * access.length;
        access = Arrays.copyOf(access, n);
        eventOf = Arrays.copyOf(eventOf, n);
        previousInBlock = Arrays.copyOf(previousInBlock, n);
        previousBlock = Arrays.copyOf(previousBlock, n);
        lastBefore = Arrays.copyOf(lastBefore, n);
    }

    private void growLocations(int location) {
        int old = last.length;
        last = Arrays.copyOf(last, Math.max(2 * old, location + 1));
        Arrays.fill(last, old, last.length, NONE);
    }
}
