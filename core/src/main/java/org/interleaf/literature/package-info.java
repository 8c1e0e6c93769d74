// SPDX-License-Identifier: GPL-2.0-or-later

/// The programs with which the literature of partial order reduction compares its tools, to check
/// and to time the explorer by.
@NullMarked
package org.interleaf.literature;

import org.jspecify.annotations.NullMarked;
