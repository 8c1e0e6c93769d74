// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Variable;
import org.interleaf.litmus.run.Variable.Role;
import org.interleaf.litmus.syntax.Decl;
import org.interleaf.litmus.syntax.Expr;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Param;
import org.interleaf.litmus.syntax.ProcessDef;
import org.interleaf.litmus.syntax.Stmt;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.jspecify.annotations.Nullable;

import java.util.LinkedHashSet;
import java.util.Set;

/// Finds all shared variables of a test: those that the init block declares or assigns to, those
/// that processes have as parameters, and those that are only pointed to.
final class GlobalsBuilder {
    private static final int MAX_LENGTH = 4096;
    private static final Set<String> WRITING_MACROS =
            Set.of("WRITE_ONCE", "smp_store_mb", "rcu_assign_pointer", "RCU_INIT_POINTER");

    private final LitmusTest test;
    private final Unit unit;
    private final Globals globals;
    private final Set<String> pointedTo = new LinkedHashSet<>();

    GlobalsBuilder(LitmusTest test, Unit unit) {
        this.test = test;
        this.unit = unit;
        this.globals = unit.globals();
    }

    void build() {
        test.init().forEach(this::declareFrom);
        for (ProcessDef process : test.processes()) {
            process.params().forEach(this::declareFrom);
        }
        for (String name : pointedTo) {
            if (globals.find(name) == null && unit.constant(name) == null) {
                globals.declare(0, name, Types.INT, 1, false);
            }
        }
        findExposed();
    }

    // ---- the init block

    private void declareFrom(Stmt stmt) {
        switch (stmt) {
            case Stmt.Declaration s -> s.decls().forEach(this::declareFrom);
            case Stmt.Expression s -> declareFrom(s.expr());
            case Stmt.InitRegister s -> notePointers(s.value());
            default -> {}
        }
    }

    private void declareFrom(Decl decl) {
        if (globals.find(decl.name()) != null) {
            throw unit.error(
                    decl.pos(), "`" + decl.name() + "` is declared twice", "remove one of them");
        }
        Type type = unit.types().resolve(decl.type());
        int length = decl.isArray() ? length(decl) : 1;
        globals.declare(decl.pos(), decl.name(), type, length, decl.isArray());
        globals.markDeclared(decl.name());
        noteInitializer(decl.name(), decl.initializer());
    }

    private int length(Decl decl) {
        Expr written = decl.length();
        long length;
        if (written == null) {
            length = decl.initializer() instanceof Expr.Braces b ? b.items().size() : 0;
        } else if (written instanceof Expr.IntConst constant) {
            length = constant.value();
        } else {
            Long named = written instanceof Expr.Name name ? unit.constant(name.id()) : null;
            length = named == null ? 0 : named;
        }
        if (length < 1 || length > MAX_LENGTH) {
            throw unit.error(
                    written == null ? decl.pos() : written.pos(),
                    "the length of the array must be a number from 1 to " + MAX_LENGTH,
                    "write it as a number or a constant");
        }
        return (int) length;
    }

    /// An assignment declares as well: `x = 1;`, `[x] = 1;`, `*x = y;`, or just `x;`.
    private void declareFrom(Expr expr) {
        switch (expr) {
            case Expr.Name e -> declareAssigned(e.pos(), e.id(), null);
            case Expr.Assign e when e.op() == null -> {
                if (e.target() instanceof Expr.Name name) {
                    declareAssigned(name.pos(), name.id(), e.value());
                } else if (e.target() instanceof Expr.Contents contents) {
                    declareAssigned(contents.pos(), contents.id(), e.value());
                } else if (declaresPointer(e)) {
                    Expr.Name name = (Expr.Name) ((Expr.Deref) e.target()).pointer();
                    globals.declare(name.pos(), name.id(), Types.INT.pointer(), 1, false);
                    globals.markDeclared(name.id());
                    notePointers(e.value());
                }
            }
            default -> {}
        }
    }

    /// Whether this is herd7's `*x = y`, which makes `x` a pointer to `y`.
    private boolean declaresPointer(Expr.Assign e) {
        return e.target() instanceof Expr.Deref deref
                && deref.pointer() instanceof Expr.Name name
                && globals.find(name.id()) == null;
    }

