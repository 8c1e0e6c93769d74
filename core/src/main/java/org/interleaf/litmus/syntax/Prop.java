// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import java.util.List;

/// A proposition about a final state.
public sealed interface Prop {
    /// Where a complaint about this proposition points.
    int pos();

    /// `true` or `false`.
    record Constant(int pos, boolean value) implements Prop {}

    /// `~p` or `not p`.
    record Not(int pos, Prop operand) implements Prop {}

    /// `p /\ q /\ …`.
    record And(int pos, List<Prop> operands) implements Prop {}

    /// `p \/ q \/ …`.
    record Or(int pos, List<Prop> operands) implements Prop {}

    /// `p => q`.
    record Implies(int pos, Prop premise, Prop conclusion) implements Prop {}

    /// `1:r0 = 0`, `a[PAGE_SIZE] != 7`, `x <= y + 1`; `op` is a comparison.
    record Compare(int pos, BinaryOp op, Expr left, Expr right) implements Prop {}
}
