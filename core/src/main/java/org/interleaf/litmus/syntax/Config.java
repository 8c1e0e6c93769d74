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
    public record Entry(int pos, String key, int valuePos, String value) {
        private static final int NOT_IN_THE_TEST = -1;

        /// One that is given beside the test and stands in the place of the test's own.
        public static Entry override(String key, String value) {
            return new Entry(NOT_IN_THE_TEST, key, NOT_IN_THE_TEST, value);
        }

        /// A mistake in the key.
        public LitmusException errorInKey(Source source, String problem, String hint) {
            return error(source, pos, problem, hint);
        }

        /// A mistake in the value.
        public LitmusException errorInValue(Source source, String problem, String hint) {
            return error(source, valuePos, problem, hint);
        }

        private LitmusException error(Source source, int at, String problem, String hint) {
            return at == NOT_IN_THE_TEST
                    ? LitmusException.ofFile("--config " + key + "=" + value, problem, hint)
                    : source.error(at, problem, hint);
        }
    }

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
