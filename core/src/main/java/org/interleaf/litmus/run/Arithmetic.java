// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.syntax.BinaryOp;
import org.interleaf.litmus.syntax.UnaryOp;
import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Type;

/// The nodes that compute. Operands have been brought to one type before.
public final class Arithmetic {
    private Arithmetic() {}

    /// An operation on operands of the integer type `type`; comparisons yield 0 or 1, all others a
    /// value of that type.
    public record Binary(BinaryOp op, Type.Int type, Node left, Node right, CallSite site)
            implements Node {
        @Override
        public long eval(Frame frame) {
            long a = type.convert(left.eval(frame));
            long b =
                    op == BinaryOp.SHL || op == BinaryOp.SHR
                            ? right.eval(frame)
                            : type.convert(right.eval(frame));
            return switch (op) {
                case ADD -> type.convert(a + b);
                case SUB -> type.convert(a - b);
                case MUL -> type.convert(a * b);
                case DIV, MOD -> divide(frame, a, b);
                case AND -> a & b;
                case OR -> a | b;
                case XOR -> a ^ b;
                case SHL -> type.convert(a << shift(b));
                case SHR -> type.signed() ? a >> shift(b) : a >>> shift(b);
                case EQ -> truth(a == b);
                case NE -> truth(a != b);
                case LT -> truth(compare(a, b) < 0);
                case LE -> truth(compare(a, b) <= 0);
                case GT -> truth(compare(a, b) > 0);
                case GE -> truth(compare(a, b) >= 0);
                case LOGICAL_AND, LOGICAL_OR ->
                        throw new AssertionError("[interleaf internal] not a computation: " + op);
            };
        }

        private long divide(Frame frame, long a, long b) {
            if (b == 0) {
                throw frame.fatal(site, "divide error", "division by zero");
            }
            boolean quotient = op == BinaryOp.DIV;
            if (type.signed()) {
                return type.convert(quotient ? a / b : a % b);
            }
            return quotient ? Long.divideUnsigned(a, b) : Long.remainderUnsigned(a, b);
        }

        private int compare(long a, long b) {
            return type.signed() ? Long.compare(a, b) : Long.compareUnsigned(a, b);
        }

        private long shift(long b) {
            return b & (8L * type.bytes() - 1);
        }
    }

    /// `-a`, `+a`, `~a` in `type`, or `!a`.
    public record Unary(UnaryOp op, Type type, Node operand) implements Node {
        @Override
        public long eval(Frame frame) {
            long a = operand.eval(frame);
            return switch (op) {
                case NEGATE -> type.convert(-a);
                case PLUS -> a;
                case COMPLEMENT -> type.convert(~a);
                case NOT -> truth(a == 0);
            };
        }
    }

    /// A pointer moved by a number of elements, each of `scale` bytes.
    public record Offset(Node pointer, Node count, long scale) implements Node {
        @Override
        public long eval(Frame frame) {
            return pointer.eval(frame) + scale * count.eval(frame);
        }
    }

    /// How many elements of `scale` bytes lie between two pointers.
    public record Distance(Node left, Node right, long scale) implements Node {
        @Override
        public long eval(Frame frame) {
            return (left.eval(frame) - right.eval(frame)) / scale;
        }
    }

    /// The low bytes of a value, extended as `type` does.
    public record Convert(Type type, Node operand) implements Node {
        @Override
        public long eval(Frame frame) {
            return type.convert(operand.eval(frame));
        }
    }

    /// `&&`.
    public record And(Node left, Node right) implements Node {
        @Override
        public long eval(Frame frame) {
            return truth(left.eval(frame) != 0 && right.eval(frame) != 0);
        }
    }

    /// `||`.
    public record Or(Node left, Node right) implements Node {
        @Override
        public long eval(Frame frame) {
            return truth(left.eval(frame) != 0 || right.eval(frame) != 0);
        }
    }

    /// `?:`.
    public record Choice(Node condition, Node then, Node otherwise) implements Node {
        @Override
        public long eval(Frame frame) {
            return condition.eval(frame) != 0 ? then.eval(frame) : otherwise.eval(frame);
        }
    }

    static long truth(boolean condition) {
        return condition ? 1 : 0;
    }
}