    private void declareAssigned(int pos, String id, @Nullable Expr value) {
        if (globals.find(id) == null) {
            globals.declare(pos, id, typeFromParams(id), 1, false);
        }
        globals.markDeclared(id);
        noteInitializer(id, value);
    }

    private void noteInitializer(String id, @Nullable Expr value) {
        if (value != null && !isPlain(value)) {
            globals.markC(id);
        }
        notePointers(value);
    }

    /// Whether herd7 knows this form of initial value too.
    private boolean isPlain(Expr value) {
        return switch (value) {
            case Expr.IntConst e -> true;
            case Expr.Name e -> !globals.isC(e.id());
            case Expr.AddressOf e -> true;
            case Expr.Braces e -> e.items().stream().allMatch(this::isPlain);
            case Expr.Unary e -> isPlain(e.operand());
            case Expr.Call e -> e.function().endsWith("_INIT");
            default -> false;
        };
    }

    private void notePointers(@Nullable Expr value) {
        switch (value) {
            case Expr.Name e -> pointedTo.add(e.id());
            case Expr.AddressOf e -> notePointers(e.target());
            case Expr.Braces e -> e.items().forEach(this::notePointers);
            case null, default -> {}
        }
    }

    // ---- the processes

    private void declareFrom(Param param) {
        Variable variable = globals.find(param.name());
        if (variable != null && globals.isC(param.name())) {
            return;
        }
        Type type = unit.types().resolve(param.type());
        if (!(type instanceof Type.Pointer pointer)) {
            throw unit.error(
                    param.pos(),
                    "a parameter is the address of a shared location",
                    "write `" + type + " *" + param.name() + "`");
        }
        Role role = TypeResolver.role(pointer.target());
        if (variable == null) {
            Type data = pointer.target().equals(Types.VOID) ? Types.INT : pointer.target();
            globals.declare(param.pos(), param.name(), data, 1, false);
        } else if (role != null) {
            variable.use(role);
        }
    }

    /// The type that some process gives to what the init block assigns to without a type.
    private Type typeFromParams(String id) {
        for (ProcessDef process : test.processes()) {
            for (Param param : process.params()) {
                if (param.name().equals(id)
                        && unit.types().resolve(param.type()) instanceof Type.Pointer pointer
                        && pointer.target().bytes() > 0) {
                    return pointer.target();
                }
            }
        }
        return Types.INT;
    }

    // ---- who may change what

    private void findExposed() {
        Walk walk = new Walk(this::noteChange, decl -> {});
        walk.statements(test.init().stream().filter(s -> !isAssignment(s)).toList());
        for (ProcessDef process : test.processes()) {
            walk.statement(process.body());
            for (Param param : process.params()) {
                if (!passesValue(unit, param)) {
                    globals.expose(param.name());
                }
            }
        }
    }

    /// What the init block assigns at its top level is the initial value, not a change.
    private static boolean isAssignment(Stmt stmt) {
        return stmt instanceof Stmt.Expression e && e.expr() instanceof Expr.Assign;
    }

    private void noteChange(Expr expr) {
        switch (expr) {
            case Expr.Assign e -> expose(e.target());
            case Expr.Step e -> expose(e.target());
            case Expr.AddressOf e -> expose(e.target());
            case Expr.Call e when WRITING_MACROS.contains(e.function()) && !e.args().isEmpty() ->
                    expose(e.args().getFirst());
            default -> {}
        }
    }

    private void expose(Expr target) {
        if (target instanceof Expr.Name name) {
            globals.expose(name.id());
        }
    }

    /// Whether a parameter is the value of a C variable and not the address of a location: `char
    /// *a` where the init block has `char *a = mmap(…)`.
    static boolean passesValue(Unit unit, Param param) {
        Variable variable = unit.globals().find(param.name());
        if (variable == null || !unit.globals().isC(param.name())) {
            return false;
        }
        Type type = unit.types().resolve(param.type());
        return !(type instanceof Type.Pointer pointer && pointer.target().equals(variable.type()));
    }
}
