// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;

/// What an explorer explores: a sealed machine, and somebody who looks at how executions end.
public interface Program {
    /// The machine, sealed, with all tasks.
    Machine machine();

    /// Called at the end of each execution that ran to its end or was cut, before the machine's
    /// state is put back.
    void finished(Ending ending);
}
