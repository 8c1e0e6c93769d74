// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// A physical page frame: its life and its contents.
public final class Frame {
    private final long pfn;
    private final Region life;
    private final Word[] contents;

    Frame(Machine machine, long pfn, int words) {
        this.pfn = pfn;
        this.life = new Region(machine);
        life.owner(this);
        contents = new Word[words];
        for (int i = 0; i < words; i++) {
            contents[i] = machine.word(life, this, "word", i, 0).format(ValueFormat.HEX);
        }
    }

    public long pfn() {
        return pfn;
    }

    /// Whether the frame is allocated; the words of whatever is kept in it belong to this region.
    public Region life() {
        return life;
    }

    /// Number of 64-bit words of contents that are modelled.
    public int words() {
        return contents.length;
    }

    /// Word number `index` of the contents.
    ///
    /// @throws NotModelled if the machine does not keep that much of each page
    public Word word(int index) {
        if (index >= contents.length) {
            throw new NotModelled(index + 1);
        }
        return contents[index];
    }

    @Override
    public String toString() {
        return "page " + pfn;
    }
}
