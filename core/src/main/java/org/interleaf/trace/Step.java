// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.trace;

import java.util.List;

/// One visible access of a recorded execution.
///
/// @param number its place in the execution, from 0
/// @param task the task's name, such as `P0`
/// @param cpu the task's CPU
/// @param callTrace the kernel functions it was made in, innermost first
/// @param operation what was done, such as `READ_ONCE`, `spin_lock` or `cmpxchg`
/// @param location what was touched, such as `pmd[0] of table 3`
/// @param before the value found, as text
/// @param after the value left, as text; equal to `before` for a load
/// @param wrote whether the access changed the location
/// @param shared whether another task touches the location too, one of the two writing: the steps
///   that matter for who comes first
public record Step(
        int number,
        String task,
        int cpu,
        List<String> callTrace,
        String operation,
        String location,
        String before,
        String after,
        boolean wrote,
        boolean shared) {}
