// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.vocabulary;

/// How to boot a {@link Model}, beside what the test itself says.
///
/// @param pageWords 64-bit words of each page whose contents are modelled, from its beginning
/// @param forRecording whether a single execution will be looked at closely: reports then say who
///   allocated and freed what, which makes allocations slow
/// @param races which data races to look for
public record BootOptions(int pageWords, boolean forRecording, RaceCheck races) {
    /// For exploring: the first word of each page.
    public static final BootOptions DEFAULT = new BootOptions(1, false, RaceCheck.NO);

    public BootOptions withPageWords(int words) {
        return new BootOptions(words, forRecording, races);
    }

    public BootOptions with(RaceCheck newRaces) {
        return new BootOptions(pageWords, forRecording, newRaces);
    }

    public BootOptions recording() {
        return new BootOptions(pageWords, true, races);
    }
}
