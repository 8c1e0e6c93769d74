// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// How an access is marked in the source, in the vocabulary of the kernel's memory model. Under
/// sequential consistency the mark changes nothing but the text of a trace; weaker models and the
/// data-race sanitizer read it.
public enum Order {
    /// An unmarked C access, which the compiler may tear or repeat.
    PLAIN,
    /// `READ_ONCE()` or `WRITE_ONCE()`.
    ONCE,
    /// `smp_load_acquire()`, or an atomic operation of the `_acquire` family.
    ACQUIRE,
    /// `smp_store_release()`, or an atomic operation of the `_release` family.
    RELEASE,
    /// `rcu_dereference()`: a load whose dependents are ordered after it.
    DEPENDENCY,
    /// An atomic operation of the `_relaxed` family.
    RELAXED,
    /// A fully ordered atomic operation, or a load between two full barriers.
    FULL,
    /// The step that takes a lock or ends a wait.
    LOCK,
    /// The step that gives a lock back.
    UNLOCK
}
