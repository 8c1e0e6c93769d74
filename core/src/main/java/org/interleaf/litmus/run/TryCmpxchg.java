// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

/// `try_cmpxchg(p, &old, new)`: where it fails it leaves in the register `old` what it found.
///
/// @param type the type that the operation works in; null for that of the location
/// @param register the register `old`
public record TryCmpxchg(
        Node address, @Nullable Type type, int register, Node newValue, Order order, CallSite site)
        implements Node {
    @Override
    public long eval(Frame frame) {
        Cell cell = Accesses.atomicCell(frame, address.eval(frame), site);
        Type works = Accesses.typeOf(type, cell);
        long wanted = cell.type().convert(works.convert(newValue.eval(frame)));
        long expected = cell.type().convert(works.convert(frame.register(register)));
        long before = cell.word().cmpxchg(expected, wanted, order);
        boolean swapped = before == expected;
        if (!swapped) {
            frame.setRegister(register, works.convert(before));
        }
        return Arithmetic.truth(swapped);
    }
}
