// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// Hears what happens on a machine, apart from the order of accesses. Sanitizers implement the
/// parts they care about; by default nothing is done.
///
/// A monitor may keep state for the length of one execution, from {@link #started} on. It must not
/// touch words: what it sees is outside of the simulated time.
public interface Monitor {
    /// A new execution begins.
    default void started() {}

    /// An access has been made: `task` still describes it, the word held `before`.
    default void stepped(Task task, long before) {}

    /// The same for an access of the set-up, which is not part of any execution.
    default void setUp(Task task, long before) {}

    /// `task` has passed a memory barrier.
    default void fenced(Task task, Fence fence) {}

    /// The source of `task` says `annotation`, which is about the accesses that follow.
    default void annotated(Task task, Annotation annotation) {}

    /// `task` asserts that nobody else writes to `word` now.
    default void exclusivelyWritten(Task task, Word word) {}

    /// `region` has come to life.
    default void allocated(Task task, Region region) {}

    /// `region` has died.
    default void freed(Task task, Region region) {}

    /// `region` was freed while it was free.
    default void doubleFree(Task task, Region region) {}

    /// `task` is about to touch `word`, whose region is dead.
    default void usedAfterFree(Task task, Word word) {}

    /// `task`, which holds some lock, is about to take `lock` in class `as`, and will wait for it
    /// if need be; not called for attempts that do not wait.
    default void acquiring(Task task, Lock lock, LockClass as, LockMode mode) {}

    /// `task` has taken `lock`.
    default void acquired(Task task, Lock lock) {}

    /// `task` has given `lock` back.
    default void released(Task task, Lock lock) {}

    /// `task` gave back `lock` without holding it.
    default void releasedUnheld(Task task, Lock lock) {}

    /// `task` does `what`, which may sleep.
    default void mightSleep(Task task, String what) {}

    /// The modelled kernel complains about itself, as by `WARN_ON()` or `BUG()`.
    ///
    /// @param kind the kernel's word for it, such as `WARNING` or `BUG`
    default void complained(Task task, String kind, String text) {}

    /// `task` died of an exception in the modelled code.
    default void crashed(Task task, Throwable crash) {}

    /// `task` has reached its end, or was killed.
    default void taskEnded(Task task) {}
}
