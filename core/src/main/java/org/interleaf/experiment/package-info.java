// SPDX-License-Identifier: GPL-2.0-or-later

/// Small concurrent programs written in Java, explored: the way to use the explorer as a library.
@NullMarked
package org.interleaf.experiment;

import org.jspecify.annotations.NullMarked;
