// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// Holding and letting go of open files and inodes (fs/file_table.c, fs/inode.c).
///
/// Who drops the last reference of a file does not close it there and then, where locks may be
/// held: the task does so on its way back to user space.
public final class Files {
    private final Machine machine;

    /// For each task and, at 0, for the set-up: what it has to close. Nobody else looks.
    private final List<Deque<OpenFile>> work = new ArrayList<>();

    Files(Machine machine) {
        this.machine = machine;
        machine.onReset(() -> work.forEach(Deque::clear));
    }

    /// include/linux/fs.h: get_file().
    void getFile(OpenFile file) {
        file.refs.fetchAdd(1, Order.RELAXED);
    }

    /// fs/file_table.c: fput().
    void fput(OpenFile file) {
        if (file.refs.fetchAdd(-1, Order.RELEASE) == 1) {
            mine().add(file);
        }
    }

    private Deque<OpenFile> mine() {
        int task = machine.current().id() + 1;
        while (work.size() <= task) {
            work.add(new ArrayDeque<>());
        }
        return work.get(task);
    }

    /// kernel/task_work.c: task_work_run(). Closes what the running task let go of last. No lock is
    /// held.
    void taskWorkRun() {
        Deque<OpenFile> mine = mine();
        while (!mine.isEmpty()) {
            OpenFile file = mine.remove(); // __fput()
            file.release();
            iput(file.inode());
        }
    }

    /// fs/inode.c: ihold().
    void ihold(Inode inode) {
        inode.count.fetchAdd(1, Order.RELAXED);
    }

    /// fs/inode.c: iput(). A file that nobody has open and that has no name is gone.
    void iput(Inode inode) {
        if (inode.count.fetchAdd(-1, Order.FULL) == 1) {
            inode.evict();
        }
    }
}
