// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

/// A comment outside the bodies of the processes, where `Result:` and `Splat:` are looked for.
///
/// @param start offset of its opening mark
/// @param end offset just after its closing mark
record Comment(int start, int end) {}
