// SPDX-License-Identifier: GPL-2.0-or-later

/// What a machine can judge about the tree itself: its form, and who depends on whom.
@NullMarked
package org.interleaf.tidy;

import org.jspecify.annotations.NullMarked;
