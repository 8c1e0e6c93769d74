// SPDX-License-Identifier: GPL-2.0-or-later

/// A simulated multiprocessor: shared words, tasks, locks, interrupts, RCU, TLBs and physical
/// frames.
@NullMarked
package org.interleaf.machine;

import org.jspecify.annotations.NullMarked;
