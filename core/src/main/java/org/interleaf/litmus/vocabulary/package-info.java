// SPDX-License-Identifier: GPL-2.0-or-later
/// What a kernel model must offer so that litmus tests can call into it: names, types, user memory.
@NullMarked
package org.interleaf.litmus.vocabulary;

import org.jspecify.annotations.NullMarked;
