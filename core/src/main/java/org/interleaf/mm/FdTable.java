// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Ref;
import org.interleaf.machine.SpinLock;
import org.jspecify.annotations.Nullable;

/// The open files of a process, by descriptor (fs/file.c). Descriptors 0 to 2 are taken.
public final class FdTable {
    private static final int FIRST = 3;
    private static final int LIMIT = 16;

    private final Files files;
    private final SpinLock fileLock;
    private final Ref<OpenFile>[] fds;

    FdTable(Machine machine, Files files) {
        this.files = files;
        fileLock = new SpinLock(machine, null, null, "files->file_lock", "&newf->file_lock");
        fds = table(machine);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Ref<OpenFile>[] table(Machine machine) {
        Ref<OpenFile>[] table = new Ref[LIMIT];
        for (int i = 0; i < LIMIT; i++) {
            table[i] = new Ref<>(machine, OpenFile.class, null, "fd", i);
        }
        return table;
    }

    /// fs/file.c: get_unused_fd_flags(), fd_install(). The lowest free descriptor, which takes over
    /// the caller's reference; -EMFILE, and the file is closed, where there is none.
    public int install(OpenFile file) {
        fileLock.lock();
        int fd = FIRST;
        while (fd < LIMIT && fds[fd].read(Order.PLAIN) != null) {
            fd++;
        }
        if (fd < LIMIT) {
            fds[fd].write(file, Order.RELEASE);
        }
        fileLock.unlock();
        if (fd == LIMIT) {
            files.fput(file);
            files.taskWorkRun();
            return -Errno.EMFILE;
        }
        return fd;
    }

    /// fs/file.c: fget(). The open file with a reference; null where the descriptor is not open.
    public @Nullable OpenFile fget(long fd) {
        if (fd < FIRST || fd >= LIMIT) {
            return null;
        }
        Ref<OpenFile> slot = fds[(int) fd];
        OpenFile file = slot.read(Order.DEPENDENCY);
        while (file != null) {
            if (file.refs.addUnless(1, 0, Order.FULL) != 0) {
                OpenFile again = slot.read(Order.DEPENDENCY);
                if (file.equals(again)) {
                    return file;
                }
                files.fput(file);
            }
            file = slot.read(Order.DEPENDENCY);
        }
        return null;
    }

    /// fs/file_table.c: fput(), on the way back to user space.
    public void fput(OpenFile file) {
        files.fput(file);
        files.taskWorkRun();
    }

    /// fs/open.c: close(2). 0 or -EBADF.
    public int close(long fd) {
        if (fd < FIRST || fd >= LIMIT) {
            return -Errno.EBADF;
        }
        fileLock.lock();
        OpenFile file = fds[(int) fd].read(Order.PLAIN);
        if (file != null) {
            fds[(int) fd].write(null, Order.RELEASE);
        }
        fileLock.unlock();
        if (file == null) {
            return -Errno.EBADF;
        }
        fput(file);
        return 0;
    }
}
