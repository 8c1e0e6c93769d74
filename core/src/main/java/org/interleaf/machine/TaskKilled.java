// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// Unwinds a task that hit a fatal error in the modelled kernel, as an oops kills the task but not
/// the machine. Its locks stay held.
public final class TaskKilled extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// The only instance: it carries nothing.
    @SuppressWarnings("StaticAssignmentOfThrowable") // Has no stack trace that could be wrong.
    public static final TaskKilled INSTANCE = new TaskKilled();

    /// Thrown by a task that ends of its own accord: nothing is left undone.
    @SuppressWarnings("StaticAssignmentOfThrowable") // Has no stack trace that could be wrong.
    public static final TaskKilled EXITED = new TaskKilled();

    private TaskKilled() {
        super(null, null, false, false);
    }
}
