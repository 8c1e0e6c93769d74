// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.Type;

import java.util.List;

/// One part of a final state.
///
/// @param label how the state names it: `0:r1`, `[x]`, `a[PAGE_SIZE]`; an array has its bare name
/// @param values what it holds: one value, or for an array those of its elements
/// @param type the type of each value
public record Observable(String label, List<Node> values, Type type) {}
