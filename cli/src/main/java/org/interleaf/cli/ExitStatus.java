// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

/// The exit statuses. Where several apply, the worst one counts: that which is last here.
enum ExitStatus {
    /// All is as declared.
    OK(0),
    /// Some exploration came to its limits before it could tell.
    UNDECIDED(3),
    /// Something is not as declared.
    NOT_AS_DECLARED(1),
    /// The input is wrong.
    BAD_INPUT(2),
    /// The program is wrong; sysexits.h calls it `EX_SOFTWARE`.
    INTERNAL_ERROR(70);

    private final int code;

    ExitStatus(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    ExitStatus worseOf(ExitStatus other) {
        return compareTo(other) >= 0 ? this : other;
    }
}
