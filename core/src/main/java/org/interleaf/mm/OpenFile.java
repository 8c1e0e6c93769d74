// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Shared;
import org.interleaf.machine.Word;

/// `struct file` (include/linux/fs.h): an open file, held by descriptors and by VMAs.
public class OpenFile extends Shared {
    private final Inode inode;

    /// `f_mode`, {@link #READ} and {@link #WRITE}.
    private final int mode;

    /// `f_ref`.
    final Word refs;

    /// `FMODE_READ`, `FMODE_WRITE`.
    public static final int READ = 1;

    public static final int WRITE = 2;

    OpenFile(Machine machine, Inode inode, int mode) {
        super(machine);
        this.inode = inode;
        this.mode = mode;
        refs = machine.word(null, this, "f_ref", -1, 1);
    }

    /// `file_inode()`; never changes.
    public Inode inode() {
        return inode;
    }

    /// `f_op->release`: nobody has the file open any more.
    void release() {}

    boolean may(int what) {
        return (mode & what) != 0;
    }

    @Override
    public String toString() {
        return "file " + inode;
    }
}
