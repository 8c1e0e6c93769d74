// SPDX-License-Identifier: GPL-2.0-or-later
/// Turns the tree of a test into nodes that run: resolves names, types and accesses, once.
@NullMarked
package org.interleaf.litmus.compile;

import org.jspecify.annotations.NullMarked;
