// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// A 64-bit location that several tasks can reach. Each method that touches the value is exactly
/// one visible access, and so one scheduling point: between the call and the access any other task
/// may run.
///
/// A word may belong to a {@link Region}, an object that can be freed; each access then also
/// depends on whether the region is alive.
public final class Word {
    final Machine machine;
    private final int id;
    @Nullable Region region;
    private @Nullable Object owner;
    private String field;
    private int index;

    private ValueFormat format = ValueFormat.DECIMAL;
    long value;

    /// The task that made the last access; for {@link Rounds}.
    int toucher;

    /// The execution in which the word was last journaled, see {@link Machine#journal}.
    int epoch;

    Word(Machine machine, int id) {
        this.machine = machine;
        this.id = id;
        this.field = "word " + id;
        this.index = -1;
    }

    /// Makes this the location of another object: words made by running tasks are used again in the
    /// next execution.
    void become(
            @Nullable Region newRegion, @Nullable Object newOwner, String newField, int newIndex) {
        region = newRegion;
        owner = newOwner;
        field = newField;
        index = newIndex;
        format = ValueFormat.DECIMAL;
    }

    /// Small dense number of this location; the same in every execution.
    public int id() {
        return id;
    }

    /// Says how values of this word are written in traces.
    public Word format(ValueFormat newFormat) {
        format = newFormat;
        return this;
    }

    /// `value` as a trace shows it.
    public String show(long value) {
        return format.show(value);
    }

    /// An owner that has names of its own for its fields.
    public interface FieldNames {
        /// What a trace calls `field`, or its element `index` where that is not -1.
        String fieldName(String field, int index);
    }

    /// The name in traces, such as `folio 3.refcount` or `pte[2] of table 7`.
    public String name() {
        if (owner instanceof FieldNames names) {
            return names.fieldName(field, index);
        }
        String self = index < 0 ? field : field + "[" + index + "]";
        return owner == null ? self : owner + "." + self;
    }

    /// The object that the word is a field of, null for a free-standing variable.
    public @Nullable Object owner() {
        return owner;
    }

    /// Which element of its owner's field the word is; -1 where the field is a single one.
    public int index() {
        return index;
    }

    /// The object whose life bounds the word's, null where that is the machine's.
    public @Nullable Region region() {
        return region;
    }

    /// The value, looked at from outside: no access, no scheduling point. For final states and
    /// traces, never for model code.
    public long peek() {
        return value;
    }

    /// Changes the value from outside or where another access of the same step already ordered it:
    /// no access, no scheduling point.
    public void poke(long newValue) {
        machine.journal(this);
        value = newValue;
    }

    public long read(Order order) {
        return machine.access(this, Op.LOAD, order, 0, 0);
    }

    public void write(long newValue, Order order) {
        machine.access(this, Op.STORE, order, newValue, 0);
    }

    /// `READ_ONCE()`.
    public long readOnce() {
        return read(Order.ONCE);
    }

    /// `WRITE_ONCE()`.
    public void writeOnce(long newValue) {
        write(newValue, Order.ONCE);
    }

    /// An unmarked read.
    public long readPlain() {
        return read(Order.PLAIN);
    }

    /// An unmarked write.
    public void writePlain(long newValue) {
        write(newValue, Order.PLAIN);
    }

    /// `smp_load_acquire()`.
    public long loadAcquire() {
        return read(Order.ACQUIRE);
    }

    /// `smp_store_release()`.
    public void storeRelease(long newValue) {
        write(newValue, Order.RELEASE);
    }

    /// `xchg()`; returns the value before.
    public long xchg(long newValue, Order order) {
        return machine.access(this, Op.XCHG, order, newValue, 0);
    }

    /// A store of `bits` that leaves the bits outside of `mask` alone, as one narrower than the
    /// word.
    public void storeBits(long mask, long bits, Order order) {
        machine.access(this, Op.STORE_BITS, order, mask, bits);
    }

    /// `xchg()` of the bits under `mask`, as of one narrower than the word; returns the whole value
    /// before.
    public long xchgBits(long mask, long bits, Order order) {
        return machine.access(this, Op.STORE_BITS, order, mask, bits);
    }

