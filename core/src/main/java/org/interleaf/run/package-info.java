// SPDX-License-Identifier: GPL-2.0-or-later

/// Runs a litmus test on the model, clean or patched, and gathers the answer.
@NullMarked
package org.interleaf.run;

import org.jspecify.annotations.NullMarked;
