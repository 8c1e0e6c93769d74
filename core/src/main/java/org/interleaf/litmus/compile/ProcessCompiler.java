// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.compile.CompiledProcess.Argument;
import org.interleaf.litmus.run.Code;
import org.interleaf.litmus.run.Context;
import org.interleaf.litmus.run.Frame;
import org.interleaf.litmus.run.Variable;
import org.interleaf.litmus.syntax.Expr;
import org.interleaf.litmus.syntax.Param;
import org.interleaf.litmus.syntax.ProcessDef;
import org.interleaf.litmus.syntax.Stmt;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// Compiles one process.
final class ProcessCompiler {
    private final Unit unit;
    private final ProcessDef process;
    private final Registers registers;
    private final List<Argument> byValue = new ArrayList<>();
    private final Map<Local, Long> addresses = new LinkedHashMap<>();

    ProcessCompiler(Unit unit, ProcessDef process) {
        this.unit = unit;
        this.process = process;
        this.registers = new Registers(mentioned(process));
    }

    CompiledProcess compile(Context context, List<Stmt> init) {
        process.params().forEach(this::declare);
        init.forEach(this::declareRegister);
        String name = "P" + process.index();
        ExprCompiler expressions = new ExprCompiler(unit, registers, name);
        Code body = new StmtCompiler(expressions).compile(process.body());
        Frame frame = new Frame(context, process.index(), registers.count());
        addresses.forEach((local, address) -> frame.initialize(local.index(), address));
        return new CompiledProcess(name, registers, frame, body, List.copyOf(byValue));
    }

    private void declare(Param param) {
        Local earlier = registers.find(param.name());
        if (earlier != null) {
            throw unit.error(param.pos(), "a second parameter `" + param.name() + "`", "remove it");
        }
        Local local = registers.parameter(param.name(), unit.types().resolve(param.type()));
        Variable variable = Objects.requireNonNull(unit.globals().find(param.name()));
        if (GlobalsBuilder.passesValue(unit, param)) {
            byValue.add(new Argument(local, variable.cells().getFirst()));
        } else {
            addresses.put(local, variable.address());
        }
    }

    /// `int 0:r1 = x;` in the init block makes a register of this process.
    private void declareRegister(Stmt stmt) {
        if (stmt instanceof Stmt.InitRegister s
                && s.process() == process.index()
                && registers.find(s.register()) == null) {
            if (s.type() == null) {
                registers.undeclared(s.register());
            } else {
                registers.declare(s.register(), unit.types().resolve(s.type()));
            }
        }
    }

    /// The names that the process declares, assigns to or, in `try_cmpxchg(p, &old, new)`, updates.
    private static Set<String> mentioned(ProcessDef process) {
        Set<String> names = new LinkedHashSet<>();
        Walk walk =
                new Walk(
                        expr -> {
                            if (expr instanceof Expr.Assign assign
                                    && assign.target() instanceof Expr.Name name) {
                                names.add(name.id());
                            }
                        },
                        decl -> names.add(decl.name()));
        walk.statement(process.body());
        return names;
    }
}
