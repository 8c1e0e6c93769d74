// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

/// The references and pins that the operations of a test have handed out and not taken back, for
/// the accounts at the end of an execution.
final class HeldPages {
    private final int[] references;
    private final int[] pins;
    private int[] referencesAtStart = new int[0];
    private int[] pinsAtStart = new int[0];

    HeldPages(int frames) {
        references = new int[frames];
        pins = new int[frames];
    }

    /// What the set-up holds is held at the beginning of every execution.
    void seal() {
        referencesAtStart = references.clone();
        pinsAtStart = pins.clone();
    }

    void clear() {
        System.arraycopy(referencesAtStart, 0, references, 0, references.length);
        System.arraycopy(pinsAtStart, 0, pins, 0, pins.length);
    }

    void reference(long pfn, int delta) {
        references[(int) pfn] += delta;
    }

    void pin(long pfn, int delta) {
        pins[(int) pfn] += delta;
    }

    /// References held on the page itself.
    int references(long pfn) {
        return references[(int) pfn];
    }

    int pins(long pfn) {
        return pins[(int) pfn];
    }
}
