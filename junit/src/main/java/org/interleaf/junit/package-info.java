// SPDX-License-Identifier: GPL-2.0-or-later

/// JUnit tests that run a small concurrent program through every interleaving.
@NullMarked
package org.interleaf.junit;

import org.jspecify.annotations.NullMarked;
