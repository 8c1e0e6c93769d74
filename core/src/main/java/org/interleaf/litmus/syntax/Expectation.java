// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// What the author of a test says that comes out, in its comments.
///
/// @param result the first word after `Result:`, if there is such a line and the word is known
/// @param words all that follows `Result:` in its line, or nothing
/// @param splats the splats that the test declares, in order
public record Expectation(@Nullable Result result, String words, List<Splat> splats) {
    /// The results that a test can declare.
    public enum Result {
        NEVER("Never"),
        SOMETIMES("Sometimes"),
        ALWAYS("Always"),
        DEADLOCK("DEADLOCK");

        private final String word;

        Result(String word) {
            this.word = word;
        }

        /// The result as a test writes it.
        public String word() {
            return word;
        }
    }

    /// A splat that is to be expected: `Splat: WARNING try_grab_folio`.
    ///
    /// @param pos offset of the kind
    /// @param kind the first word, such as `WARNING`, `BUG` or `KASAN`
    /// @param where what follows it, usually a function; empty where any place will do
    public record Splat(int pos, String kind, String where) {}
}
