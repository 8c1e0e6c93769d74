// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.Shared;
import org.interleaf.machine.Word;

/// `struct anon_vma` (include/linux/rmap.h): finds the VMAs that may map an anonymous folio.
public final class AnonVma extends Shared {
    private final RwSem rwsem;
    final Word refcount;
    final Word numActiveVmas;

    AnonVma(Machine machine) {
        super(machine);
        rwsem = new RwSem(machine, null, this, "rwsem");
        refcount = machine.word(null, this, "refcount", -1, 1);
        numActiveVmas = machine.word(null, this, "num_active_vmas", -1, 0);
    }

    /// `anon_vma->root->rwsem`; without fork every anon_vma is its own root.
    public RwSem rwsem() {
        return rwsem;
    }

    @Override
    public String toString() {
        return "anon_vma " + pointer();
    }
}
