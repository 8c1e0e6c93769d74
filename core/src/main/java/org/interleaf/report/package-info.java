// SPDX-License-Identifier: GPL-2.0-or-later

/// Renders recorded executions and what was found in them as text.
@NullMarked
package org.interleaf.report;

import org.jspecify.annotations.NullMarked;
