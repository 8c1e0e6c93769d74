// SPDX-License-Identifier: GPL-2.0-or-later

/// Drives a machine through its interleavings, and knows nothing of what runs on it.
@NullMarked
package org.interleaf.explore;

import org.jspecify.annotations.NullMarked;
