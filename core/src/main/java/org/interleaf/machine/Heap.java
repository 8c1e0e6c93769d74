// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Gives objects of the model numbers, so that words can point to them. Number 0 is the null
/// pointer. Objects made by a running task carry the task in their number and are forgotten with
/// the execution; their numbers do not depend on what other tasks do.
public final class Heap {
    private static final int TASK_SHIFT = 32;

    private final List<Object> made = new ArrayList<>();
    private final List<List<Object>> byTask = new ArrayList<>();
    private boolean sealed;

    Heap() {
        made.add("null");
    }

    void seal() {
        sealed = true;
    }

    void reset() {
        for (int i = 0; i < byTask.size(); i++) {
            byTask.get(i).clear();
        }
    }

    /// The pointer to `object`, which has none so far.
    public long register(Machine machine, Object object) {
        if (!sealed) {
            made.add(object);
            return made.size() - 1L;
        }
        machine.hasEffect();
        int task = machine.current().id();
        while (byTask.size() <= task) {
            byTask.add(new ArrayList<>());
        }
        List<Object> objects = byTask.get(task);
        objects.add(object);
        return (long) (task + 1) << TASK_SHIFT | objects.size();
    }

    /// What `pointer` points to; null for the null pointer.
    public @Nullable Object resolve(long pointer) {
        if (pointer == 0) {
            return null;
        }
        int task = (int) (pointer >>> TASK_SHIFT);
        return task == 0 ? made.get((int) pointer) : byTask.get(task - 1).get((int) pointer - 1);
    }
}
