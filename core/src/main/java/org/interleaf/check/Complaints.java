// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.check.KernelNames.Origin;
import org.interleaf.machine.Monitor;
import org.interleaf.machine.Task;

import java.util.ArrayList;
import java.util.List;

/// What the modelled kernel says itself, by `WARN_ON()` or by dying: a null pointer that the model
/// follows is one that the kernel would have followed.
final class Complaints implements Monitor {
    private final Findings findings;
    private final KernelNames names;

    Complaints(Findings findings, KernelNames names) {
        this.findings = findings;
        this.names = names;
    }

    @Override
    public void complained(Task task, String kind, String text) {
        findings.report(kind, task, () -> text);
    }

    @Override
    public void crashed(Task task, Throwable crash) {
        String kind =
                crash instanceof NullPointerException
                        ? "BUG: kernel NULL pointer dereference"
                        : "Oops: " + crash.getClass().getSimpleName();
        String message = crash.getMessage();
        List<Origin> trace = new ArrayList<>();
        for (StackTraceElement frame : crash.getStackTrace()) {
            Origin origin = names.origin(frame.getClassName(), frame.getMethodName());
            if (origin != null) {
                trace.add(origin);
            }
        }
        findings.report(kind, task, message == null ? "" : message, trace);
    }
}
