// SPDX-License-Identifier: GPL-2.0-or-later
/// The text of a litmus test, read into a tree in which each node knows where it was written.
@NullMarked
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.NullMarked;
