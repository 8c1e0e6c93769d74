// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Type;

import java.util.List;

/// The nodes that touch no memory, apart from arithmetic.
public final class Values {
    private Values() {}

    /// A constant.
    public record Const(long value) implements Node {
        @Override
        public long eval(Frame frame) {
            return value;
        }
    }

    /// The content of a register.
    public record Register(int index) implements Node {
        @Override
        public long eval(Frame frame) {
            return frame.register(index);
        }
    }

    /// Assigns to a register of the given type; yields what it then holds.
    public record SetRegister(int index, Type type, Node value) implements Node {
        @Override
        public long eval(Frame frame) {
            long stored = type.convert(value.eval(frame));
            frame.setRegister(index, stored);
            return stored;
        }
    }

    /// `x++` for a register: yields what it held before.
    public record StepRegister(int index, Type type, long delta) implements Node {
        @Override
        public long eval(Frame frame) {
            long before = frame.register(index);
            frame.setRegister(index, type.convert(before + delta));
            return before;
        }
    }

    /// Evaluates both, for the value of the second.
    public record Then(Node first, Node second) implements Node {
        @Override
        public long eval(Frame frame) {
            first.eval(frame);
            return second.eval(frame);
        }
    }

    /// The content of a register of another process, or of this one, when all have ended.
    public record FinalRegister(Frame owner, int index) implements Node {
        @Override
        public long eval(Frame frame) {
            return Srcu.shown(owner.register(index));
        }
    }

    /// A call of an operation of the vocabulary.
    public static final class Call implements Node {
        private final Callable callee;
        private final CallSite site;
        private final List<Node> args;
        private final long[] values;

        public Call(Callable callee, CallSite site, List<Node> args) {
            this.callee = callee;
            this.site = site;
            this.args = args;
            this.values = new long[args.size()];
        }

        @Override
        public long eval(Frame frame) {
            for (int i = 0; i < values.length; i++) {
                values[i] = args.get(i).eval(frame);
            }
            frame.did();
            return callee.returnType().convert(callee.call(site, values));
        }
    }
}
