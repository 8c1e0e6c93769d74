// SPDX-License-Identifier: GPL-2.0-or-later

/// The values that all other packages exchange: schedules, steps and violations.
@NullMarked
package org.interleaf.trace;

import org.jspecify.annotations.NullMarked;
