// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Accesses;
import org.interleaf.litmus.run.Arithmetic;
import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.run.Values;
import org.interleaf.litmus.run.Variable;
import org.interleaf.litmus.syntax.Expr;
import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.Names;
import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.machine.Order;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// Compiles the expressions of one process, of the init block, or of the condition.
class ExprCompiler {
    /// What registers are called in litmus tests: `r0`, `r9a`, `rc9`.
    private static final Pattern REGISTER = Pattern.compile("r[a-z]?[0-9]+[a-z]?");

    private final Unit unit;
    private final Registers registers;
    private final Operators operators;
    private final Assignments assignments;
    private final String whose;

    /// @param whose what the expressions belong to, for messages, as in `P0`
    ExprCompiler(Unit unit, Registers registers, String whose) {
        this.unit = unit;
        this.registers = registers;
        this.operators = new Operators(unit);
        this.assignments = new Assignments(this);
        this.whose = whose;
    }

    final Unit unit() {
        return unit;
    }

    final Operators operators() {
        return operators;
    }

    final Registers registers() {
        return registers;
    }

    /// Compiles an expression for its value, which may be none.
    Typed value(Expr expr) {
        return switch (expr) {
            case Expr.IntConst e -> Typed.constant(e.value(), typeOf(e));
            case Expr.StringConst e ->
                    throw unit.error(
                            e.pos(), "a string can stand here only as an argument", "remove it");
            case Expr.Name e -> name(e);
            case Expr.Register e -> register(e);
            case Expr.Contents e -> load(e.pos(), contents(e));
            case Expr.Unary e -> operators.unary(e.pos(), e.op(), value(e.operand()));
            case Expr.Deref e -> load(e.pos(), deref(e));
            case Expr.AddressOf e -> address(e);
            case Expr.Index e -> load(e.pos(), index(e));
            case Expr.Binary e ->
                    operators.binary(e.pos(), e.op(), value(e.left()), value(e.right()));
            case Expr.Conditional e -> conditional(e);
            case Expr.Assign e -> assignments.assign(e);
            case Expr.Step e -> assignments.step(e);
            case Expr.Cast e -> cast(e);
            case Expr.SizeOfType e -> sizeOf(e.pos(), unit.types().resolve(e.type()), 1);
            case Expr.SizeOf e -> sizeOf(e);
            case Expr.Call e -> new CallCompiler(this, e).compile();
            case Expr.Braces e ->
                    throw unit.error(
                            e.pos(),
                            "a list in braces can only initialise an array",
                            "write int a[2] = { 1, 2 };");
        };
    }

    /// Compiles an expression that must have a value.
    final Typed operand(Expr expr) {
        Typed value = value(expr);
        if (value.type().equals(Types.VOID)) {
            throw unit.error(
                    expr.pos(),
                    "this has no value",
                    "it is a call of a function that returns nothing");
        }
        return value;
    }

    private static Type typeOf(Expr.IntConst e) {
        if (e.wide()) {
            return e.unsigned() ? Types.UNSIGNED_LONG : Types.LONG;
        }
        return e.unsigned() ? Types.UNSIGNED_INT : Types.INT;
    }

    // ---- names

    private Typed name(Expr.Name e) {
        Local local = registers.find(e.id());
        if (local != null) {
            return new Typed(new Values.Register(local.index()), local.type());
        }
        Variable variable = unit.globals().find(e.id());
        if (variable != null && canName(e.id())) {
            return variable(e, variable);
        }
        Long constant = unit.constant(e.id());
        if (constant != null) {
            boolean small = constant == (int) (long) constant;
            return Typed.constant(constant, small ? Types.INT : Types.LONG);
        }
        if (registers.mentions(e.id()) || isNeglected(e, variable != null)) {
            return new Typed(new Values.Register(registers.undeclared(e.id()).index()), Types.LONG);
        }
        throw unknown(e, variable != null);
    }

