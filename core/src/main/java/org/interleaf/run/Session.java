// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.check.Deadlock;
import org.interleaf.check.KernelNames;
import org.interleaf.check.Sanitizers;
import org.interleaf.explore.Ending;
import org.interleaf.explore.Program;
import org.interleaf.litmus.LitmusProgram;
import org.interleaf.litmus.compile.Likeness;
import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.vocabulary.BootOptions;
import org.interleaf.litmus.vocabulary.Booted;
import org.interleaf.litmus.vocabulary.LoopRounds;
import org.interleaf.litmus.vocabulary.Model;
import org.interleaf.litmus.vocabulary.RaceCheck;
import org.interleaf.machine.Machine;
import org.interleaf.patch.ModelPatch;
import org.interleaf.trace.Call;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.CRC32;

/// A test, ready to run: compiled, on a machine that is sealed. Tests that name nothing of the
/// model run on a bare machine.
final class Session implements Program {
    private static final KernelNames NO_MODEL = new KernelNames(Session.class.getClassLoader());

    private final LitmusProgram program;
    private final @Nullable Booted booted;

    /// What a test may configure that needs no kernel.
    private static final Set<String> BARE_KEYS = Set.of(RaceCheck.KEY, LoopRounds.KEY);

    /// Those of a test on a bare machine; a booted model has its own.
    private final @Nullable Sanitizers sanitizers;

    private Session(
            LitmusProgram program, @Nullable Booted booted, @Nullable Sanitizers sanitizers) {
        this.program = program;
        this.booted = booted;
        this.sanitizers = sanitizers;
    }

    /// Boots `model` for `test`, whose configuration is final.
    static Session open(LitmusTest test, Model model, BootOptions options) {
        return open(test, model, options, Likeness.none("not asked for"));
    }

    /// The same with processes that are `alike` declared identical: for a plain test only.
    static Session open(LitmusTest test, Model model, BootOptions boot, Likeness alike) {
        RaceCheck races = RaceCheck.read(test.source(), test.config());
        BootOptions options = boot.with(races);
        if (isBare(test)) {
            LitmusProgram program = LitmusProgram.plain(test, alike);
            Sanitizers sanitizers = new Sanitizers(NO_MODEL, options.forRecording());
            if (races != RaceCheck.NO) {
                sanitizers.watchRaces(races == RaceCheck.ATOMIC_WRITES);
            }
            program.machine().monitor(sanitizers);
            return new Session(program, null, sanitizers);
        }
        Booted booted = model.boot(test, options);
        int rounds = LoopRounds.read(test.source(), test.config());
        LitmusProgram program =
                LitmusProgram.load(test, booted.machine(), booted.vocabulary(), rounds);
        booted.seal();
        return new Session(program, booted, null);
    }

    /// Which processes of `test` are alike. A kernel has daemons, lists and interrupts for each CPU
    /// and goes through CPUs by number, so on it none are.
    static Likeness likeness(LitmusTest test) {
        return isBare(test)
                ? Likeness.of(test)
                : Likeness.none("the kernel tells apart the CPUs on which processes run");
    }

    /// Whether the test needs no kernel: it calls none, and configures none.
    private static boolean isBare(LitmusTest test) {
        return test.config().entries().stream().allMatch(e -> BARE_KEYS.contains(e.key()))
                && isPlain(test);
    }

    /// Whether the test gets by with the memory model's own names.
    private static boolean isPlain(LitmusTest test) {
        try {
            LitmusProgram.plain(test);
            return true;
        } catch (LitmusException e) {
            return false;
        }
    }

    /// Identifies a test with its configuration and patches: a schedule of one makes no sense for
    /// another.
    static String fingerprint(
            LitmusTest test, Map<String, String> config, List<ModelPatch> patches) {
        CRC32 crc = new CRC32();
        StringBuilder all = new StringBuilder(test.source().text());
        all.append('\0').append(new TreeMap<>(config));
        patches.forEach(patch -> all.append('\0').append(patch.text()));
        crc.update(all.toString().getBytes(StandardCharsets.UTF_8));
        return String.format("%08x", crc.getValue());
    }

    @Override
    public Machine machine() {
        return program.machine();
    }

    LitmusProgram program() {
        return program;
    }

    @Override
    public void finished(Ending ending) {
        program.finished(ending);
    }

    /// What was found in the execution that finished last, beside the condition. What the filter of
    /// the test excludes does not count.
    List<Violation> findings() {
        LitmusProgram.End end = program.lastEnd();
        if (end == LitmusProgram.End.FILTERED) {
            return List.of();
        }
        boolean deadlock = end == LitmusProgram.End.DEADLOCK;
        List<Violation> found = found(!deadlock && end != LitmusProgram.End.CUT);
        return deadlock && found.stream().allMatch(Violation::latent) ? withDeadlock(found) : found;
    }

    private List<Violation> withDeadlock(List<Violation> found) {
        List<Violation> all = new ArrayList<>(found);
        all.add(Deadlock.describe(machine()));
        return all;
    }

    private List<Violation> found(boolean quiescent) {
        if (booted != null) {
            return booted.findings(quiescent);
        }
        return sanitizers == null ? List.of() : sanitizers.findings().all();
    }

    /// The page tables of all processes at this moment; empty on a bare machine.
    String tables() {
        return booted == null ? "" : booted.tables();
    }

    /// The kernel functions that the running thread is in, innermost first.
    List<String> callTrace() {
        return booted == null ? List.of() : booted.callTrace();
    }

    /// The functions of the model that the running thread is in, innermost first.
    List<Call> calls() {
        return booted == null ? List.of() : booted.calls();
    }

    /// The lines of a source file of the model.
    List<String> source(String file) {
        return booted == null ? List.of() : booted.source(file);
    }

    /// What of the kernel a picture shows.
    List<Thing> picture() {
        return booted == null ? List.of() : booted.picture();
    }

    /// The names of the words of a kernel that the final state was told from.
    Set<String> looked() {
        return booted == null ? Set.of() : booted.looked();
    }
}
