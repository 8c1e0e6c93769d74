// SPDX-License-Identifier: GPL-2.0-or-later
/// Litmus tests as programs that an explorer can drive.
@NullMarked
package org.interleaf.litmus;

import org.jspecify.annotations.NullMarked;
