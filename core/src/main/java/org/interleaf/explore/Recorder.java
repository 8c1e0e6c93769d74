// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Op;
import org.interleaf.machine.Order;
import org.interleaf.machine.Scheduler;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.interleaf.trace.Step;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/// Writes down, as text, every access of one execution that another scheduler directs.
public final class Recorder implements Scheduler {
    private final Machine machine;
    private final Scheduler director;
    private final Supplier<List<String>> callTrace;
    private final List<Raw> raw = new ArrayList<>();

    private record Raw(
            Task task,
            int location,
            List<String> callTrace,
            String operation,
            String name,
            String before,
            String after,
            boolean wrote) {}

    /// @param callTrace names the functions that the running thread is in, innermost first
    public Recorder(Machine machine, Scheduler director, Supplier<List<String>> callTrace) {
        this.machine = machine;
        this.director = director;
        this.callTrace = callTrace;
    }

    @Override
    public @Nullable Task pick() {
        return director.pick();
    }

    @Override
    public void executed(Task task, long before, boolean wrote) {
        director.executed(task, before, wrote);
        Word word = task.word();
        raw.add(
                new Raw(
                        task,
                        word.id(),
                        callTrace.get(),
                        operation(task),
                        word.name(),
                        word.show(before),
                        word.show(word.peek()),
                        wrote));
    }

    /// The steps so far.
    public List<Step> steps() {
        Map<Integer, Set<Task>> touched = new HashMap<>();
        Set<Integer> written = new HashSet<>();
        for (Raw each : raw) {
            touched.computeIfAbsent(each.location, x -> new HashSet<>()).add(each.task);
            if (each.wrote) {
                written.add(each.location);
            }
        }
        // What a task is blocked at is part of the story: it explains a deadlock.
        for (Task task : machine.tasks()) {
            if (!task.finished() && !task.atRest()) {
                touched.computeIfAbsent(task.word().id(), x -> new HashSet<>()).add(task);
                written.add(task.word().id());
            }
        }
        List<Step> steps = new ArrayList<>(raw.size());
        for (Raw each : raw) {
            boolean shared =
                    written.contains(each.location)
                            && touched.getOrDefault(each.location, Set.of()).size() > 1;
            steps.add(
                    new Step(
                            steps.size(),
                            each.task.name(),
                            each.task.cpu(),
                            each.callTrace,
                            each.operation,
                            each.name,
                            each.before,
                            each.after,
                            each.wrote,
                            shared));
        }
        return steps;
    }

    private static String operation(Task task) {
        Op op = task.op();
        Order order = task.order();
        return switch (op) {
            case LOAD ->
                    switch (order) {
                        case ONCE, FULL -> "READ_ONCE";
                        case ACQUIRE -> "smp_load_acquire";
                        case DEPENDENCY -> "rcu_dereference";
                        default -> "read";
                    };
            case STORE ->
                    switch (order) {
                        case ONCE -> "WRITE_ONCE";
                        case RELEASE -> "smp_store_release";
                        case UNLOCK -> "unlock";
                        default -> "write";
                    };
            case STORE_BITS -> "write";
            case XCHG -> "xchg";
            case ADD -> order == Order.UNLOCK ? "unlock" : "atomic_fetch_" + sum(task.a());
            case UPDATE_ADD -> order == Order.UNLOCK ? "unlock" : "atomic_" + sum(task.a());
            case AND -> order == Order.UNLOCK ? "unlock" : "atomic_fetch_and";
            case UPDATE_AND -> order == Order.UNLOCK ? "unlock" : "atomic_and";
            case OR -> "atomic_fetch_or";
            case UPDATE_OR -> "atomic_or";
            case XOR -> "atomic_fetch_xor";
            case UPDATE_XOR -> "atomic_xor";
            case CMPXCHG -> "cmpxchg";
            case ADD_UNLESS, ADD_UNLESS_INT -> "atomic_add_unless";
            case ENTER -> "refcount_inc_not_zero_limited";
            case TRY, TRY_SHARED -> "trylock";
            case UNLOCK_SHARED -> "unlock";
            case TAKE_OR_QUEUE, LOCK, LOCK_SHARED -> "lock";
            case TAKE_PENDING -> "take";
            case AWAIT, AWAIT_NOT -> "wait";
        };
    }

    /// What adding `delta` is called.
    private static String sum(long delta) {
        return delta < 0 ? "sub" : "add";
    }
}
