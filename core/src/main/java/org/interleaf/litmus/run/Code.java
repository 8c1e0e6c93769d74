// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// A compiled statement.
public interface Code {
    /// How a statement ended.
    enum Signal {
        /// The next statement follows.
        NEXT,
        /// The innermost loop ends.
        BREAK,
        /// The innermost loop goes on with its next round.
        CONTINUE,
        /// The process ends.
        RETURN
    }

    /// Executes it.
    Signal run(Frame frame);

    /// An expression evaluated for what it does.
    record Evaluate(Node node) implements Code {
        @Override
        public Signal run(Frame frame) {
            node.eval(frame);
            return Signal.NEXT;
        }
    }

    /// One statement after another.
    record Sequence(List<Code> parts) implements Code {
        @Override
        public Signal run(Frame frame) {
            for (int i = 0; i < parts.size(); i++) {
                Signal signal = parts.get(i).run(frame);
                if (signal != Signal.NEXT) {
                    return signal;
                }
            }
            return Signal.NEXT;
        }
    }

    /// `if`.
    record Branch(Node condition, Code then, @Nullable Code otherwise) implements Code {
        @Override
        public Signal run(Frame frame) {
            if (condition.eval(frame) != 0) {
                return then.run(frame);
            }
            return otherwise == null ? Signal.NEXT : otherwise.run(frame);
        }
    }

    /// `break`, `continue` or `return`.
    record Jump(Signal signal) implements Code {
        @Override
        public Signal run(Frame frame) {
            return signal;
        }
    }
}
