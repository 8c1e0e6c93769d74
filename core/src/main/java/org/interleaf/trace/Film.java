// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.trace;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/// A recorded execution with the machine as it was after each step, to be drawn.
///
/// @param recording the execution
/// @param pictures what there was before the first step and after each: one more than steps. Each
///   has the things by their names; a thing that did not change is the same object in both
/// @param stacks for each step the functions of the model that it was made in, innermost first
/// @param sources lines of the model's source files, by file and line: those that stacks name, and
///   some around them
public record Film(
        Recording recording,
        List<Map<String, Thing>> pictures,
        List<List<Call>> stacks,
        Map<String, SortedMap<Integer, String>> sources) {}
