// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// The `config` lines of a test, in order. Which keys and values there are is not known here.
public record Config(List<Entry> entries) {
    /// One `key=value`.
    ///
    /// @param pos offset of the key
    /// @param valuePos offset of the value
    public record Entry(int pos, String key, int valuePos, String value) {}

    /// The entry of a key, which occurs at most once.
    public @Nullable Entry entry(String key) {
        for (Entry entry : entries) {
            if (entry.key().equals(key)) {
                return entry;
            }
        }
        return null;
    }

    /// The value of a key.
    public @Nullable String get(String key) {
        Entry entry = entry(key);
        return entry == null ? null : entry.value();
    }
}
