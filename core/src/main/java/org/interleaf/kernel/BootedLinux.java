// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.check.KernelNames;
import org.interleaf.check.PageLaws;
import org.interleaf.check.Sanitizers;
import org.interleaf.litmus.vocabulary.BootOptions;
import org.interleaf.litmus.vocabulary.Booted;
import org.interleaf.litmus.vocabulary.RaceCheck;
import org.interleaf.litmus.vocabulary.Vocabulary;
import org.interleaf.machine.Machine;
import org.interleaf.machine.PhysicalMemory;
import org.interleaf.machine.PhysicalMemory.Blocks;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MmStruct;
import org.interleaf.trace.Call;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Violation;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// A running model: one process, of which each P of a test is a thread on a CPU of its own.
final class BootedLinux implements Booted {
    private final Machine machine;
    private final Kernel kernel;
    private final Processes processes;
    private final KernelNames names;
    private final Sanitizers sanitizers;
    private final HeldPages held;
    private final KernelVocabulary vocabulary;
    private final PageLaws laws;
    private final KernelPicture picture;
    private final Set<String> looked = new LinkedHashSet<>();

    BootedLinux(Options config, int cpus, BootOptions options) {
        machine = new Machine(cpus);
        int bigOrder = config.arch().geometry().hpagePmdOrder();
        List<Blocks> blocks = new ArrayList<>();
        blocks.add(new Blocks(0, config.singles(), config.singles()));
        blocks.add(new Blocks(bigOrder, config.bigs(), config.bigs()));
        blocks.addAll(config.hugetlb().blocks(config.arch()));
        blocks.addAll(config.devices().blocks(config.arch()));
        PhysicalMemory memory = new PhysicalMemory(machine, options.pageWords(), blocks);
        names = new KernelNames(BootedLinux.class.getClassLoader());
        sanitizers = new Sanitizers(names, options.forRecording());
        if (options.races() != RaceCheck.NO) {
            sanitizers.watchRaces(options.races() == RaceCheck.ATOMIC_WRITES);
        }
        machine.monitor(sanitizers);
        kernel = new Kernel(machine, config.arch(), memory, config.thp());
        sanitizers.watch(kernel);
        kernel.shmem().mount(config.shmem());
        config.hugetlb().boot(kernel);
        config.devices().boot(kernel);
        if (config.swap() > 0) {
            kernel.swapfile().swapon(config.swap());
        }
        MmStruct mm = kernel.createMm("mm");
        kernel.activate(mm);
        held = new HeldPages(memory.frameCount());
        processes = new Processes(kernel, mm);
        vocabulary = new KernelVocabulary(kernel, processes, held);
        laws = new PageLaws(kernel);
        picture = new KernelPicture(kernel);
        if (options.forRecording()) {
            kernel.inspect().listen(word -> looked.add(word.name()));
            machine.onReset(looked::clear);
        }
    }

    @Override
    public Machine machine() {
        return machine;
    }

    @Override
    public Vocabulary vocabulary() {
        return vocabulary;
    }

    @Override
    public void seal() {
        machine.startDaemons();
        processes.seal();
        machine.onReset(held::clear);
        machine.seal();
        held.seal();
    }

    @Override
    public List<Violation> findings(boolean quiescent) {
        List<Violation> all = new ArrayList<>(sanitizers.findings().all());
        boolean onlyRaces = all.stream().allMatch(each -> each.kind().equals(Violation.DATA_RACE));
        if (quiescent && onlyRaces && !anyKilled()) {
            all.addAll(laws.check(held::references, held::pins));
        }
        return all;
    }

    @Override
    public String tables() {
        StringBuilder text = new StringBuilder();
        for (MmStruct mm : kernel.mms()) {
            text.append(mm).append(":\n").append(kernel.ptdump().peek(mm));
        }
        return text.toString();
    }

    private boolean anyKilled() {
        return machine.tasks().stream().anyMatch(task -> task.killed());
    }

    @Override
    public List<String> callTrace() {
        return names.callTrace().stream().map(KernelNames.Origin::function).toList();
    }

    @Override
    public List<Call> calls() {
        return names.calls();
    }

    @Override
    public List<String> source(String file) {
        return names.source(file);
    }

    @Override
    public List<Thing> picture() {
        return picture.things();
    }

    @Override
    public Set<String> looked() {
        return looked;
    }
}
