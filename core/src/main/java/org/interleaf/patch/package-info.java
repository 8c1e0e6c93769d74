// SPDX-License-Identifier: GPL-2.0-or-later

/// Applies patches to the sources of the kernel model, compiles them in memory and loads the result
/// beside the unpatched model.
@NullMarked
package org.interleaf.patch;

import org.jspecify.annotations.NullMarked;
