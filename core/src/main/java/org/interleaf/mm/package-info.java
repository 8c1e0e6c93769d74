// SPDX-License-Identifier: GPL-2.0-or-later

/// The Linux memory manager: a file for each kernel file or concept, a method for each kernel
/// function.
@NullMarked
package org.interleaf.mm;

import org.jspecify.annotations.NullMarked;
