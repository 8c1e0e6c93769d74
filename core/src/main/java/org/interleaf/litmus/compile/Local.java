// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.jspecify.annotations.Nullable;

/// A named register of a process: a local variable, a parameter, or a name that was never declared
/// but assigned to, as plain litmus tests do.
final class Local {
    private final int index;
    private final boolean isParameter;
    private final boolean isDeclared;
    private @Nullable Type type;

    private Local(int index, boolean isParameter, boolean isDeclared, @Nullable Type type) {
        this.index = index;
        this.isParameter = isParameter;
        this.isDeclared = isDeclared;
        this.type = type;
    }

    static Local parameter(int index, Type type) {
        return new Local(index, true, true, type);
    }

    static Local declared(int index, Type type) {
        return new Local(index, false, true, type);
    }

    static Local undeclared(int index) {
        return new Local(index, false, false, null);
    }

    int index() {
        return index;
    }

    boolean isParameter() {
        return isParameter;
    }

    Type type() {
        return type == null ? Types.LONG : type;
    }

    /// Notes that it is declared once more.
    void redeclare(Type newType) {
        type = newType;
    }

    /// Notes that a value of this type is assigned; one that was not declared takes the type on.
    void assign(Type newType) {
        if (!isDeclared) {
            type = newType;
        }
    }
}
