// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.vocabulary;

/// A C type, as far as litmus tests need one. All values are held in 64 bits.
public sealed interface Type {
    /// Its size in bytes; 0 where it has none that a test could know.
    int bytes();

    /// What is left of `value` in a variable of this type: the low bytes, extended by sign or zero.
    long convert(long value);

    /// A pointer to this type.
    default Pointer pointer() {
        return new Pointer(this, false);
    }

    /// An integer type; the one named `bool` holds 0 or 1.
    record Int(String name, int bytes, boolean signed) implements Type {
        @Override
        public long convert(long value) {
            if (bytes == 8) {
                return value;
            }
            if (bytes == 1 && name.equals("bool")) {
                return value != 0 ? 1 : 0;
            }
            int spare = 64 - 8 * bytes;
            return signed ? value << spare >> spare : value << spare >>> spare;
        }

        /// How many bits a number of the type lacks at the top of a word; negative where the type
        /// is unsigned.
        public int lacking() {
            int spare = 64 - 8 * bytes;
            return signed ? spare : -spare;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /// A pointer; through one to volatile every access is a `READ_ONCE()` or `WRITE_ONCE()`.
    record Pointer(Type target, boolean toVolatile) implements Type {
        @Override
        public int bytes() {
            return 8;
        }

        @Override
        public long convert(long value) {
            return value;
        }

        @Override
        public String toString() {
            String name = target.toString();
            return name.endsWith("*") ? name + "*" : name + " *";
        }
    }

    /// A structure, a lock or another type whose inside tests do not see.
    record Opaque(String name) implements Type {
        @Override
        public int bytes() {
            return 0;
        }

        @Override
        public long convert(long value) {
            return value;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /// No value.
    record None() implements Type {
        @Override
        public int bytes() {
            return 0;
        }

        @Override
        public long convert(long value) {
            return 0;
        }

        @Override
        public String toString() {
            return "void";
        }
    }
}
