// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;

import java.util.function.LongUnaryOperator;

/// An atomic operation that the kernel's generic code (include/linux/atomic/atomic-arch-fallback.h)
/// makes of a read and `cmpxchg()` in a loop, such as `atomic_dec_if_positive()`.
///
/// @param type the type that the operation works in
/// @param newValue what is to be stored for what was found; the same value for "leave it"
/// @param result what the operation yields, with what was found and what was stored as operands
public record CasLoop(
        Node address,
        Type type,
        LongUnaryOperator newValue,
        Order order,
        Rmw.Result result,
        CallSite site)
        implements Node {
    @Override
    public long eval(Frame frame) {
        Cell cell = Accesses.atomicCell(frame, address.eval(frame), site);
        Word word = cell.word();
        long found = word.readOnce();
        while (true) {
            long before = type.convert(found);
            long after = type.convert(newValue.applyAsLong(before));
            if (after == before) {
                return result.of(before, before, after, type);
            }
            long now = word.cmpxchg(found, cell.type().convert(after), order);
            if (now == found) {
                return result.of(before, before, after, type);
            }
            found = now;
        }
    }
}
