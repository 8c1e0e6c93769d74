// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// A task touched a word of a page beyond those whose contents are modelled. No fault of the
/// program: it should be run again on a machine with larger pages.
public final class NotModelled extends Error {
    private static final long serialVersionUID = 1;

    private final int wordsNeeded;

    NotModelled(int wordsNeeded) {
        super("word " + (wordsNeeded - 1) + " of a page is not modelled");
        this.wordsNeeded = wordsNeeded;
    }

    /// How many words of each page the program needs at least.
    public int wordsNeeded() {
        return wordsNeeded;
    }
}
