// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.interleaf.experiment.Experiment;
import org.interleaf.experiment.Register;
import org.interleaf.junit.Explore;
import org.interleaf.machine.SeqCount;
import org.interleaf.machine.Word;

/// A pair of words that readers see as a whole, without a lock.
final class SeqlockExample {
    private static final class Pair {
        final SeqCount seq;
        final Word low;
        final Word high;

        Pair(Experiment test) {
            seq = test.seqCount("seq");
            low = test.word("low", 0);
            high = test.word("high", 0);
        }

        void write(long value) {
            seq.writeBegin();
            low.writeOnce(value);
            high.writeOnce(value);
            seq.writeEnd();
        }

        void read(Register seenLow, Register seenHigh) {
            long start;
            do {
                start = seq.readBegin();
                seenLow.set(low.readOnce());
                seenHigh.set(high.readOnce());
            } while (seq.readRetry(start));
        }

        void readCarelessly(Register seenLow, Register seenHigh) {
            seq.readBegin();
            seenLow.set(low.readOnce());
            seenHigh.set(high.readOnce());
        }
    }

    @Explore
    void readersSeeWhatWasWrittenTogether(Experiment test) {
        Pair pair = new Pair(test);
        Register low = test.register("seen_low");
        Register high = test.register("seen_high");
        test.task("writer", () -> pair.write(7));
        test.task("reader", () -> pair.read(low, high));
        test.atEnd(() -> assertEquals(low.get(), high.get()));
    }

    @Explore
    void aCarelessReaderSeesHalf(Experiment test) {
        Pair pair = new Pair(test);
        Register low = test.register("seen_low");
        Register high = test.register("seen_high");
        test.task("writer", () -> pair.write(7));
        test.task("reader", () -> pair.readCarelessly(low, high));
        test.atEnd(() -> assertEquals(low.get(), high.get()));
    }
}
