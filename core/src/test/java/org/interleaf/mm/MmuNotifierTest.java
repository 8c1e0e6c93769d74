// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Exploration;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/// Subscriptions to changes of an address space: who is told of what, and that nobody is told too
/// early, too late or after the end, in every order.
final class MmuNotifierTest {
    private final MmScenario linux = new MmScenario(2, MmScenario.arm64(), HugeMemory.Thp.MADVISE);
    private final MmuNotifier notifier = linux.kernel.mmuNotifier();
    private final List<String> told = new ArrayList<>();

    private long page(int n) {
        return n * linux.pageSize();
    }

    private MmuNotifierRange range(long start, long end) {
        return notifier.range(Event.CLEAR, linux.mm, start, end);
    }

    /// What there is to do between start and end is nothing.
    private void invalidate(long start, long end) {
        MmuNotifierRange range = range(start, end);
        notifier.invalidateRangeStart(range);
        notifier.invalidateRangeEnd(range);
    }

    /// An interval that takes `lock` when it is told of something, and does `then`.
    private MmuIntervalNotifier interval(long start, long length, Mutex lock, Runnable then) {
        return new MmuIntervalNotifier(
                linux.machine,
                null,
                linux.mm,
                start,
                length,
                (sub, range, seq) -> {
                    lock.lock();
                    notifier.mmuIntervalSetSeq(sub, seq);
                    then.run();
                    lock.unlock();
                    return true;
                });
    }

    private Mutex mutex() {
        return new Mutex(linux.machine, null, "driver lock");
    }

    private void insert(MmuIntervalNotifier sub) {
        notifier.mmuIntervalNotifierInsert(linux.kernel, sub);
    }

    private void expectClean(String... states) {
        Exploration e = linux.explore();
        assertThat(linux.found).isEmpty();
        assertThat(e.complete()).isTrue();
        assertThat(linux.states).containsExactly(states);
    }

    private static MmuNotifierOps teller(Consumer<String> to) {
        return new MmuNotifierOps() {
            @Override
            public void release(MmStruct mm) {
                to.accept("release");
            }

            @Override
            public int invalidateRangeStart(MmuNotifierRange range) {
                to.accept("start " + range.event());
                return 0;
            }

            @Override
            public void invalidateRangeEnd(MmuNotifierRange range) {
                to.accept("end " + range.event());
            }
        };
    }

    // ---- who is told of what

    @Test
    void systemCallsTellWhatTheyChange() {
        long a = linux.map(linux.pmdSize());
        linux.store(a, 1);
        notifier.register(linux.kernel, linux.mm, teller(told::add));
        linux.kernel.mmap().madvise(linux.mm, a, linux.pageSize(), Mman.MADV_DONTNEED);
        assertThat(told).containsExactly("start CLEAR", "end CLEAR");
        told.clear();
        linux.store(a, 1);
        assertThat(told).isEmpty(); // From none to a page nobody need know.
        linux.kernel.mprotect().mprotect(linux.mm, a, linux.pmdSize(), Mman.PROT_READ);
        assertThat(told).containsExactly("start PROTECTION_VMA", "end PROTECTION_VMA");
        told.clear();
        MmStruct child = Objects.requireNonNull(linux.kernel.fork().dupMm(linux.mm, "child"));
        assertThat(told).contains("start PROTECTION_PAGE", "end PROTECTION_PAGE");
        told.clear();
        linux.kernel.mprotect().mprotect(linux.mm, a, linux.pmdSize(), MmScenario.RW);
        told.clear();
        linux.store(a, 2);
        assertThat(told).containsExactly("start CLEAR", "end CLEAR");
        told.clear();
        linux.kernel.mmap().munmap(linux.mm, a, linux.pmdSize());
        assertThat(told).containsExactly("start UNMAP", "end UNMAP");
        linux.kernel.fork().mmput(child);
    }

