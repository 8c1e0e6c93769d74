// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.vocabulary;

/// Memory that a test reaches through pointers that no location of its own has: the user memory of
/// the process that the running task belongs to.
public interface UserMemory {
    /// A load by the running task. The value has its low `bytes` bytes, the rest is ignored.
    long load(CallSite site, long address, int bytes);

    /// A store by the running task.
    void store(CallSite site, long address, int bytes, long value);

    /// The content of memory when everything has ended; no access.
    long peek(CallSite site, long address, int bytes);
}