    /// Whether this can only be a register, though nothing is ever assigned to it. herd7 reads 0
    /// there, and so do some old tests; most often it is misspelt.
    private boolean isNeglected(Expr.Name e, boolean isVariable) {
        if (isVariable || !allowsNeglected() || !REGISTER.matcher(e.id()).matches()) {
            return false;
        }
        String near = Names.nearest(e.id(), registers.names());
        unit.warn(
                e.pos(),
                "nothing is assigned to register `"
                        + e.id()
                        + "`, so it is 0"
                        + (near == null ? "" : "; did you mean `" + near + "`?"));
        return true;
    }

    /// Whether a register may be read that nothing was assigned to.
    boolean allowsNeglected() {
        return true;
    }

    /// Whether the name of a shared variable may be used for its value here.
    boolean canName(String id) {
        return unit.globals().isDeclared(id);
    }

    private Typed variable(Expr.Name e, Variable variable) {
        if (variable.isArray()) {
            return Typed.constant(variable.address(), variable.type().pointer());
        }
        if (unit.globals().isFrozen(e.id())) {
            Node frozen = new Accesses.Frozen(variable.cells().getFirst());
            return new Typed(frozen, variable.type());
        }
        return load(e.pos(), place(variable));
    }

    static Place.InMemory place(Variable variable) {
        return new Place.InMemory(new Values.Const(variable.address()), variable.type(), false);
    }

    LitmusException unknown(Expr.Name e, boolean isVariable) {
        if (isVariable) {
            return unit.error(
                    e.pos(),
                    "`" + e.id() + "` is not a parameter of " + whose,
                    "add it: " + whose + "(int *" + e.id() + ")");
        }
        if (unit.isFunction(e.id())) {
            return unit.error(
                    e.pos(), "`" + e.id() + "` is a function", "call it: " + e.id() + "(…)");
        }
        List<String> names = new ArrayList<>(registers.names());
        names.addAll(unit.globals().names());
        names.addAll(unit.constantNames());
        return unit.error(
                e.pos(),
                "unknown name `" + e.id() + "`",
                Names.hint(
                        e.id(),
                        names,
                        "declare it, or make it a parameter if it is a shared location"));
    }

    /// `1:r0`, which only conditions know.
    Typed register(Expr.Register e) {
        throw unit.error(
                e.pos(),
                "a register of a process has no value here",
                "only the condition can look at registers");
    }

    /// Refuses a call that may not be made here; `onlyLooks` says that it changes nothing.
    void checkCall(Expr.Call call, boolean onlyLooks) {}

    // ---- places

    /// Compiles an expression for the place it names.
    Place place(Expr expr) {
        return switch (expr) {
            case Expr.Name e -> placeOfName(e);
            case Expr.Contents e -> contents(e);
            case Expr.Deref e -> deref(e);
            case Expr.Index e -> index(e);
            default ->
                    throw unit.error(
                            expr.pos(),
                            "this is not a place that holds a value",
                            "a variable, `*p` or `a[i]` is one");
        };
    }

    private Place placeOfName(Expr.Name e) {
        Local local = registers.find(e.id());
        if (local != null) {
            return new Place.InRegister(local);
        }
        Variable variable = unit.globals().find(e.id());
        if (variable != null && canName(e.id())) {
            if (variable.isArray()) {
                throw unit.error(
                        e.pos(), "`" + e.id() + "` is an array", "name one of its elements");
            }
            return place(variable);
        }
        if (unit.constant(e.id()) == null && registers.mentions(e.id())) {
            return new Place.InRegister(registers.undeclared(e.id()));
        }
        throw unknown(e, variable != null);
    }

    private Place.InMemory contents(Expr.Contents e) {
        Variable variable = unit.globals().find(e.id());
        if (variable == null) {
            throw unknown(new Expr.Name(e.pos(), e.id()), false);
        }
        return place(variable);
    }

    /// `*p`.
    Place.InMemory deref(Expr.Deref e) {
        Typed pointer = operand(e.pointer());
        return pointee(
                e.pos(),
                isParameter(e.pointer())
                        ? pointer
                        : new Typed(new Accesses.Through(pointer.node()), pointer.type()));
    }

