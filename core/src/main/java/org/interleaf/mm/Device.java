// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;

/// A character device with memory that can be mapped. It is there from the beginning to the end.
public abstract class Device extends Inode implements VmOps {
    Device(Machine machine, String path) {
        super(machine, path, 0, Inode.DEVICE_RWSEM, Inode.MMAP_RWSEM);
    }

    /// `f_op->mmap`, `f_op->mmap_prepare`: checks a VMA of which nobody knows yet and gives it the
    /// flags that it needs. 0 or a negative error number.
    abstract int mmap(Vma vma);

    /// `f_op->get_unmapped_area`: the power of two by which the address of a mapping of `len` bytes
    /// from byte `offset` on must leave the same remainder as `offset`.
    long areaAlign(long len, long offset) {
        return 1;
    }

    @Override
    VmOps vmOps() {
        return this;
    }

    @Override
    void evict() {
        throw new AssertionError("[interleaf internal] " + this + " has gone");
    }
}
