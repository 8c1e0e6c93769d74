// SPDX-License-Identifier: GPL-2.0-or-later
/// A compiled test as it runs on a machine: small trees of nodes, each of which knows its types.
@NullMarked
package org.interleaf.litmus.run;

import org.jspecify.annotations.NullMarked;
