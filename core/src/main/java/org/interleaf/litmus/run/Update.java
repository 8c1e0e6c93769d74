// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.machine.Op;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// An atomic operation that yields nothing, such as `atomic_inc()`, on the location at `address`.
///
/// @param op which one: an operation that yields the value before
/// @param type the type that the operation works in; null for that of the location
/// @param a its operand
public record Update(Op op, Node address, @Nullable Type type, Node a, Order order, CallSite site)
        implements Node {
    @Override
    public long eval(Frame frame) {
        Cell cell = Accesses.atomicCell(frame, address.eval(frame), site);
        Type works = Accesses.typeOf(type, cell);
        long operand = cell.type().convert(works.convert(a.eval(frame)));
        if (frame.inLoop() && op != Op.ADD) {
            // Whether the round had an effect depends on what was there.
            fetch(cell.word(), operand);
            return 0;
        }
        frame.did();
        update(cell, operand);
        return 0;
    }

    private void fetch(Word word, long operand) {
        switch (op) {
            case AND -> word.fetchAnd(operand, order);
            case OR -> word.fetchOr(operand, order);
            case XOR -> word.fetchXor(operand, order);
            default -> throw new AssertionError("[interleaf internal] not an update: " + op);
        }
    }

    private void update(Cell cell, long operand) {
        Word word = cell.word();
        switch (op) {
            case ADD -> word.add(operand, Accesses.lacking(cell), order);
            case AND -> word.and(operand, order);
            case OR -> word.or(operand, order);
            case XOR -> word.xor(operand, order);
            default -> throw new AssertionError("[interleaf internal] not an update: " + op);
        }
    }
}
