// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.machine.Cpu;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Rcu;
import org.interleaf.machine.TaskKilled;

import java.util.Arrays;

/// The registers of one process while it runs.
public final class Frame {
    private final Context context;
    private final int task;
    private final long[] registers;
    private final long[] initial;
    private int srcuSections;

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

    /// Takes the registers of another process that runs the same code, which gets those of this
    /// one.
    public void exchangeRegisters(Frame other) {
        for (int i = 0; i < registers.length; i++) {
            long kept = registers[i];
            registers[i] = other.registers[i];
            other.registers[i] = kept;
        }
    }

    long[] copyRegisters() {
        return registers.clone();
    }

    boolean registersAre(long[] copy) {
        return Arrays.equals(registers, copy);
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

    // ---- loops

    void enterLoop() {
        loops++;
    }

    void leaveLoop() {
        loops--;
    }

    boolean inLoop() {
        return loops > 0;
    }

    /// Notes that something was done that changes more than registers and words.
    void did() {
        machine().hasEffect();
    }

    /// Tries out a round of `loop` that begins with the registers `from`. Returns whether another
    /// one would follow that begins with the same.
    boolean tryOut(long[] from, Loop loop) {
        long[] now = copyRegisters();
        int nowLoops = loops;
        int nowSections = srcuSections;
        System.arraycopy(from, 0, registers, 0, registers.length);
        try {
            return loop.round(this) == Code.Signal.CONTINUE && registersAre(from);
        } finally {
            System.arraycopy(now, 0, registers, 0, registers.length);
            loops = nowLoops;
            srcuSections = nowSections;
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
