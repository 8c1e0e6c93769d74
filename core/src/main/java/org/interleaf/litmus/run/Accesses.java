// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.litmus.vocabulary.UserMemory;
import org.interleaf.machine.Annotation;
import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

/// The nodes that touch memory by its address: a shared variable of the test, or else user memory.
///
/// Where `type` is null the address is a plain number, as plain litmus tests keep them; the
/// location says what type it has.
public final class Accesses {
    private Accesses() {}

    /// An address that the process has read from memory or computed: whatever it is used for comes
    /// after that.
    public record Through(Node pointer) implements Node {
        @Override
        public long eval(Frame frame) {
            long at = pointer.eval(frame);
            frame.machine().annotate(Annotation.THROUGH_POINTER);
            return at;
        }
    }

    /// A load.
    public record Load(Node address, @Nullable Type type, Order order, CallSite site)
            implements Node {
        @Override
        public long eval(Frame frame) {
            long at = address.eval(frame);
            Cell cell = frame.context().memory().cell(at);
            if (cell == null) {
                Type wanted = type == null ? Types.INT : type;
                UserMemory user = userMemory(frame, at, site);
                return wanted.convert(user.load(site, at, wanted.bytes()));
            }
            long value = cell.word().read(order);
            return typeOf(type, cell).convert(value);
        }
    }

    /// A store; yields the value that was stored.
    public record Store(Node address, @Nullable Type type, Node value, Order order, CallSite site)
            implements Node {
        @Override
        public long eval(Frame frame) {
            long at = address.eval(frame);
            long stored = value.eval(frame);
            Cell cell = frame.context().memory().cell(at);
            if (cell == null) {
                Type wanted = type == null ? Types.INT : type;
                stored = wanted.convert(stored);
                userMemory(frame, at, site).store(site, at, wanted.bytes(), stored);
                return stored;
            }
            stored = typeOf(type, cell).convert(stored);
            frame.did();
            cell.word().write(cell.type().convert(stored), order);
            return stored;
        }
    }

    /// What memory holds when all has ended.
    public record Peek(Node address, @Nullable Type type, CallSite site) implements Node {
        @Override
        public long eval(Frame frame) {
            long at = address.eval(frame);
            Cell cell = frame.context().memory().cell(at);
            if (cell != null) {
                return Srcu.shown(typeOf(type, cell).convert(cell.word().peek()));
            }
            UserMemory user = frame.context().userMemory();
            Type wanted = type == null ? Types.INT : type;
            return user == null ? 0 : wanted.convert(user.peek(site, at, wanted.bytes()));
        }
    }

    /// What a variable that no process ever changes holds; no access.
    public record Frozen(Cell cell) implements Node {
        @Override
        public long eval(Frame frame) {
            return cell.type().convert(cell.word().peek());
        }
    }

    /// Sets a variable before anything runs; no access.
    public record Initialize(Cell cell, Node value) implements Node {
        @Override
        public long eval(Frame frame) {
            long stored = cell.type().convert(value.eval(frame));
            cell.word().poke(stored);
            return stored;
        }
    }

    static Type typeOf(@Nullable Type type, Cell cell) {
        return type == null ? cell.type() : type;
    }

    /// How many bits the numbers at `cell` lack at the top of a word, see {@link Type.Int#lacking}.
    static int lacking(Cell cell) {
        return cell.type() instanceof Type.Int number ? number.lacking() : 0;
    }

    /// The location at an address that an atomic operation is made on.
    static Cell atomicCell(Frame frame, long at, CallSite site) {
        Cell cell = frame.context().memory().cell(at);
        if (cell != null) {
            return cell;
        }
        userMemory(frame, at, site);
        throw frame.fatal(site, "BUG", "atomic operation on user memory");
    }

    private static UserMemory userMemory(Frame frame, long at, CallSite site) {
        frame.did();
        UserMemory user = frame.context().userMemory();
        if (user != null && !frame.context().memory().owns(at)) {
            return user;
        }
        String address = String.format("%016x", at);
        if (frame.context().memory().owns(at)) {
            throw frame.fatal(site, "BUG", "out-of-bounds access, address: " + address);
        }
        boolean isNull = at >= 0 && at < 4096;
        throw frame.fatal(
                site,
                "BUG",
                isNull
                        ? "kernel NULL pointer dereference, address: " + address
                        : "unable to handle page fault for address: " + address);
    }
}
