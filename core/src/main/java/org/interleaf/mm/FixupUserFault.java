// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// Faulting memory in for somebody else than the user (mm/gup.c): drivers that want to know the
/// frames behind a mapping do so, of memory that has no `struct page`s too.
public final class FixupUserFault {
    private final Kernel kernel;

    FixupUserFault(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/gup.c: fixup_user_fault(). Has one fault handled at `addr`, as by an access that was made
    /// once: 0, whether or not something is mapped then, or a negative error number. Takes the mmap
    /// lock, of which a fault may let go for a time.
    public int fixupUserFault(MmStruct mm, long addr, boolean write) {
        int flags = VmFault.FLAG_REMOTE | (write ? VmFault.FLAG_WRITE : 0);
        flags |= VmFault.FLAG_ALLOW_RETRY | VmFault.FLAG_KILLABLE;
        kernel.mmapLock().readLock(mm);
        int ret;
        while (true) {
            Vma vma = kernel.mmap().vmaLookup(mm, addr);
            if (vma == null || !vmaPermitsFault(vma, write)) {
                ret = -Errno.EFAULT;
                break;
            }
            int fault = kernel.memory().handleMmFault(vma, addr, flags);
            if ((fault & VmFault.ERROR) != 0) { // vm_fault_to_errno()
                ret = (fault & VmFault.OOM) != 0 ? -Errno.ENOMEM : -Errno.EFAULT;
                break;
            }
            ret = 0;
            if ((fault & (VmFault.COMPLETED | VmFault.RETRY)) != 0) {
                kernel.mmapLock().readLock(mm);
            }
            if ((fault & VmFault.RETRY) == 0) {
                break;
            }
            flags |= VmFault.FLAG_TRIED;
        }
        kernel.mmapLock().readUnlock(mm);
        return ret;
    }

    /// mm/gup.c: vma_permits_fault().
    private static boolean vmaPermitsFault(Vma vma, boolean write) {
        return (vma.flags() & (write ? Vma.VM_WRITE : Vma.VM_READ)) != 0;
    }
}
