// SPDX-License-Identifier: GPL-2.0-or-later

/// Sanitizers that watch a machine and report what a debug kernel would.
@NullMarked
package org.interleaf.check;

import org.jspecify.annotations.NullMarked;
