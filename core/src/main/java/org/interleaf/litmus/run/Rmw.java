// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.machine.Op;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// An atomic read-modify-write operation on the location at `address`.
///
/// @param op what is done with the operands: of the operations that never wait
/// @param type the type that the operation works in; null for that of the location
/// @param a first operand, see {@link Op}
/// @param b second operand; a constant 0 where there is none
/// @param result what the operation yields
public record Rmw(
        Op op,
        Node address,
        @Nullable Type type,
        Node a,
        Node b,
        Order order,
        Result result,
        CallSite site)
        implements Node {

    /// What an operation yields.
    @FunctionalInterface
    public interface Result {
        /// The value of the operation.
        ///
        /// @param before what the location held
        /// @param a first operand
        /// @param b second operand
        /// @param type the type that the operation works in
        long of(long before, long a, long b, Type type);
    }

    @Override
    public long eval(Frame frame) {
        long at = address.eval(frame);
        Cell cell = Accesses.atomicCell(frame, at, site);
        Type works = Accesses.typeOf(type, cell);
        long first = cell.type().convert(works.convert(a.eval(frame)));
        long second = cell.type().convert(works.convert(b.eval(frame)));
        int lacking = Accesses.lacking(cell);
        long before = perform(cell.word(), first, second, lacking);
        return result.of(works.convert(before), works.convert(first), works.convert(second), works);
    }

    private long perform(Word word, long first, long second, int lacking) {
        return switch (op) {
            case XCHG -> word.xchg(first, order);
            case CMPXCHG -> word.cmpxchg(first, second, order);
            case ADD -> word.fetchAdd(first, lacking, order);
            case AND -> word.fetchAnd(first, order);
            case OR -> word.fetchOr(first, order);
            case XOR -> word.fetchXor(first, order);
            case ADD_UNLESS ->
                    lacking == Integer.SIZE
                            ? word.addUnlessInt(first, second, order)
                            : word.addUnless(first, second, order);
            case LOAD,
                    STORE,
                    STORE_BITS,
                    ADD_UNLESS_INT,
                    ENTER,
                    UPDATE_ADD,
                    UPDATE_AND,
                    UPDATE_OR,
                    UPDATE_XOR,
                    TRY,
                    TRY_SHARED,
                    UNLOCK_SHARED,
                    LOCK_SHARED,
                    TAKE_OR_QUEUE,
                    LOCK,
                    TAKE_PENDING,
                    AWAIT,
                    AWAIT_NOT ->
                    throw new AssertionError("[interleaf internal] not an atomic operation: " + op);
        };
    }
}
