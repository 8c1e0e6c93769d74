// SPDX-License-Identifier: GPL-2.0-or-later
/// What comes out of a test: final states, how often the condition held, herd7's report of both.
@NullMarked
package org.interleaf.litmus.outcome;

import org.jspecify.annotations.NullMarked;
