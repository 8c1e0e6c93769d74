// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

/// A compiled expression.
@FunctionalInterface
public interface Node {
    /// Evaluates it once; each access to shared memory that it stands for is made exactly once. The
    /// value is one that the expression's type can hold.
    long eval(Frame frame);
}
