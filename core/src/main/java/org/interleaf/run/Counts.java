// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.Checkpoints;
import org.interleaf.explore.Ending;
import org.interleaf.explore.Program;
import org.interleaf.machine.Machine;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/// Counts how the executions of a program end, which one worker or several explore.
final class Counts implements Checkpoints.Results {
    private final Supplier<Program> programs;
    private final List<Part> parts = new CopyOnWriteArrayList<>();

    /// What one worker runs.
    private static final class Part implements Program {
        private final Program program;
        private long complete;
        private long blocked;

        Part(Program program) {
            this.program = program;
        }

        @Override
        public Machine machine() {
            return program.machine();
        }

        @Override
        public void finished(Ending ending) {
            switch (ending.kind()) {
                case COMPLETE -> complete++;
                case DEADLOCK, LIVELOCK -> blocked++;
                case CUT, FRUITLESS -> {}
            }
            program.finished(ending);
        }
    }

    /// @param programs makes the program, for each worker anew
    Counts(Supplier<Program> programs) {
        this.programs = programs;
    }

    /// The program for one more worker.
    Program newPart() {
        Part part = new Part(programs.get());
        parts.add(part);
        return part;
    }

    /// Executions in which every task came to its end.
    long complete() {
        return parts.stream().mapToLong(part -> part.complete).sum();
    }

    /// Executions that ended with a task waiting in vain.
    long blocked() {
        return parts.stream().mapToLong(part -> part.blocked).sum();
    }

    @Override
    public void save(DataOutputStream out) throws IOException {
        out.writeLong(complete());
        out.writeLong(blocked());
    }

    @Override
    public void load(DataInputStream in) throws IOException {
        Part first = parts.getFirst();
        first.complete += in.readLong();
        first.blocked += in.readLong();
    }
}