    @Test
    void collapsingAndSplittingTell() {
        long a = linux.map(linux.pmdSize());
        for (long at = a; at < a + linux.pmdSize(); at += linux.pageSize()) {
            linux.store(at, 1);
        }
        notifier.register(linux.kernel, linux.mm, teller(told::add));
        long collapsed =
                linux.kernel.khugepaged().madviseCollapse(linux.mm, a, a + linux.pmdSize());
        assertThat(collapsed).isZero();
        assertThat(told).containsExactly("start CLEAR", "end CLEAR");
        told.clear();
        linux.split(a);
        assertThat(told).containsExactly("start CLEAR", "end CLEAR");
    }

    @Test
    void flushesOfTlbsAreToldToThoseWhoWalkTheTablesOfTheCpus() {
        long a = linux.map(linux.pmdSize());
        linux.store(a, 1);
        notifier.register(
                linux.kernel,
                linux.mm,
                new MmuNotifierOps() {
                    @Override
                    public void archInvalidateSecondaryTlbs(MmStruct mm, long start, long end) {
                        told.add((start <= a) + " " + (end >= a + linux.pageSize()));
                    }
                });
        linux.kernel.mmap().madvise(linux.mm, a, linux.pageSize(), Mman.MADV_DONTNEED);
        assertThat(told).isNotEmpty().containsOnly("true true");
    }

    @Test
    void khugepagedCountsWhatADeviceHasUsed() {
        long a = linux.map(linux.pmdSize());
        for (long at = a; at < a + linux.pmdSize(); at += linux.pageSize()) {
            linux.store(at, 1);
            Word pte = linux.kernel.memMap().table(pteTable(a)).entry(index(at));
            pte.poke(Entry.mkold(pte.peek()));
        }
        linux.kernel.mmap().madvise(linux.mm, a, linux.pmdSize(), Mman.MADV_HUGEPAGE);
        assertThat(linux.kernel.khugepaged().khugepagedScan(linux.mm, a))
                .isEqualTo(ScanResult.LACK_REFERENCED_PAGE);
        notifier.register(
                linux.kernel,
                linux.mm,
                new MmuNotifierOps() {
                    @Override
                    public boolean testYoung(MmStruct mm, long addr) {
                        return addr == a;
                    }
                });
        assertThat(linux.kernel.khugepaged().khugepagedScan(linux.mm, a))
                .isNotEqualTo(ScanResult.LACK_REFERENCED_PAGE);
    }

    private long pteTable(long addr) {
        return Entry.pfn(linux.kernel.inspect().entry(linux.mm, Geometry.PMD, addr));
    }

    private int index(long addr) {
        return linux.kernel.geometry().index(Geometry.PTE, addr);
    }

    @Test
    void intervalsAreToldOfWhatHitsThemOnly() {
        Mutex lock = mutex();
        insert(interval(page(4), page(2), lock, () -> told.add("first")));
        insert(interval(page(5), page(2), lock, () -> told.add("second")));
        invalidate(0, page(4));
        assertThat(told).isEmpty();
        invalidate(page(4), page(5));
        assertThat(told).containsExactly("first");
        invalidate(page(5), page(6));
        assertThat(told).containsExactly("first", "first", "second");
        invalidate(page(7), page(9));
        assertThat(told).hasSize(3);
    }

    @Test
    void allBeginBeforeAnyFinishes() {
        for (String name : List.of("first", "second")) {
            MmuIntervalNotifier.TwoPassOps ops = new TwoPasses(name);
            insert(new MmuIntervalNotifier(linux.machine, null, linux.mm, 0, page(1), ops));
        }
        invalidate(0, page(1));
        assertThat(told)
                .containsExactly("first begins", "second begins", "first ends", "second ends");
    }

    private final class TwoPasses implements MmuIntervalNotifier.TwoPassOps {
        private final String name;

        TwoPasses(String name) {
            this.name = name;
        }

        @Override
        public boolean invalidate(MmuIntervalNotifier sub, MmuNotifierRange range, long seq) {
            throw new AssertionError("told in one pass");
        }

