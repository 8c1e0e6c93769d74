// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// On whose behalf memory is collapsed, and how much of it may be missing: `struct
/// collapse_control` and the limits of khugepaged's sysfs files (mm/khugepaged.c).
///
/// @param isKhugepaged whether the daemon does it of its own accord; only then do the limits hold
/// @param maxPtesNone entries that may be none
/// @param maxPtesSwap entries that may be neither none nor present
/// @param maxPtesShared pages that may be mapped by others as well
public record CollapseControl(
        boolean isKhugepaged, int maxPtesNone, int maxPtesSwap, int maxPtesShared) {
    /// khugepaged with its default limits: all entries but one may be none, an eighth of them in
    /// swap, half of them shared.
    static CollapseControl khugepaged(Geometry geometry) {
        int nr = geometry.hpagePmdNr();
        return new CollapseControl(true, nr - 1, nr / 8, nr / 2);
    }

    /// madvise(MADV_COLLAPSE): no limits.
    static CollapseControl madvise(Geometry geometry) {
        int nr = geometry.hpagePmdNr();
        return new CollapseControl(false, nr, nr, nr);
    }
}
