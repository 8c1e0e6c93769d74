// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Shared;

import java.util.ArrayList;
import java.util.List;

/// The VMAs that map a file (`i_mmap`), as one version of the interval tree: it never changes, and
/// who changes the tree puts a new one in its place.
final class VmaList extends Shared {
    private final List<Vma> vmas;

    VmaList(Machine machine, List<Vma> vmas) {
        super(machine);
        this.vmas = List.copyOf(vmas);
    }

    List<Vma> vmas() {
        return vmas;
    }

    VmaList plus(Machine machine, Vma vma) {
        List<Vma> list = new ArrayList<>(vmas);
        list.add(vma);
        return new VmaList(machine, list);
    }

    VmaList minus(Machine machine, Vma vma) {
        List<Vma> list = new ArrayList<>(vmas);
        list.remove(vma);
        return new VmaList(machine, list);
    }

    @Override
    public String toString() {
        return vmas.toString();
    }
}
