// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// What a callback for a PUD or PMD entry has the walker do next (include/linux/pagewalk.h: enum
/// page_walk_action).
public enum WalkAction {
    /// Go down to the next level, splitting what is huge; so without a word from the callback.
    SUBTREE,
    /// Leave out what is below this entry.
    CONTINUE,
    /// Look at this entry again, as if for the first time.
    AGAIN
}