        @Override
        public boolean invalidateStart(
                MmuIntervalNotifier sub,
                MmuNotifierRange range,
                long seq,
                Consumer<Runnable> finish) {
            notifier.mmuIntervalSetSeq(sub, seq);
            told.add(name + " begins");
            finish.accept(() -> told.add(name + " ends"));
            return true;
        }
    }

    @Test
    void whoMayNotSleepIsTurnedAwayAndNothingIsUnderWay() {
        boolean[] busy = {true};
        MmuIntervalNotifier.Ops ops =
                (sub, range, seq) -> {
                    notifier.mmuIntervalSetSeq(sub, seq);
                    return range.blockable() || !busy[0];
                };
        MmuIntervalNotifier sub =
                new MmuIntervalNotifier(linux.machine, null, linux.mm, 0, page(1), ops);
        insert(sub);
        MmuNotifierRange range = range(0, page(1)).nonblock();
        assertThat(notifier.invalidateRangeStartNonblock(range)).isEqualTo(-Errno.EAGAIN);
        assertThat(notifier.peekTold(linux.mm, 0, page(1))).isFalse();
        long seq = notifier.mmuIntervalReadBegin(sub); // would wait if one were under way
        busy[0] = false;
        assertThat(notifier.invalidateRangeStartNonblock(range)).isZero();
        assertThat(notifier.mmuIntervalReadRetry(sub, seq)).isTrue();
        notifier.invalidateRangeEnd(range);
    }

    @Test
    void theEndOfTheProcessIsToldOnce() {
        MmStruct child = Objects.requireNonNull(linux.kernel.fork().dupMm(linux.mm, "child"));
        MmuNotifierSubscription sub = notifier.register(linux.kernel, child, teller(told::add));
        linux.kernel.fork().mmput(child);
        assertThat(told).containsExactly("release");
        notifier.unregister(linux.kernel, sub, child);
        assertThat(told).containsExactly("release");
        assertThat(linux.kernel.mms()).doesNotContain(child);
    }

    // ---- every order

    /// A reader that has its driver's lock and has not been told to begin again reads what is
    /// there.
    @Test
    void whatIsReadIsTrueUnlessTheReaderIsToldToBeginAgain() {
        Mutex lock = mutex();
        Word value = linux.machine.word("value", 1);
        Word copy = linux.machine.word("copy", 0);
        MmuIntervalNotifier sub = interval(0, page(1), lock, () -> copy.writePlain(0));
        insert(sub);
        linux.task(
                () -> {
                    MmuNotifierRange range = range(0, page(1));
                    notifier.invalidateRangeStart(range);
                    value.writeOnce(2);
                    notifier.invalidateRangeEnd(range);
                });
        linux.task(
                () -> {
                    long seq = notifier.mmuIntervalReadBegin(sub);
                    long read = value.readOnce();
                    lock.lock();
                    if (!notifier.mmuIntervalReadRetry(sub, seq)) {
                        copy.writePlain(read);
                    }
                    lock.unlock();
                });
        linux.observe(() -> "value " + value.peek() + ", copy " + copy.peek());
        expectClean("value 2, copy 0", "value 2, copy 2");
    }

    @Test
    void twoInvalidationsAtOnceEndTogether() {
        Mutex lock = mutex();
        MmuIntervalNotifier sub = interval(0, page(2), lock, () -> {});
        insert(sub);
        linux.task(() -> invalidate(0, page(1)));
        linux.task(
                () -> {
                    invalidate(page(1), page(2));
                    notifier.mmuIntervalReadBegin(sub);
                });
        MmuNotifierSubscriptions subscriptions =
                Objects.requireNonNull(linux.mm.notifierSubscriptions.peek());
        linux.observe(
                () ->
                        subscriptions.activeInvalidateRanges.peek()
                                + (subscriptions.invalidateSeq.peek() % 2 == 0 ? " even" : " odd"));
        expectClean("0 even");
    }

