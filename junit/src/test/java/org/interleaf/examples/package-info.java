// SPDX-License-Identifier: GPL-2.0-or-later

/// The examples of docs/library.md.
@NullMarked
package org.interleaf.examples;

import org.jspecify.annotations.NullMarked;
