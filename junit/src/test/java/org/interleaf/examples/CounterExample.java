// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.interleaf.experiment.Experiment;
import org.interleaf.junit.Explore;
import org.interleaf.machine.Word;

/// The shortest one.
final class CounterExample {
    @Explore
    void bothAdditionsCount(Experiment test) {
        Word x = test.word("x", 0);
        test.task("adds 1", () -> x.writeOnce(x.readOnce() + 1));
        test.task("adds 2", () -> x.writeOnce(x.readOnce() + 2));
        test.atEnd(() -> assertEquals(3, x.peek()));
    }
}
