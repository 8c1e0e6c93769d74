// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Code;
import org.interleaf.litmus.run.Context;
import org.interleaf.litmus.run.Frame;
import org.interleaf.litmus.run.Observable;
import org.interleaf.litmus.run.SharedMemory;
import org.interleaf.litmus.syntax.Expr;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.ProcessDef;
import org.interleaf.litmus.syntax.Prop;
import org.interleaf.litmus.vocabulary.Vocabulary;
import org.interleaf.machine.Machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Compiles a whole test for one machine.
public final class TestCompiler {
    private final LitmusTest test;
    private final Vocabulary vocabulary;
    private final Context context;
    private final Unit unit;

    private TestCompiler(LitmusTest test, Machine machine, Vocabulary vocabulary) {
        this.test = test;
        this.vocabulary = vocabulary;
        SharedMemory memory = new SharedMemory();
        this.context = new Context(machine, memory, vocabulary.userMemory());
        this.unit =
                new Unit(
                        test.source(),
                        vocabulary,
                        new TypeResolver(test.source(), vocabulary),
                        new Globals(test.source(), memory),
                        new ArrayList<>());
    }

    /// Compiles `test` for `machine`, which runs nothing of it yet.
    public static CompiledTest compile(LitmusTest test, Machine machine, Vocabulary vocabulary) {
        return new TestCompiler(test, machine, vocabulary).compile();
    }

    private CompiledTest compile() {
        new GlobalsBuilder(test, unit).build();
        List<CompiledProcess> processes = new ArrayList<>();
        for (ProcessDef process : test.processes()) {
            processes.add(new ProcessCompiler(unit, process).compile(context, test.init()));
        }
        Registers registers = new Registers(Set.of());
        Code init = new InitCompiler(unit, registers, processes).compile(test.init());
        Frame initFrame = new Frame(context, -1, registers.count());
        ConditionCompiler conditions = new ConditionCompiler(unit, processes);
        Prop filter = test.filter();
        return new CompiledTest(
                context,
                vocabulary,
                init,
                initFrame,
                List.copyOf(processes),
                filter == null ? frame -> 1 : conditions.proposition(filter),
                conditions.proposition(test.condition().prop()),
                observables(conditions),
                List.copyOf(unit.warnings()));
    }

    private List<Observable> observables(ConditionCompiler conditions) {
        Observer observer = new Observer(unit, conditions);
        observer.addFrom(test.condition().prop());
        for (Expr location : test.locations()) {
            observer.addLocation(location);
        }
        return observer.observables();
    }
}
