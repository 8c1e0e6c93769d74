// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

/// One declared variable: a register in the body of a process, a shared location in the init block.
///
/// @param pos offset of the name
/// @param isArray whether brackets follow the name
/// @param length the number in these brackets, if there is one
public record Decl(
        int pos,
        TypeName type,
        String name,
        boolean isArray,
        @Nullable Expr length,
        @Nullable Expr initializer) {}
