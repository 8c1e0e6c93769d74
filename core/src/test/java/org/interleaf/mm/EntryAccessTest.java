// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.machine.Word;
import org.junit.jupiter.api.Test;

import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToLongFunction;

/// Entries in two halves (x86 PAE): what a reader without locks can get to see.
final class EntryAccessTest {
    private static final long PAGE_5 = Entry.make(5, Entry.PRESENT | Entry.WRITE);
    private static final long HIGH = 0xffff_ffff_0000_0000L;
    private static final long LOW = ~HIGH;

    @Test
    void presentEntryThatIsClearedIsSeenWholeOrNotPresent() {
        assertThat(seenWhileCleared(this::lockless)).contains(PAGE_5, 0L);
        assertThat(present(seenWhileCleared(this::lockless))).containsExactly(PAGE_5);
    }

    @Test
    void presentEntryThatIsInvalidatedIsSeenWholeOrNotPresent() {
        Scenario scenario = new Scenario(PAGE_5);
        scenario.run(
                this::lockless,
                () -> {
                    long old = scenario.access().pmdpEstablish(scenario.entry, 0);
                    assertThat(old).isEqualTo(PAGE_5);
                });
        assertThat(present(scenario.seen)).containsExactly(PAGE_5);
    }

    @Test
    void entryThatBecomesPresentIsSeenWholeOrNotPresent() {
        Scenario scenario = new Scenario(0);
        scenario.run(this::lockless, () -> scenario.access().setPte(scenario.entry, PAGE_5));
        assertThat(present(scenario.seen)).containsExactly(PAGE_5);
    }

    /// Why the low half is read twice.
    @Test
    void readingEachHalfOnceGivesMixtures() {
        assertThat(seenWhileCleared(this::eachHalfOnce)).contains(PAGE_5 & LOW);
    }

    @Test
    void readerSpinsOnlyAsLongAsTheEntryChanges() {
        Scenario scenario = new Scenario(PAGE_5);
        scenario.run(
                this::lockless,
                () -> {
                    scenario.access().clear(scenario.entry);
                    scenario.access().setPte(scenario.entry, PAGE_5);
                });
        assertThat(scenario.seen).contains(PAGE_5, 0L);
    }

    private long lockless(Scenario scenario) {
        return scenario.access().getLockless(scenario.entry);
    }

    private static Set<Long> present(Set<Long> seen) {
        Set<Long> present = new TreeSet<>(seen);
        present.removeIf(value -> !Entry.ptePresent(value));
        return present;
    }

    private long eachHalfOnce(Scenario scenario) {
        long low = scenario.entry.readOnce() & LOW;
        return scenario.entry.readOnce() & HIGH | low;
    }

    private Set<Long> seenWhileCleared(ToLongFunction<Scenario> reader) {
        Scenario scenario = new Scenario(PAGE_5);
        scenario.run(reader, () -> scenario.access().clear(scenario.entry));
        return scenario.seen;
    }

    /// A reader and a writer of one entry, which holds the lock.
    private static final class Scenario {
        final MmScenario linux;
        final Word entry;
        final Set<Long> seen = new TreeSet<>();

        Scenario(long before) {
            Architecture pae = Objects.requireNonNull(Architectures.find("x86-32-pae"));
            linux = new MmScenario(2, Arch.of(pae, pae.tiny()), HugeMemory.Thp.NEVER);
            PageTable table = Objects.requireNonNull(linux.kernel.pgtable().pteAllocOne());
            entry = table.entry(0);
            entry.poke(before);
        }

        EntryAccess access() {
            return linux.kernel.entries();
        }

        void run(ToLongFunction<Scenario> reader, Runnable writer) {
            long[] value = new long[1];
            linux.task(() -> value[0] = reader.applyAsLong(this));
            linux.task(writer);
            linux.observe(
                    () -> {
                        seen.add(value[0]);
                        return "";
                    });
            assertThat(linux.explore().complete()).isTrue();
        }
    }
}
