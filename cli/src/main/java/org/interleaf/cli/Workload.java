// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Program;
import org.interleaf.literature.Literature;
import org.interleaf.literature.Literature.Count;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.run.RunOptions;
import org.interleaf.run.TestRunner;
import org.jspecify.annotations.Nullable;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/// Something to measure: a program of the literature, or a test.
interface Workload {
    /// What stands for all programs of the literature at their published sizes.
    String TABLE = "dpor";

    /// What is measured where nothing is named: the programs that take other tools longest, two of
    /// which nobody has seen the end of, and a race of the corpus.
    List<String> SELECTION =
            List.of(
                    "lastzero:15",
                    "exp_bug:3",
                    "indexer:15",
                    "ainc:8",
                    "nwriters1reader:7",
                    "race_param:10",
                    "vol90");

    /// The race of the selection.
    String SELECTED_TEST = "gup-fast-vs-collapse/race.litmus";

    /// How one would ask for it.
    String name();

    /// Has `use` work with what makes the program, each time anew.
    <T> T with(Function<Supplier<Program>, T> use);

    /// How many complete executions there are, null where nobody said.
    default @Nullable Long published() {
        return null;
    }

    /// The workloads that `words` ask for.
    ///
    /// @throws BadInput if there is none of that name
    /// @throws org.interleaf.literature.LiteratureException if there is none of that name or size
    static List<Workload> find(List<String> words, Environment environment) {
        List<Workload> found = new ArrayList<>();
        if (words.isEmpty()) {
            SELECTION.forEach(word -> found.add(program(word)));
            found.add(new Test(environment.races().resolve(SELECTED_TEST)));
        }
        for (String word : words) {
            if (word.equals(TABLE)) {
                Literature.table().forEach(row -> found.add(new Sized(row.name(), row.n())));
            } else if (word.endsWith(".litmus") || Files.exists(Path.of(word))) {
                TestFiles.find(List.of(Path.of(word))).forEach(file -> found.add(new Test(file)));
            } else {
                found.add(program(word));
            }
        }
        return found;
    }

    private static Workload program(String word) {
        int colon = word.indexOf(':');
        if (colon < 0) {
            return new Sized(word, Literature.usualSize(word));
        }
        String size = word.substring(colon + 1);
        if (!size.matches("\\d{1,6}")) {
            throw new BadInput(
                    word + ": '" + size + "' is not a size", "write for example lastzero:15");
        }
        Sized sized = new Sized(word.substring(0, colon), Integer.parseInt(size));
        Literature.check(sized.program, sized.n);
        return sized;
    }

    /// A program of the literature.
    record Sized(String program, int n) implements Workload {
        @Override
        public String name() {
            return Literature.hasOneSize(program) ? program : program + ":" + n;
        }

        @Override
        public <T> T with(Function<Supplier<Program>, T> use) {
            return use.apply(() -> Literature.make(program, n));
        }

        @Override
        public @Nullable Long published() {
            boolean any = Literature.hasOneSize(program);
            for (Count row : Literature.table()) {
                if (row.name().equals(program) && (any || row.n() == n)) {
                    return row.executions();
                }
            }
            return null;
        }
    }

    /// A test, on the model as it is, with everything that a check does.
    record Test(Path file) implements Workload {
        @Override
        public String name() {
            Path parent = file.toAbsolutePath().getParent();
            String folder = parent == null ? "" : parent.getFileName() + "/";
            return folder + file.getFileName();
        }

        @Override
        public <T> T with(Function<Supplier<Program>, T> use) {
            return new TestRunner(RunOptions.DEFAULT).with(Source.read(file), use);
        }
    }
}
