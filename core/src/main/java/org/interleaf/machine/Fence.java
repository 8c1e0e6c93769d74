// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// A memory barrier of the kernel. A fence touches no location, so it is no scheduling point.
public enum Fence {
    MB("smp_mb"),
    RMB("smp_rmb"),
    WMB("smp_wmb"),
    MB_BEFORE_ATOMIC("smp_mb__before_atomic"),
    MB_AFTER_ATOMIC("smp_mb__after_atomic"),
    MB_AFTER_SPINLOCK("smp_mb__after_spinlock"),
    MB_AFTER_UNLOCK_LOCK("smp_mb__after_unlock_lock"),
    MB_AFTER_SRCU_READ_UNLOCK("smp_mb__after_srcu_read_unlock"),
    BARRIER("barrier");

    private final String kernelName;

    Fence(String kernelName) {
        this.kernelName = kernelName;
    }

    /// The name of the kernel's macro.
    public String kernelName() {
        return kernelName;
    }
}
