// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Violation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Locks in an order that can end in a deadlock are found where none happens; those in an order
/// that cannot are not.
final class LockdepTest {
    private static final String ORDER = Violation.LOCK_ORDER + " ";
    private static final String RECURSION = Violation.LOCK_RECURSION + " ";

    // ---- plain programs

    @ParameterizedTest
    @ValueSource(
            strings = {
                // One process that does both: it could not wait for itself.
                "P0(spinlock_t *a, spinlock_t *b) { spin_lock(a); spin_lock(b); spin_unlock(b);"
                        + " spin_unlock(a); spin_lock(b); spin_lock(a); spin_unlock(a);"
                        + " spin_unlock(b); }",
                // An attempt with the other one held waits for nothing, but is waited for.
                "P0(spinlock_t *a, spinlock_t *b) { if (spin_trylock(a)) { spin_lock(b);"
                        + " spin_unlock(b); spin_unlock(a); } spin_lock(b); spin_lock(a);"
                        + " spin_unlock(a); spin_unlock(b); }",
                "P0(struct mutex *a, struct mutex *b) { mutex_lock(a); mutex_lock(b);"
                        + " mutex_unlock(b); mutex_unlock(a); mutex_lock(b); mutex_lock(a);"
                        + " mutex_unlock(a); mutex_unlock(b); }",
                // Unlocked in the order of locking.
                "P0(spinlock_t *a, spinlock_t *b) { spin_lock(a); spin_lock(b); spin_unlock(a);"
                        + " spin_lock(a); spin_unlock(b); spin_unlock(a); }",
                // Readers wait behind a writer who waits for readers.
                "P0(struct rw_semaphore *a, struct rw_semaphore *b) { down_read(a); down_read(b);"
                        + " up_read(b); up_read(a); down_read(b); down_read(a); up_read(a);"
                        + " up_read(b); }",
                "P0(struct rw_semaphore *a, struct rw_semaphore *b) { down_write(a);"
                        + " downgrade_write(a); down_read(b); up_read(b); up_read(a);"
                        + " down_write(b); down_read(a); up_read(a); up_write(b); }",
            })
    void bothOrdersAreFoundWhereNobodyCanDeadlock(String process) {
        Answer answer = check(process);
        assertThat(answer.deadlocks()).isZero();
        assertThat(titles(answer)).containsExactly(ORDER + "a -> b -> a");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "P0(spinlock_t *a, spinlock_t *b) { spin_lock(a); spin_lock(b); spin_unlock(b);"
                        + " spin_unlock(a); spin_lock(b); if (spin_trylock(a)) { spin_unlock(a);"
                        + " } spin_unlock(b); }",
                "P0(spinlock_t *a, spinlock_t *b) { spin_lock(a); spin_unlock(a); spin_lock(b);"
                        + " spin_unlock(b); spin_lock(a); spin_lock(b); spin_unlock(a);"
                        + " spin_unlock(b); }",
                "P0(struct rw_semaphore *a, spinlock_t *b) { down_write(a); spin_lock(b);"
                        + " spin_unlock(b); downgrade_write(a); spin_lock(b); spin_unlock(b);"
                        + " up_read(a); }",
            })
    void oneOrderIsFine(String process) {
        assertThat(titles(check(process))).isEmpty();
    }

    @Test
    void threeLocksMakeACircleAsWell() {
        Answer answer =
                check(
                        "P0(spinlock_t *a, spinlock_t *b) { spin_lock(a); spin_lock(b);"
                                + " spin_unlock(b); spin_unlock(a); }"
                                + " P1(spinlock_t *b, spinlock_t *c) { spin_lock(b); spin_lock(c);"
                                + " spin_unlock(c); spin_unlock(b); }"
                                + " P2(spinlock_t *a, spinlock_t *c) { spin_lock(c); spin_lock(a);"
                                + " spin_unlock(a); spin_unlock(c); }");
        assertThat(answer.deadlocks()).isPositive();
        assertThat(titles(answer))
                .containsExactlyInAnyOrder(ORDER + "a -> b -> c -> a", "DEADLOCK");
    }

    /// As the kernel's lockdep does: a lock around both does not count.
    @Test
    void anOuterLockDoesNotExcuseTheOrder() {
        Answer answer =
                check(
                        "P0(spinlock_t *a, spinlock_t *b, spinlock_t *c) { spin_lock(c);"
                                + " spin_lock(a); spin_lock(b); spin_unlock(b); spin_unlock(a);"
                                + " spin_unlock(c); }"
                                + " P1(spinlock_t *a, spinlock_t *b, spinlock_t *c) {"
                                + " spin_lock(c); spin_lock(b); spin_lock(a); spin_unlock(a);"
                                + " spin_unlock(b); spin_unlock(c); }");
        assertThat(answer.deadlocks()).isZero();
        assertThat(titles(answer)).containsExactly(ORDER + "a -> b -> a");
    }

    /// Orders of different executions never meet.
    @Test
    void ordersThatExcludeEachOtherAreNoFinding() {
        Answer answer =
                check(
                        "P0(int *x, spinlock_t *a, spinlock_t *b) { int r0 = READ_ONCE(*x);"
                                + " if (r0) { spin_lock(a); spin_lock(b); spin_unlock(b);"
                                + " spin_unlock(a); } else { spin_lock(b); spin_lock(a);"
                                + " spin_unlock(a); spin_unlock(b); } }"
                                + " P1(int *x) { WRITE_ONCE(*x, 1); }");
        assertThat(answer.exploration().executions()).isEqualTo(2);
        assertThat(titles(answer)).isEmpty();
    }

    @Test
    void aSecondReadLockOfTheSameTaskIsRecursion() {
        String reader = "P0(struct rw_semaphore *s) { down_read(s); down_read(s); up_read(s);";
        Answer alone = check(reader + " up_read(s); }");
        assertThat(alone.deadlocks()).isZero();
        assertThat(titles(alone)).containsExactly(RECURSION + "s");

        String writer = " P1(struct rw_semaphore *s) { down_write(s); up_write(s); }";
        Answer withWriter = check(reader + " up_read(s); }" + writer);
        assertThat(withWriter.deadlocks()).isPositive();
        assertThat(titles(withWriter)).containsExactlyInAnyOrder(RECURSION + "s", "DEADLOCK");
    }

    /// Two readers, each inside of what the other waits for with a writer in between.
    @Test
    void readersBehindWritersDeadlock() {
        Answer answer =
                check(
                        "P0(struct rw_semaphore *a, struct rw_semaphore *b) { down_read(a);"
                                + " down_read(b); up_read(b); up_read(a); }"
                                + " P1(struct rw_semaphore *a, struct rw_semaphore *b) {"
                                + " down_read(b); down_read(a); up_read(a); up_read(b); }"
                                + " P2(struct rw_semaphore *a) { down_write(a); up_write(a); }"
                                + " P3(struct rw_semaphore *b) { down_write(b); up_write(b); }");
        assertThat(answer.deadlocks()).isPositive();
        assertThat(titles(answer)).containsExactlyInAnyOrder(ORDER + "a -> b -> a", "DEADLOCK");
    }

    @Test
    void tellsBothSidesOfTheCircle() {
        Answer answer =
                check(
                        "P0(spinlock_t *a, spinlock_t *b) { spin_lock(a); spin_lock(b);"
                                + " spin_unlock(b); spin_unlock(a); }"
                                + " P1(spinlock_t *a, spinlock_t *b) { spin_lock(b);"
                                + " spin_lock(a); spin_unlock(a); spin_unlock(b); }");
        Recording recording = Objects.requireNonNull(answer.recording());
        Violation violation =
                recording.violations().stream().filter(Violation::ofLocks).findFirst().get();
        assertThat(violation.details())
                .contains("-> #1 b, with a held:", "-> #0 a, with b held:")
                .contains("  lock(b);", "  *** DEADLOCK ***")
                .anyMatch(line -> line.startsWith("Taken by P0 on CPU 0"))
                .anyMatch(line -> line.startsWith("Taken by P1 on CPU 1"));
    }

    // ---- the kernel

    /// One process, and no lock that anybody else wants: the documented order is enough.
    @ParameterizedTest
    @CsvSource({
        "fork-not-nested, int pid = fork(), &mm->mmap_lock",
        "mmap-lock-in-vma-lock, b[0] = 2, &mm->mmap_lock -> vm_lock -> &mm->mmap_lock",
        "mmap-lock-in-anon-vma, int r0 = move_pages(a),"
                + " &anon_vma->rwsem -> &mm->mmap_lock -> &anon_vma->rwsem"
    })
    void anOrderThatTheKernelForbidsIsFoundAtOnce(String patch, String call, String where) {
        String test =
                """
                C t
                {
                  char *a = mmap(PMD_SIZE, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB
                                 | PMD_SHIFT << MAP_HUGE_SHIFT);
                  char *b = mmap(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
                  a[0] = 1;
                }
                P0(char *a, char *b) { CALL; }
                exists (a[0] = 9)
                """
                        .replace("CALL", call);
        RunOptions mainline = RunOptions.DEFAULT.withConfig(Map.of("hugetlb", "PMD:2"));
        Source source = Source.of("t.litmus", test);
        assertThat(titles(new TestRunner(mainline).check(source))).isEmpty();

        RunOptions patched = mainline.withPatches(List.of(patch(patch)));
        String kind = where.contains(" -> ") ? ORDER : RECURSION;
        assertThat(titles(new TestRunner(patched).check(source))).contains(kind + where);
    }

    private static ModelPatch patch(String name) {
        return ModelPatch.read(Path.of("src/test/resources/patches/" + name + ".patch"));
    }

    private static Answer check(String processes) {
        String test = "C t\n{ int z; }\n" + processes + "\nexists (z=1)";
        return new TestRunner(RunOptions.DEFAULT).check(Source.of("t.litmus", test));
    }

    private static List<String> titles(Answer answer) {
        return answer.violations().stream().map(Violation::title).toList();
    }
}
