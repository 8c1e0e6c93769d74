// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

/// System calls on files of any file system (fs/open.c, fs/namei.c, mm/memfd.c).
public final class Vfs {
    /// Where a tmpfs is mounted. Other names are those of devices and of the mounted hugetlbfs.
    private static final String TMPFS = "/dev/shm/";

    private final Kernel kernel;

    Vfs(Kernel kernel) {
        this.kernel = kernel;
    }

    /// fs/open.c: do_sys_openat2(). Null where there is no such file.
    ///
    /// @param mode {@link OpenFile#READ} and {@link OpenFile#WRITE}
    public @Nullable OpenFile open(String path, boolean create, int mode) {
        OpenFile device = kernel.devices().open(path, mode);
        if (device != null) {
            return device;
        }
        return path.startsWith(TMPFS)
                ? kernel.shmem().open(path, create, mode)
                : kernel.hugetlb().hugetlbfs().open(path, create, mode);
    }

    /// mm/memfd.c: memfd_create(2). A file without a name; null, and a negative error number in
    /// `error[0]`, where the flags do not allow it.
    public @Nullable OpenFile memfdCreate(String name, int flags, int[] error) {
        if ((flags & Mman.MFD_HUGETLB) != 0) {
            return kernel.hugetlb().hugetlbfs().memfdCreate(name, flags, error);
        }
        if ((flags & ~(Mman.MFD_CLOEXEC | Mman.MFD_ALLOW_SEALING)) != 0) {
            error[0] = -Errno.EINVAL;
            return null;
        }
        return kernel.shmem().fileSetup("memfd:" + name, 0);
    }

    /// fs/namei.c: do_unlinkat(). False where there is no file of that name.
    public boolean unlink(String path) {
        return path.startsWith(TMPFS)
                ? kernel.shmem().unlink(path)
                : kernel.hugetlb().hugetlbfs().unlink(path);
    }

    /// fs/open.c: do_ftruncate(). ftruncate(2). 0 or a negative error number.
    public int ftruncate(OpenFile file, long size) {
        if (!(file.inode() instanceof ShmemInode inode)) {
            return kernel.hugetlb().hugetlbfs().ftruncate(file, size);
        }
        if (size < 0 || !file.may(OpenFile.WRITE)) {
            return -Errno.EINVAL;
        }
        return kernel.shmemTruncate().setattr(inode, size);
    }

    /// fs/open.c: vfs_fallocate(). fallocate(2), on behalf of a process. 0 or a negative error
    /// number.
    public int fallocate(MmStruct mm, OpenFile file, int mode, long offset, long len) {
        if (!(file.inode() instanceof ShmemInode inode)) {
            return kernel.hugetlb().hugetlbfs().fallocate(mm, file, mode, offset, len);
        }
        if (offset < 0 || len <= 0) {
            return -Errno.EINVAL;
        }
        int hole = Mman.FALLOC_FL_PUNCH_HOLE;
        if ((mode & ~(Mman.FALLOC_FL_KEEP_SIZE | hole)) != 0 || mode == hole) {
            return -Errno.EOPNOTSUPP;
        }
        if (!file.may(OpenFile.WRITE)) {
            return -Errno.EBADF;
        }
        return offset + len < 0
                ? -Errno.EFBIG
                : kernel.shmemTruncate().fallocate(inode, mode, offset, len);
    }
}
