// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// What the hardware walker knows of page tables: where entries are and what their bits mean to it.
/// None of these methods makes an access.
public interface PageTableFormat {
    /// The level at which a walk begins.
    int topLevel();

    /// The next lower level that has tables of its own.
    int nextLevel(int level);

    /// The entry for `address` in the table of `level` in frame `pfn`.
    Word entry(long pfn, int level, long address);

    /// Whether the hardware uses the entry at all.
    boolean present(long entry);

    /// Whether an entry of `level` maps memory, as opposed to pointing to a table.
    boolean leaf(int level, long entry);

    /// Whether user code may write through the leaf.
    boolean writable(long entry);

    /// The bits that an access leaves set in a leaf: accessed, and dirty if it writes.
    long accessBits(boolean write);

    /// Whether the leaf is marked dirty.
    boolean dirty(long entry);

    /// The frame of the table that the entry points to, or the first frame that it maps.
    long pfn(long entry);

    /// Bytes that a leaf of `level` maps.
    long size(int level);

    /// The word of memory at `offset` bytes from the beginning of frame `pfn`, which may be in a
    /// later frame.
    Word memory(long pfn, long offset);
}
