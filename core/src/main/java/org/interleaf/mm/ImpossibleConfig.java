// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// A configuration that no kernel can be built with.
public final class ImpossibleConfig extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String key;
    private final String reason;
    private final String hint;

    /// @param key the configuration key that is to blame, as tests write it
    /// @param reason what forbids it, with the kernel's own place for that
    /// @param hint what is possible instead
    public ImpossibleConfig(String key, String reason, String hint) {
        super(reason);
        this.key = key;
        this.reason = reason;
        this.hint = hint;
    }

    public String key() {
        return key;
    }

    public String reason() {
        return reason;
    }

    public String hint() {
        return hint;
    }
}
