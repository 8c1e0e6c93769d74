// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// A CPU, as far as interrupts go. While a task has interrupts off, or while a handler runs, no
/// (other) handler can begin on its CPU; a task that wants interrupts off waits for the handler's
/// end, as code that a handler interrupted does.
public final class Cpu {
    private static final long OFF = 1;
    private static final long IN_HANDLER = 2;
    private static final long STATE_MASK = 0xff;
    private static final long SECTION = 0x100;

    private final Machine machine;
    private final int id;

    /// Bits {@link #OFF} and {@link #IN_HANDLER}; above them the number of interrupts-off sections
    /// that have ended, by which a grace period sees that one did.
    private final Word irq;

    Cpu(Machine machine, int id) {
        this.machine = machine;
        this.id = id;
        this.irq = machine.word(null, this, "irq", -1, 0);
        this.irq.format(v -> (v & OFF) != 0 ? "off" : (v & IN_HANDLER) != 0 ? "in handler" : "on");
    }

    public int id() {
        return id;
    }

    /// The word that says whether interrupts can be delivered.
    public Word irq() {
        return irq;
    }

    /// `local_irq_save()`: no handler runs on this CPU until the matching {@link #irqRestore}.
    /// Nests. Where another task of the CPU has interrupts off it is waited for, since it cannot be
    /// preempted.
    public void irqSave() {
        if (machine.current().irqDepth++ == 0) {
            machine.access(irq, Op.LOCK, Order.LOCK, STATE_MASK, OFF);
        }
    }

    /// `local_irq_restore()`.
    public void irqRestore() {
        if (--machine.current().irqDepth == 0) {
            machine.access(irq, Op.ADD, Order.UNLOCK, SECTION - OFF, 0);
        }
    }

    /// A handler begins: waits until interrupts are on and no handler runs.
    void enterHandler() {
        machine.access(irq, Op.LOCK, Order.LOCK, STATE_MASK, IN_HANDLER);
    }

    void leaveHandler() {
        machine.access(irq, Op.ADD, Order.UNLOCK, -IN_HANDLER, 0);
    }

    /// Whether `irqState`, a value of {@link #irq}, is inside an interrupts-off section.
    static boolean isOff(long irqState) {
        return (irqState & OFF) != 0;
    }

    /// Waits until the interrupts-off section that `irqState` was read in has ended.
    void awaitSectionEnd(long irqState) {
        irq.awaitNot(~STATE_MASK, irqState & ~STATE_MASK);
    }

    @Override
    public String toString() {
        return "cpu" + id;
    }
}
