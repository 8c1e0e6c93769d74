// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.machine.Cpu;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Rcu;
import org.interleaf.machine.TaskKilled;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// The registers of one process while it runs, and what its current round of a loop has done.
///
/// # Waiting in loops
///
/// A round that left registers and memory as they were, and looked at one word only, can be left
/// out of an execution without a trace: the next round does the same until that word changes. So
/// the task waits for the change instead, and a loop that waits for a flag or a lock is explored to
/// the end. The frame keeps the notes that tell such rounds from others.
public final class Frame {
    private final Context context;
    private final int task;
    private final long[] registers;
    private final long[] initial;
    private int srcuSections;

    private @Nullable Word onlyWord;
    private long onlyValue;
    private boolean didMore;
    private int loops;

    /// @param task the id of the task that runs the process, -1 for the set-up
    public Frame(Context context, int task, int registers) {
        this.context = context;
        this.task = task;
        this.registers = new long[registers];
        this.initial = new long[registers];
    }

    /// Sets what a register holds when the process begins.
    public void initialize(int register, long value) {
        initial[register] = value;
        registers[register] = value;
    }

    /// Puts the registers back to where the process begins.
    public void restart() {
        System.arraycopy(initial, 0, registers, 0, registers.length);
        srcuSections = 0;
        loops = 0;
    }

    /// What a register holds.
    public long register(int i) {
        return registers[i];
    }

    void setRegister(int i, long value) {
        registers[i] = value;
    }

    void saveRegisters(long[] copy) {
        System.arraycopy(registers, 0, copy, 0, registers.length);
    }

    boolean registersAre(long[] copy) {
        return Arrays.equals(registers, copy);
    }

    int registerCount() {
        return registers.length;
    }

    Context context() {
        return context;
    }

    Machine machine() {
        return context.machine();
    }

    /// Read-copy update on the machine.
    public Rcu rcu() {
        return machine().rcu();
    }

    /// The CPU that the process runs on.
    public Cpu currentCpu() {
        return machine().cpu();
    }

    int task() {
        return task;
    }

    /// The number of a new SRCU section of this process.
    int newSrcuSection(CallSite site) {
        if (task < 0 || srcuSections >= Srcu.MAX_SECTIONS) {
            throw fatal(site, "BUG", "no more SRCU sections for this process");
        }
        return srcuSections++;
    }

    // ---- the current round of a loop

    void enterLoop() {
        loops++;
    }

    void leaveLoop() {
        loops--;
    }

    boolean inLoop() {
        return loops > 0;
    }

    void beginRound() {
        onlyWord = null;
        didMore = false;
    }

    /// Notes an access that left `word` at `value`, as it found it.
    void looked(Word word, long value) {
        if (onlyWord == null) {
            onlyWord = word;
            onlyValue = value;
        } else if (onlyWord != word || onlyValue != value) {
            didMore = true;
        }
    }

    /// Notes that something was done that is not just a look.
    void did() {
        didMore = true;
    }

    boolean onlyLooked() {
        return !didMore;
    }

    /// Waits until the one word that the round looked at changes; forever where there was none.
    void awaitChange() {
        if (onlyWord == null) {
            context.waitForever();
        } else {
            onlyWord.awaitNot(-1, onlyValue);
        }
    }

    // ---- what goes wrong

    /// Reports that the task did something that kills it, as an oops; the caller throws the result.
    RuntimeException fatal(CallSite site, String kind, String text) {
        if (!machine().running()) {
            return site.error(text, "the set-up of a test must not fail");
        }
        complain(site, kind, text);
        return TaskKilled.INSTANCE;
    }

    /// Reports something that the kernel would warn about.
    void complain(CallSite site, String kind, String text) {
        if (!machine().running()) {
            throw site.error(text, "the set-up of a test must not fail");
        }
        machine().monitor().complained(machine().current(), kind, text + " at " + site.where());
    }
}
