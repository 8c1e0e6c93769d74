// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// A shared pointer to objects of the model: a {@link Word} that holds their numbers.
///
/// @param <T> what it points to
public final class Ref<T extends Shared> {
    private final Machine machine;
    private final Class<T> type;
    private final Word word;

    public Ref(Machine machine, Class<T> type, @Nullable Object owner, String field, int index) {
        this(machine, type, null, owner, field, index);
    }

    /// A pointer that dies with `region`.
    public Ref(
            Machine machine,
            Class<T> type,
            @Nullable Region region,
            @Nullable Object owner,
            String field,
            int index) {
        this.machine = machine;
        this.type = type;
        this.word = machine.word(region, owner, field, index, 0);
        this.word.format(pointer -> String.valueOf(machine.heap().resolve(pointer)));
    }

    public @Nullable T read(Order order) {
        return type.cast(machine.heap().resolve(word.read(order)));
    }

    public void write(@Nullable T target, Order order) {
        word.write(target == null ? 0 : target.pointer(), order);
    }

    /// `READ_ONCE()`.
    public @Nullable T readOnce() {
        return read(Order.ONCE);
    }

    /// `WRITE_ONCE()`.
    public void writeOnce(@Nullable T target) {
        write(target, Order.ONCE);
    }

    /// An unmarked read of a pointer that the locks held say is not null.
    public T readPlainNonNull() {
        T target = read(Order.PLAIN);
        if (target == null) {
            throw new NullPointerException(word.name() + " is null");
        }
        return target;
    }

    /// The target, looked at from outside.
    public @Nullable T peek() {
        return type.cast(machine.heap().resolve(word.peek()));
    }

    /// The location of the pointer itself.
    public Word word() {
        return word;
    }
}
