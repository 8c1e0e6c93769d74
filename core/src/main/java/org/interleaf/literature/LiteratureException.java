// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.literature;

/// Somebody asked for a program that there is not, or not at that size.
public final class LiteratureException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// @param hint how to mend it, in one line
    LiteratureException(String problem, String hint) {
        super(problem + "\nhint: " + hint);
    }
}
