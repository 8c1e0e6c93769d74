// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.UserMemory;
import org.interleaf.mm.Kernel;

/// The user memory of the process, as its threads access it.
final class ProcessMemory implements UserMemory {
    private final Kernel kernel;
    private final Processes processes;

    ProcessMemory(Kernel kernel, Processes processes) {
        this.kernel = kernel;
        this.processes = processes;
    }

    @Override
    public long load(CallSite site, long address, int bytes) {
        return kernel.userAccess().load(processes.mm(), address, bytes);
    }

    @Override
    public void store(CallSite site, long address, int bytes, long value) {
        kernel.userAccess().store(processes.mm(), address, bytes, value);
    }

    @Override
    public long peek(CallSite site, long address, int bytes) {
        return kernel.inspect().user(processes.mm(), address, bytes);
    }
}
