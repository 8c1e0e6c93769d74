// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import java.util.List;

/// `P0(int *x) { … }`: what one task does.
///
/// @param pos offset of the `P`
/// @param index the number after the `P`
/// @param code parameters and body, token by token: equal where two processes are written the same
public record ProcessDef(
        int pos, int index, List<Param> params, Stmt.Block body, List<String> code) {}
