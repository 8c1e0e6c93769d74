// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Arithmetic;
import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.syntax.BinaryOp;
import org.interleaf.litmus.syntax.UnaryOp;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;

/// Types the operators as C does, a little more leniently: plain litmus tests compute with pointers
/// as with numbers, to build dependencies.
final class Operators {
    private final Unit unit;

    Operators(Unit unit) {
        this.unit = unit;
    }

    /// `left op right`; the operator is at `pos`.
    Typed binary(int pos, BinaryOp op, Typed left, Typed right) {
        checkValue(pos, op.symbol(), left);
        checkValue(pos, op.symbol(), right);
        if (op == BinaryOp.LOGICAL_AND) {
            return Typed.truth(new Arithmetic.And(left.node(), right.node()));
        }
        if (op == BinaryOp.LOGICAL_OR) {
            return Typed.truth(new Arithmetic.Or(left.node(), right.node()));
        }
        if (op == BinaryOp.ADD || op == BinaryOp.SUB) {
            return sum(pos, op, left, right);
        }
        return compute(pos, op, left, right);
    }

    private Typed compute(int pos, BinaryOp op, Typed left, Typed right) {
        boolean shift = op == BinaryOp.SHL || op == BinaryOp.SHR;
        Type.Int type = shift ? promote(left.type()) : common(left.type(), right.type());
        if (op.isComparison() && (isPointer(left) || isPointer(right))) {
            type = Types.UNSIGNED_LONG;
        }
        Node node =
                new Arithmetic.Binary(
                        op, type, left.node(), right.node(), unit.site(pos, op.symbol()));
        return op.isComparison() ? Typed.truth(node) : new Typed(node, type);
    }

    private Typed sum(int pos, BinaryOp op, Typed left, Typed right) {
        if (!isPointer(left) && !isPointer(right)) {
            return compute(pos, op, left, right);
        }
        if (isPointer(left) && isPointer(right)) {
            if (op == BinaryOp.ADD) {
                throw unit.error(pos, "two pointers cannot be added", "add a number to a pointer");
            }
            long scale = scale(pos, left.type());
            return new Typed(new Arithmetic.Distance(left.node(), right.node(), scale), Types.LONG);
        }
        Typed pointer = isPointer(left) ? left : right;
        Typed count = isPointer(left) ? right : left;
        if (op == BinaryOp.SUB && !isPointer(left)) {
            throw unit.error(
                    pos, "a pointer cannot be subtracted from a number", "swap the operands");
        }
        return op == BinaryOp.ADD
                ? offset(pos, pointer, count)
                : offset(pos, pointer, unary(pos, UnaryOp.NEGATE, count));
    }

    /// `pointer + count`.
    Typed offset(int pos, Typed pointer, Typed count) {
        checkValue(pos, "+", count);
        long scale = scale(pos, pointer.type());
        return new Typed(
                new Arithmetic.Offset(pointer.node(), count.node(), scale), pointer.type());
    }

    private long scale(int pos, Type pointer) {
        Type target = ((Type.Pointer) pointer).target();
        if (target.equals(Types.VOID)) {
            return 1;
        }
        if (target.bytes() == 0) {
            throw unit.error(
                    pos,
                    "there is no arithmetic with `" + pointer + "`",
                    "a test does not know the size of `" + target + "`");
        }
        return target.bytes();
    }

    /// `op operand`.
    Typed unary(int pos, UnaryOp op, Typed operand) {
        checkValue(pos, op.symbol(), operand);
        if (op == UnaryOp.NOT) {
            return Typed.truth(new Arithmetic.Unary(op, Types.INT, operand.node()));
        }
        Type.Int type = promote(operand.type());
        return new Typed(
                new Arithmetic.Unary(op, type, new Arithmetic.Convert(type, operand.node())), type);
    }

    /// The type of `c ? left : right`.
    Type choice(int pos, Typed left, Typed right) {
        if (left.type().equals(Types.VOID) && right.type().equals(Types.VOID)) {
            return Types.VOID;
        }
        checkValue(pos, "?:", left);
        checkValue(pos, "?:", right);
        if (isPointer(left) || isPointer(right)) {
            return isPointer(left) ? left.type() : right.type();
        }
        return common(left.type(), right.type());
    }

    /// Refuses an operand that is no value.
    void checkValue(int pos, String operator, Typed operand) {
        if (operand.type().equals(Types.VOID)) {
            throw unit.error(
                    pos,
                    "an operand of `" + operator + "` has no value",
                    "it is a call of a function that returns nothing");
        }
    }

    static boolean isPointer(Typed value) {
        return value.type() instanceof Type.Pointer;
    }

    private static Type.Int common(Type left, Type right) {
        Type.Int a = promote(left);
        Type.Int b = promote(right);
        int bytes = Math.max(a.bytes(), b.bytes());
        boolean signed =
                a.bytes() == b.bytes()
                        ? a.signed() && b.signed()
                        : a.bytes() > b.bytes() ? a.signed() : b.signed();
        return integer(bytes, signed);
    }

    private static Type.Int promote(Type type) {
        if (type instanceof Type.Int i) {
            return i.bytes() < 4 ? Types.INT : integer(i.bytes(), i.signed());
        }
        return Types.LONG;
    }

    private static Type.Int integer(int bytes, boolean signed) {
        if (bytes == 4) {
            return signed ? Types.INT : Types.UNSIGNED_INT;
        }
        return signed ? Types.LONG : Types.UNSIGNED_LONG;
    }
}
