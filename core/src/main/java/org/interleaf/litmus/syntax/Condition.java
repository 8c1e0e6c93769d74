// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

/// What a test asks of its final states.
///
/// @param pos offset of the quantifier
public record Condition(int pos, Quantifier quantifier, Prop prop) {
    /// How the proposition is meant.
    public enum Quantifier {
        /// Some execution ends so.
        EXISTS("exists", "Allowed"),
        /// All executions end so.
        FORALL("forall", "Required"),
        /// No execution ends so.
        NOT_EXISTS("~exists", "Forbidden");

        private final String word;
        private final String kind;

        Quantifier(String word, String kind) {
            this.word = word;
            this.kind = kind;
        }

        /// The quantifier as a test writes it.
        public String word() {
            return word;
        }

        /// What herd7 calls such a test: `Allowed`, `Required` or `Forbidden`.
        public String kind() {
            return kind;
        }
    }
}
