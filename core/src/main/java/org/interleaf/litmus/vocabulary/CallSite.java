// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.vocabulary;

import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.Source;
import org.jspecify.annotations.Nullable;

import java.util.List;

/// Where in a test an operation is called or memory is touched.
///
/// @param pos offset of the call in the source
/// @param function the name that is called; for an access to memory, what it looks like
/// @param strings for each argument, the string that stands there, or null
public record CallSite(Source source, int pos, String function, List<@Nullable String> strings) {

    /// The place as `file:line`.
    public String where() {
        return source.name() + ":" + source.line(pos);
    }

    /// A complaint about this call; `hint` says how to mend it. Only before a test runs, and in its
    /// set-up: what goes wrong in a running task is a matter for the machine's monitor.
    public LitmusException error(String message, String hint) {
        return source.error(pos, message, hint);
    }
}
