// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// An expression. Positions are offsets into the {@link Source}; that of a binary operation is the
/// operator's.
public sealed interface Expr {
    /// Where a complaint about this expression points.
    int pos();

    /// A number or character constant; `unsigned` and `wide` (64 bits) as C types it.
    record IntConst(int pos, long value, boolean unsigned, boolean wide) implements Expr {}

    /// A string, only ever the argument of a call.
    record StringConst(int pos, String value) implements Expr {}

    /// A register, a parameter, a shared location or a named constant.
    record Name(int pos, String id) implements Expr {}

    /// `1:r0`, a register of process 1; only in the init block and the condition.
    record Register(int pos, int process, String id) implements Expr {}

    /// `[x]`, the content of a location; only in the init block and the condition.
    record Contents(int pos, String id) implements Expr {}

    /// `-a`, `+a`, `~a`, `!a`.
    record Unary(int pos, UnaryOp op, Expr operand) implements Expr {}

    /// `*p`.
    record Deref(int pos, Expr pointer) implements Expr {}

    /// `&x`.
    record AddressOf(int pos, Expr target) implements Expr {}

    /// `base[index]`.
    record Index(int pos, Expr base, Expr index) implements Expr {}

    /// `left op right`; `&&` and `||` evaluate `right` only where it matters.
    record Binary(int pos, BinaryOp op, Expr left, Expr right) implements Expr {}

    /// `condition ? then : otherwise`.
    record Conditional(int pos, Expr condition, Expr then, Expr otherwise) implements Expr {}

    /// `target = value`, or with `op` a compound assignment.
    record Assign(int pos, @Nullable BinaryOp op, Expr target, Expr value) implements Expr {}

    /// `++target`, `target--` and so on: adds `delta`; `prefix` yields the new value.
    record Step(int pos, Expr target, int delta, boolean prefix) implements Expr {}

    /// `(type) operand`.
    record Cast(int pos, TypeName type, Expr operand) implements Expr {}

    /// `sizeof(type)`.
    record SizeOfType(int pos, TypeName type) implements Expr {}

    /// `sizeof expression`; the expression is not evaluated.
    record SizeOf(int pos, Expr operand) implements Expr {}

    /// `function(args)`.
    record Call(int pos, String function, List<Expr> args) implements Expr {}

    /// `{ a, b }`: the initial or final value of an array.
    record Braces(int pos, List<Expr> items) implements Expr {}
}
