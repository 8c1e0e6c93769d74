// SPDX-License-Identifier: GPL-2.0-or-later

/// Checks the checker: random programs explored and, beside it, run through every interleaving.
@NullMarked
package org.interleaf.selfcheck;

import org.jspecify.annotations.NullMarked;
