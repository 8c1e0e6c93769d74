// SPDX-License-Identifier: GPL-2.0-or-later

/// The command line: the only package that prints.
@NullMarked
package org.interleaf.cli;

import org.jspecify.annotations.NullMarked;
