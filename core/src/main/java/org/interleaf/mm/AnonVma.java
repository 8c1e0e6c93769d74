// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Ref;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.Shared;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.List;

/// `struct anon_vma` (include/linux/rmap.h): finds the VMAs that may map an anonymous folio.
public final class AnonVma extends Shared {
    private final @Nullable AnonVma parent;
    private final RwSem rwsem;
    final Word refcount;

    /// VMAs whose own anon_vma this is.
    final Word numActiveVmas;

    /// `rb_root`: the VMAs that may map its folios. Changes in the steps that change the numbers of
    /// VMAs, under the lock held for writing.
    final Ref<VmaList> vmas;

    /// anon_vmas whose parent this is.
    final Word numChildren;

    /// VMAs of other anon_vmas that may map folios of this one: those of children.
    final Word numLinks;

    AnonVma(Machine machine) {
        this(machine, null);
    }

    /// @param parent that of the VMA which fork copied; null for the first of its kind
    AnonVma(Machine machine, @Nullable AnonVma parent) {
        super(machine);
        this.parent = parent;
        rwsem =
                parent == null
                        ? new RwSem(machine, null, this, "rwsem", "&anon_vma->rwsem")
                        : parent.rwsem;
        refcount = machine.word(null, this, "refcount", -1, 1);
        numActiveVmas = machine.word(null, this, "num_active_vmas", -1, 0);
        numChildren = machine.word(null, this, "num_children", -1, 0);
        numLinks = machine.word(null, this, "links", -1, 0);
        vmas = new Ref<>(machine, VmaList.class, this, "rb_root", -1);
    }

    /// `anon_vma->root->rwsem`.
    public RwSem rwsem() {
        return rwsem;
    }

    /// `anon_vma_interval_tree_insert()` and `remove()`, as part of a step.
    void link(Machine machine, Vma vma, boolean add) {
        VmaList list = vmas.peek();
        if (list == null) {
            list = new VmaList(machine, List.of());
        }
        VmaList changed = add ? list.plus(machine, vma) : list.minus(machine, vma);
        vmas.word().poke(changed.pointer());
    }

    /// Whether the VMA is one of those that may map folios; looked at from outside.
    public boolean peekMaps(Vma vma) {
        VmaList list = vmas.peek();
        return list != null && list.vmas().contains(vma);
    }

    /// `anon_vma->parent`; null where that is itself.
    @Nullable AnonVma parent() {
        return parent;
    }

    /// `anon_vma->root`.
    AnonVma root() {
        AnonVma root = this;
        for (AnonVma up = parent; up != null; up = up.parent) {
            root = up;
        }
        return root;
    }

    @Override
    public String toString() {
        return "anon_vma " + pointer();
    }
}
