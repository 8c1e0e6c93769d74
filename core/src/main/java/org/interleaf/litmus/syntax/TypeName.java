// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

/// A type as it was written, with its words in one canonical order.
///
/// @param pos offset of its first word
/// @param name the type without its stars, such as `unsigned int`, `struct page` or `atomic_t`
/// @param pointers how many stars follow
/// @param isVolatile whether `volatile` was among its words
public record TypeName(int pos, String name, int pointers, boolean isVolatile) {
    @Override
    public String toString() {
        return pointers == 0 ? name : name + " " + "*".repeat(pointers);
    }
}
