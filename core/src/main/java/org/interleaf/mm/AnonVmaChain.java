// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Shared;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// The part of a VMA's `anon_vma_chain` that it has from the VMA of which fork made it a copy, as
/// one version that never changes.
final class AnonVmaChain extends Shared {
    private final List<AnonVma> links;

    private AnonVmaChain(Machine machine, List<AnonVma> links) {
        super(machine);
        this.links = List.copyOf(links);
    }

    /// Those of `inherited`, which may be none, and `own`.
    static AnonVmaChain of(Machine machine, @Nullable AnonVmaChain inherited, AnonVma own) {
        List<AnonVma> links = new ArrayList<>();
        if (inherited != null) {
            links.addAll(inherited.links);
        }
        links.add(own);
        return new AnonVmaChain(machine, links);
    }

    AnonVmaChain without(Machine machine, AnonVma anonVma) {
        List<AnonVma> left = new ArrayList<>(links);
        left.remove(anonVma);
        return new AnonVmaChain(machine, left);
    }

    List<AnonVma> links() {
        return links;
    }

    @Override
    public String toString() {
        return links.toString();
    }
}
