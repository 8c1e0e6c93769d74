// SPDX-License-Identifier: GPL-2.0-or-later

/// Binds the memory manager to litmus tests: configurations, system calls, kernel operations.
@NullMarked
package org.interleaf.kernel;

import org.jspecify.annotations.NullMarked;
