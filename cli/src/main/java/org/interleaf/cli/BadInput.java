// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

/// A mistake of the user that is neither in a test nor in a patch, such as a folder without tests.
final class BadInput extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// @param hint how to mend it, in one line
    BadInput(String problem, String hint) {
        super(problem + "\nhint: " + hint);
    }
}
