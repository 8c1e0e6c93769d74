// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.interleaf.literature.Literature;
import org.interleaf.literature.Scenario;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Subtrees are all that explorers need know of each other.
final class SubtreeTest {
    private static final int STEPS_MAX = 1_000;

    /// A program that knows nothing of the others, and explores what it is given.
    private static final class Site {
        final Scenario program;
        final List<Subtree> asked = new ArrayList<>();
        final Pop pop;
        long complete;

        Site(String name, int n) {
            program = Literature.make(name, n);
            pop = new Pop(program.machine(), STEPS_MAX, asked::add);
        }

        /// Explores the subtree with a text form. Returns those of what that asks for.
        List<String> explore(String text) {
            asked.clear();
            pop.enter(Subtree.parse(text));
            program.machine().run(pop);
            pop.planRaces();
            complete += Ending.Kind.of(program.machine()) == Ending.Kind.COMPLETE ? 1 : 0;
            return asked.stream().map(Subtree::toString).toList();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "lastzero, 7, 320",
        "readers, 8, 256",
        "redundant_co, 3, 560",
        "control_flow, 5, 5160",
        "indexer, 12, 8",
        "mutexinc, 5, 120",
        "seqlock, 4, 5"
    })
    void anybodyExploresThemInAnyOrder(String name, int n, long executions) {
        List<Site> sites = List.of(new Site(name, n), new Site(name, n), new Site(name, n));
        Random random = new Random(executions);
        List<String> texts = new ArrayList<>(List.of(Subtree.ALL.toString()));
        while (!texts.isEmpty()) {
            String text = texts.remove(random.nextInt(texts.size()));
            texts.addAll(sites.get(random.nextInt(3)).explore(text));
        }
        assertThat(sites.stream().mapToLong(site -> site.complete).sum()).isEqualTo(executions);
        assertThat(sites).allMatch(site -> site.complete > 0);
    }

    @Test
    void fewWaitHoweverManyExecutionsThereAre() {
        Site site = new Site("lastzero", 11);
        List<String> waiting = new ArrayList<>(List.of(Subtree.ALL.toString()));
        int most = 0;
        while (!waiting.isEmpty()) {
            waiting.addAll(site.explore(waiting.removeLast()));
            most = Math.max(most, waiting.size());
        }
        assertThat(site.complete).isEqualTo(7168);
        assertThat(most).isLessThan(100);
    }

    @Test
    void aTextFormIsReadAsItWasWritten() {
        Subtree subtree =
                new Subtree(
                        new int[] {
                            Subtree.step(0, Subtree.FREE, 0),
                            Subtree.step(2, Subtree.FIXED, 0),
                            Subtree.step(13, Subtree.HEAD, 0),
                            Subtree.step(0, Subtree.FREE, 4)
                        },
                        3,
                        1,
                        12);
        assertThat(subtree).hasToString("0 2' 13] 0~4 | 3~1 | 12");
        for (String text : List.of("0 2' 13] 0~4 | 3~1 | 12", "| - | -", "1] | - | 0")) {
            assertThat(Subtree.parse(text)).hasToString(text);
        }
        assertThatThrownBy(() -> Subtree.parse("0 2\" | - | -"))
                .hasMessage("not a subtree: 0 2\" | - | -");
    }
}
