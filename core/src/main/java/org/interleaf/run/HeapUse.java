// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import com.sun.management.ThreadMXBean;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;

/// What of the heap has been used since this was made.
final class HeapUse {
    private final long allocatedBefore;

    HeapUse() {
        System.gc();
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            pool.resetPeakUsage();
        }
        allocatedBefore = allocatedByThread();
    }

    /// Bytes that the calling thread, which must be the one that made this, has allocated.
    long allocated() {
        return allocatedByThread() - allocatedBefore;
    }

    private static long allocatedByThread() {
        return ManagementFactory.getPlatformMXBean(ThreadMXBean.class)
                .getCurrentThreadAllocatedBytes();
    }

    /// The most bytes that were in use, garbage included.
    long peak() {
        long sum = 0;
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            if (pool.getType() == MemoryType.HEAP) {
                sum += pool.getPeakUsage().getUsed();
            }
        }
        return sum;
    }
}