    /// Whether a pointer is known before the process begins.
    private boolean isParameter(Expr pointer) {
        Local local = pointer instanceof Expr.Name name ? registers.find(name.id()) : null;
        return local != null && local.isParameter();
    }

    /// What a pointer points to; a plain number will do, for litmus tests keep pointers in `int`.
    final Place.InMemory pointee(int pos, Typed pointer) {
        if (!(pointer.type() instanceof Type.Pointer type)) {
            return new Place.InMemory(pointer.node(), null, false);
        }
        Type target = type.target();
        if (TypeResolver.role(target) != null) {
            return new Place.InMemory(pointer.node(), null, false);
        }
        if (target.bytes() == 0) {
            throw unit.error(
                    pos,
                    "what a `" + type + "` points to cannot be read or written",
                    "cast it to a pointer to a number, or use an operation that takes it");
        }
        return new Place.InMemory(pointer.node(), target, type.toVolatile());
    }

    private Place.InMemory index(Expr.Index e) {
        Typed base = operand(e.base());
        if (!Operators.isPointer(base)) {
            throw unit.error(
                    e.pos(), "only a pointer or an array has elements", "cast it to a pointer");
        }
        Typed element = operators.offset(e.pos(), base, operand(e.index()));
        return pointee(e.pos(), element);
    }

    private Typed address(Expr.AddressOf e) {
        if (e.target() instanceof Expr.Name name) {
            Variable variable = unit.globals().find(name.id());
            if (variable != null && registers.find(name.id()) == null) {
                return Typed.constant(variable.address(), variable.type().pointer());
            }
        }
        if (place(e.target()) instanceof Place.InMemory memory) {
            Type target = memory.type() == null ? Types.VOID : memory.type();
            return new Typed(memory.address(), target.pointer());
        }
        throw unit.error(
                e.pos(),
                "a register has no address",
                "declare the variable in the init block, or pass the parameter without `&`");
    }

    // ---- reading

    /// A read of memory.
    Typed load(int pos, Place.InMemory from) {
        Order order = from.isVolatile() ? Order.ONCE : Order.PLAIN;
        return load(from, order, unit.site(pos, "load"));
    }

    /// A read of memory with a mark.
    Typed load(Place.InMemory from, Order order, CallSite site) {
        return new Typed(
                new Accesses.Load(from.address(), from.type(), order, site), from.valueType());
    }

    // ---- the rest

    private Typed conditional(Expr.Conditional e) {
        Typed condition = operand(e.condition());
        Typed then = value(e.then());
        Typed otherwise = value(e.otherwise());
        Type type = operators.choice(e.pos(), then, otherwise);
        Node choice = new Arithmetic.Choice(condition.node(), then.node(), otherwise.node());
        return new Typed(new Arithmetic.Convert(type, choice), type);
    }

    private Typed cast(Expr.Cast e) {
        Type type = unit.types().resolve(e.type());
        if (type.equals(Types.VOID)) {
            return Typed.nothing(value(e.operand()).node());
        }
        if (type instanceof Type.Opaque) {
            throw unit.error(
                    e.pos(), "there is no cast to `" + type + "`", "cast to a pointer to it");
        }
        return new Typed(new Arithmetic.Convert(type, operand(e.operand()).node()), type);
    }

    private Typed sizeOf(Expr.SizeOf e) {
        if (e.operand() instanceof Expr.Name name && registers.find(name.id()) == null) {
            Variable variable = unit.globals().find(name.id());
            if (variable != null) {
                return sizeOf(e.pos(), variable.type(), variable.cells().size());
            }
            Type type = unit.types().find(name.id());
            if (type != null) {
                return sizeOf(e.pos(), type, 1);
            }
        }
        return sizeOf(e.pos(), operand(e.operand()).type(), 1);
    }

    private Typed sizeOf(int pos, Type type, int count) {
        if (type.bytes() == 0) {
            throw unit.error(
                    pos, "the size of `" + type + "` is not known", "take that of a number");
        }
        return Typed.constant((long) type.bytes() * count, Types.UNSIGNED_LONG);
    }
}
