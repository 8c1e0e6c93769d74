// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.vocabulary;

/// The types that operations are most often declared with.
public final class Types {
    public static final Type VOID = new Type.None();
    public static final Type.Int BOOL = new Type.Int("bool", 1, false);
    public static final Type.Int CHAR = new Type.Int("char", 1, true);
    public static final Type.Int INT = new Type.Int("int", 4, true);
    public static final Type.Int UNSIGNED_INT = new Type.Int("unsigned int", 4, false);
    public static final Type.Int LONG = new Type.Int("long", 8, true);
    public static final Type.Int UNSIGNED_LONG = new Type.Int("unsigned long", 8, false);

    private Types() {}

    /// `struct tag`, of which tests only ever have pointers.
    public static Type struct(String tag) {
        return new Type.Opaque("struct " + tag);
    }
}
