// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/// Explores every interleaving of a program, up to equivalence, within limits.
///
/// An explorer can be used again for the same program, and does not grow anew what it needs.
public final class Explorer implements Worker.Boss {
    private static final int EXECUTIONS_BETWEEN_LOOKS = 64;

    /// What takes less is not worth starting a second worker for.
    private static final Duration HELP_AFTER = Duration.ofMillis(150);

    private final Limits limits;
    private final String fingerprint;
    private final Pool<?> pool;
    private final Worker first;

    private int helperCount;
    private long helpAfterNanos = -1;
    private @Nullable Supplier<Program> programs;
    private @Nullable Checkpoints checkpoints;

    // The exploration at hand.
    private final List<Worker> workers = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private long start;
    private final AtomicLong begun = new AtomicLong();
    private Exploration before = Exploration.NOTHING;
    private @Nullable Throwable failure;

    /// An explorer of `program`, in the usual way.
    ///
    /// @param fingerprint identifies the program in the schedules that are handed out
    public Explorer(Program program, Limits limits, String fingerprint) {
        this(new Exhaustive(), program, limits, fingerprint);
    }

    /// The same in another way.
    ///
    /// @throws IllegalArgumentException if executions cannot be told apart in the way that `limits`
    ///   ask for
    public Explorer(Reduction reduction, Program program, Limits limits, String fingerprint) {
        if (!reduction.supports(limits)) {
            throw new IllegalArgumentException(
                    reduction.describe() + " does not support this equivalence, or symmetry");
        }
        this.limits = limits;
        this.fingerprint = fingerprint;
        this.pool =
                switch (reduction) {
                    case Exhaustive e -> new Frontier();
                    case Parsimonious p -> new Subtrees();
                };
        this.first = pool.worker(program, limits, fingerprint);
    }

    /// Explores `program` once, with one worker.
    ///
    /// @param fingerprint identifies the program in the schedules that are handed out
    public static Exploration explore(Program program, Limits limits, String fingerprint) {
        return new Explorer(program, limits, fingerprint).explore();
    }

    /// Has several workers share what takes long: the same executions up to equivalence, in another
    /// order.
    ///
    /// @param count how many there are in all
    /// @param others makes the same program anew for each further worker, which runs it in a thread
    ///   of its own
    public Explorer withWorkers(int count, Supplier<Program> others) {
        return withWorkers(count, others, HELP_AFTER);
    }

    /// The same, with another time after which further workers begin.
    public Explorer withWorkers(int count, Supplier<Program> others, Duration helpAfter) {
        helperCount = count - 1;
        programs = others;
        helpAfterNanos = helpAfter.toNanos();
        return this;
    }

    /// Has what was done saved now and then, so that it can be resumed; and resumes what was saved.
    public Explorer withCheckpoints(Checkpoints newCheckpoints) {
        checkpoints = newCheckpoints;
        return this;
    }

    /// Explores the program from the beginning, or from where the checkpoint is.
    public Exploration explore() {
        start = System.nanoTime();
        pool.begin();
        failure = null;
        workers.clear();
        threads.clear();
        before = checkpoints == null ? Exploration.NOTHING : checkpoints.begin(pool);
        begun.set(before.made());
        first.begin();
        workers.add(first);
        pool.join();
        try {
            first.run(this);
        } catch (RuntimeException | Error e) {
            failed(e);
        } finally {
            pool.leave();
            awaitHelpers();
        }
        rethrow();
        Exploration all = soFar();
        if (checkpoints != null) {
            checkpoints.save(all, pool);
        }
        return all;
    }

    // ---- while workers work

    @Override
    public boolean mayExecute() {
        if (begun.getAndIncrement() < limits.maxExecutions()) {
            return true;
        }
        pool.stop();
        return false;
    }

    @Override
    public void executed(Worker worker) {
        long done = worker.executions() + worker.cut() + worker.superfluous() + worker.fruitless();
        boolean eager = helpAfterNanos == 0 && first.equals(worker) && threads.isEmpty();
        if (eager || done % EXECUTIONS_BETWEEN_LOOKS == 0) {
            look(worker);
        }
    }

    private synchronized void look(Worker worker) {
        worker.report();
        limits.progress().accept(soFar());
        long now = System.nanoTime();
        if (limits.stop().getAsBoolean() || now - start > limits.timeout().toNanos()) {
            pool.stop();
            return;
        }
        if (first.equals(worker)
                && threads.isEmpty()
                && helperCount > 0
                && now - start >= helpAfterNanos) {
            startHelpers();
        }
        if (checkpoints != null && checkpoints.due(now)) {
            Checkpoints saving = checkpoints;
            pool.pause(() -> saving.save(soFar(), pool));
        }
    }

    private Exploration soFar() {
        long executions = before.executions();
        long superfluous = before.superfluous();
        long fruitless = before.fruitless();
        long cut = before.cut();
        long steps = before.steps();
        double shares = before.shares();
        for (Worker worker : workers) {
            executions += worker.executions();
            superfluous += worker.superfluous();
            fruitless += worker.fruitless();
            cut += worker.cut();
            steps += worker.steps();
            shares += worker.shares();
        }
        boolean done = pool.done();
        Duration elapsed = before.elapsed().plusNanos(System.nanoTime() - start);
        return new Exploration(
                executions,
                superfluous,
                fruitless,
                cut,
                steps,
                shares,
                done && cut == 0,
                elapsed,
                Coverage.ofTree(first.depth(), done ? 1 : pool.fraction()));
    }

    // ---- helpers

    private void startHelpers() {
        for (int i = 0; i < helperCount && programs != null; i++) {
            Worker worker = pool.worker(programs.get(), limits, fingerprint);
            workers.add(worker);
            pool.join();
            Thread thread = new Thread(() -> help(worker), "interleaf-worker-" + (i + 1));
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
    }

    private void help(Worker worker) {
        try {
            worker.run(this);
        } catch (RuntimeException | Error e) {
            failed(e);
        } finally {
            pool.leave();
        }
    }

    private synchronized void failed(Throwable e) {
        failure = e;
        pool.stop();
    }

    private void awaitHelpers() {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                    pool.stop();
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void rethrow() {
        switch (failure) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new AssertionError("[interleaf internal]", failure);
        }
    }
}
