// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The lock classes of a machine. They outlive executions: nothing depends on their numbers.
public final class LockClasses {
    /// A subclass for locks inside another one of their class.
    public static final int SINGLE_DEPTH_NESTING = 1;

    private final List<LockClass> all = new ArrayList<>();
    private final Map<String, LockClass> byName = new HashMap<>();

    LockClasses() {}

    /// The class of this name, which is made if there is none.
    public LockClass of(String name) {
        LockClass known = byName.get(name);
        if (known == null) {
            known = add(name, false);
            byName.put(name, known);
        }
        return known;
    }

    /// A class for one lock that lockdep does not know.
    LockClass exact(String name) {
        return add(name, true);
    }

    LockClass add(String name, boolean exact) {
        LockClass made = new LockClass(this, all.size(), name, exact);
        all.add(made);
        return made;
    }
}