    /// Who subscribes while an invalidation is under way is told of it, or of its end.
    @Test
    void subscribingDuringAnInvalidation() {
        Mutex lock = mutex();
        Word value = linux.machine.word("value", 1);
        MmuIntervalNotifier first = interval(0, page(1), lock, () -> {});
        MmuIntervalNotifier second = interval(0, page(1), lock, () -> {});
        insert(first);
        long[] read = new long[1];
        linux.task(
                () -> {
                    MmuNotifierRange range = range(0, page(1));
                    notifier.invalidateRangeStart(range);
                    value.writeOnce(2);
                    value.writeOnce(3);
                    notifier.invalidateRangeEnd(range);
                });
        linux.task(
                () -> {
                    insert(second);
                    long seq = notifier.mmuIntervalReadBegin(second);
                    long found = value.readOnce();
                    lock.lock();
                    boolean valid = !notifier.mmuIntervalReadRetry(second, seq);
                    lock.unlock();
                    read[0] = valid ? found : -1;
                });
        linux.observe(() -> "found " + read[0]);
        // 2 is what is there in the middle only.
        expectClean("found -1", "found 1", "found 3");
    }

    @Test
    void nobodyIsToldOnceItHasUnsubscribed() {
        Mutex lock = mutex();
        Word gone = linux.machine.word("gone", 0);
        Word late = linux.machine.word("late", 0);
        MmuIntervalNotifier sub =
                interval(0, page(1), lock, () -> late.writePlain(gone.readPlain()));
        insert(sub);
        linux.task(() -> invalidate(0, page(1)));
        linux.task(
                () -> {
                    notifier.mmuIntervalNotifierRemove(linux.kernel, sub);
                    gone.writePlain(1);
                });
        linux.observe(() -> "late " + late.peek());
        expectClean("late 0");
    }

    @Test
    void nobodyIsToldOnceItHasUnregistered() {
        Word gone = linux.machine.word("gone", 0);
        Word late = linux.machine.word("late", 0);
        MmuNotifierOps ops = teller(text -> late.writePlain(gone.readPlain()));
        MmuNotifierSubscription sub = notifier.register(linux.kernel, linux.mm, ops);
        linux.task(() -> invalidate(0, page(1)));
        linux.task(
                () -> {
                    notifier.unregister(linux.kernel, sub, linux.mm);
                    gone.writePlain(1);
                });
        linux.observe(() -> "late " + late.peek());
        expectClean("late 0");
    }

    // ---- the law

    enum Bracket {
        MISSING,
        TOO_SMALL,
        OF_ANOTHER_TASK,
        RIGHT
    }

    @ParameterizedTest
    @EnumSource
    void everyPageThatIsTakenAwayIsToldOf(Bracket bracket) {
        long a = linux.map(linux.pmdSize());
        linux.store(a, 1);
        linux.store(a + linux.pageSize(), 1);
        insert(interval(0, page(1), mutex(), () -> {}));
        Word pmd = Objects.requireNonNull(linux.kernel.pgtable().mmFindPmd(linux.mm, a));
        Word pte = linux.kernel.memMap().table(pteTable(a)).entry(index(a));
        SpinLock ptl = linux.kernel.ptLocks().pteLockptr(linux.mm, pmd.peek());
        MmuNotifierRange range = range(bracket == Bracket.TOO_SMALL ? a + page(1) : a, a + page(2));
        if (bracket == Bracket.OF_ANOTHER_TASK) {
            linux.task(
                    () -> {
                        notifier.invalidateRangeStart(range);
                        notifier.invalidateRangeEnd(range);
                    });
        }
        linux.task(
                () -> {
                    boolean own = bracket == Bracket.RIGHT || bracket == Bracket.TOO_SMALL;
                    if (own) {
                        notifier.invalidateRangeStart(range(range.start(), range.end()));
                    }
                    ptl.lock();
                    pte.writeOnce(0);
                    ptl.unlock();
                });
        linux.explore();
        String law = "BUG: change without MMU notifier";
        boolean untold = linux.found.stream().anyMatch(text -> text.contains(law));
        assertThat(untold).isEqualTo(bracket != Bracket.RIGHT);
    }
}