    /// `cmpxchg()`; returns the value before, equal to `expected` exactly when it was replaced.
    public long cmpxchg(long expected, long newValue, Order order) {
        return machine.access(this, Op.CMPXCHG, order, expected, newValue);
    }

    /// `atomic_fetch_add()`; returns the value before.
    public long fetchAdd(long delta, Order order) {
        return machine.access(this, Op.ADD, order, delta, 0);
    }

    /// The same in a word that holds a narrower number.
    ///
    /// @param lacking how many bits are missing at the top, negative for an unsigned number
    public long fetchAdd(long delta, int lacking, Order order) {
        return machine.access(this, Op.ADD, order, delta, lacking);
    }

    /// `atomic_fetch_and()`; returns the value before.
    public long fetchAnd(long mask, Order order) {
        return machine.access(this, Op.AND, order, mask, 0);
    }

    /// `atomic_fetch_or()`; returns the value before.
    public long fetchOr(long mask, Order order) {
        return machine.access(this, Op.OR, order, mask, 0);
    }

    /// `atomic_fetch_xor()`; returns the value before.
    public long fetchXor(long mask, Order order) {
        return machine.access(this, Op.XOR, order, mask, 0);
    }

    /// `atomic_add()`: as {@link #fetchAdd} where nobody uses the value before. Only such updates
    /// commute with each other, so use them wherever the kernel does.
    public void add(long delta, Order order) {
        machine.access(this, Op.UPDATE_ADD, order, delta, 0);
    }

    /// The same in a word that holds a narrower number.
    ///
    /// @param lacking how many bits are missing at the top, negative for an unsigned number
    public void add(long delta, int lacking, Order order) {
        machine.access(this, Op.UPDATE_ADD, order, delta, lacking);
    }

    /// `atomic_and()`: as {@link #fetchAnd} where nobody uses the value before.
    public void and(long mask, Order order) {
        machine.access(this, Op.UPDATE_AND, order, mask, 0);
    }

    /// `atomic_or()`: as {@link #fetchOr} where nobody uses the value before.
    public void or(long mask, Order order) {
        machine.access(this, Op.UPDATE_OR, order, mask, 0);
    }

    /// `atomic_xor()`: as {@link #fetchXor} where nobody uses the value before.
    public void xor(long mask, Order order) {
        machine.access(this, Op.UPDATE_XOR, order, mask, 0);
    }

    /// `atomic_fetch_add_unless()`; returns the value before, equal to `unless` exactly when
    /// nothing was added.
    public long addUnless(long delta, long unless, Order order) {
        return machine.access(this, Op.ADD_UNLESS, order, delta, unless);
    }

    /// The same in a word that holds a C `int`, whose sums wrap around.
    public long addUnlessInt(long delta, long unless, Order order) {
        return machine.access(this, Op.ADD_UNLESS_INT, order, delta, unless);
    }

    /// What became of {@link #enter}.
    public enum Entered {
        IN,
        /// The count is 0: there is nothing any more that one could be in.
        NOTHING,
        /// Somebody keeps others out.
        EXCLUDED
    }

    /// `__refcount_inc_not_zero_limited_acquire()`: one more, unless the value is 0 or has a bit of
    /// `excluded`.
    public Entered enter(long excluded, Order order) {
        long before = machine.access(this, Op.ENTER, order, excluded, 1);
        if (before == 0) {
            return Entered.NOTHING;
        }
        return (before & excluded) == 0 ? Entered.IN : Entered.EXCLUDED;
    }

    /// Waits until the bits under `mask` equal `wanted`; returns the value then seen.
    public long await(long mask, long wanted) {
        return machine.access(this, Op.AWAIT, Order.LOCK, mask, wanted);
    }

    /// Waits until the bits under `mask` differ from `unwanted`; returns the value then seen.
    public long awaitNot(long mask, long unwanted) {
        return machine.access(this, Op.AWAIT_NOT, Order.LOCK, mask, unwanted);
    }

    @Override
    public String toString() {
        return name() + "=" + show(value);
    }
}
