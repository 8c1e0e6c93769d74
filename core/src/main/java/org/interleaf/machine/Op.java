// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// What one visible access does to its word, as data: with the word's value and the operands `a`
/// and `b` an operation says whether it may run now, whether it writes, and what it leaves there.
///
/// That operations are data and not code is what lets the explorer ask "would this compare-and-swap
/// still have written if it had come first?", which partial order reduction needs.
///
/// An operation that finds nothing to write (a failed `cmpxchg`, a failed trylock) is a load.
public enum Op {
    LOAD,
    /// Stores `a`.
    STORE,
    /// Stores `a`.
    XCHG,
    /// Stores `b` in the bits of the mask `a`, as a store that is narrower than the word does.
    STORE_BITS,
    /// Adds `a`. A word that holds a narrower number lacks `|b|` bits at the top: the sum is cut to
    /// the others and extended again, by its sign where `b` is positive and by 0 where negative.
    ADD,
    /// Keeps the bits of `a`.
    AND,
    /// Sets the bits of `a`.
    OR,
    /// Flips the bits of `a`.
    XOR,
    /// Stores `b` where the value is `a`.
    CMPXCHG,
    /// Adds `a` unless the value is `b`.
    ADD_UNLESS,
    /// The same in a word that holds a C `int`, whose sums wrap around.
    ADD_UNLESS_INT,
    /// Adds `b` unless the value is 0 or some bit of the mask `a` is set: `b` more are in, if
    /// anybody is and nobody keeps them out. Adding never comes to those bits, and nobody looks at
    /// what else was there, so it makes no difference which of two such operations comes first.
    ENTER,
    /// Adds `b` where all bits of the mask `a` are clear: a trylock.
    TRY,
    /// Where the bits of mask `a` are clear adds the low half of `b`, else its high half: take the
    /// lock, or announce that one waits for it.
    TAKE_OR_QUEUE,
    /// As {@link #ADD}; nobody looks at what was there, so it makes no difference which of two such
    /// operations comes first. The same goes for the next three.
    UPDATE_ADD,
    /// Keeps the bits of `a`.
    UPDATE_AND,
    /// Sets the bits of `a`.
    UPDATE_OR,
    /// Flips the bits of `a`.
    UPDATE_XOR,
    /// Adds `b` where all bits of the mask `a` are clear: the trylock of one reader among others.
    /// They add and subtract beside those bits, so it makes no difference which of two such
    /// operations, or of the other `_SHARED` ones, comes first.
    TRY_SHARED,
    /// Adds `a`: one reader less.
    UNLOCK_SHARED,
    /// Waits until all bits of the mask `a` are clear, then adds `b`: a lock.
    LOCK,
    /// The same for one reader among others.
    LOCK_SHARED,
    /// Waits until some bit of the mask `a` is set, then clears the mask: takes what is pending.
    TAKE_PENDING,
    /// Waits until the bits under mask `a` equal `b`.
    AWAIT,
    /// Waits until the bits under mask `a` differ from `b`.
    AWAIT_NOT;

    /// Whether the operation can be blocked at all.
    public boolean waits() {
        return ordinal() >= LOCK.ordinal();
    }

    /// Whether the operation changes a word in a way that does not depend on the word, and tells
    /// nobody what it found. It commutes with others of its kind.
    public boolean isUpdate() {
        return ordinal() >= UPDATE_ADD.ordinal() && ordinal() <= UPDATE_XOR.ordinal()
                || this == UNLOCK_SHARED
                || this == LOCK_SHARED;
    }

    /// Whether the operation is that of one reader among others; these commute with each other.
    public boolean isShared() {
        return this == TRY_SHARED || this == UNLOCK_SHARED || this == LOCK_SHARED;
    }

    /// Whether the operation commutes with some others that write.
    public boolean commutes() {
        return isUpdate() || isShared() || this == ENTER;
    }

    /// Whether the operation may run on a word that holds `value`.
    public boolean enabled(long value, long a, long b) {
        return switch (this) {
            case LOCK, LOCK_SHARED -> (value & a) == 0;
            case TAKE_PENDING -> (value & a) != 0;
            case AWAIT -> (value & a) == b;
            case AWAIT_NOT -> (value & a) != b;
            default -> true;
        };
    }

    /// Whether the operation writes to a word that holds `value`.
    public boolean writes(long value, long a, long b) {
        return switch (this) {
            case LOAD, AWAIT, AWAIT_NOT -> false;
            case CMPXCHG -> value == a;
            case ADD_UNLESS, ADD_UNLESS_INT -> value != b;
            case ENTER -> value != 0 && (value & a) == 0;
            case TRY, TRY_SHARED -> (value & a) == 0;
            default -> true;
        };
    }

    /// What the operation leaves in a word that holds `value`, provided that it writes.
    public long result(long value, long a, long b) {
        return switch (this) {
            case LOAD, AWAIT, AWAIT_NOT -> value;
            case STORE, XCHG -> a;
            case STORE_BITS -> (value & ~a) | b;
            case ADD, UPDATE_ADD -> fit(value + a, b);
            case ADD_UNLESS, UNLOCK_SHARED -> value + a;
            case ADD_UNLESS_INT -> (int) (value + a);
            case AND, UPDATE_AND -> value & a;
            case OR, UPDATE_OR -> value | a;
            case XOR, UPDATE_XOR -> value ^ a;
            case CMPXCHG -> b;
            case TRY, TRY_SHARED, ENTER, LOCK, LOCK_SHARED -> value + b;
            case TAKE_OR_QUEUE -> value + ((value & a) == 0 ? (int) b : b >> 32);
            case TAKE_PENDING -> value & ~a;
        };
    }

    /// `value` without the bits that a word lacks, see {@link #ADD}.
    private static long fit(long value, long lacking) {
        return lacking >= 0 ? value << lacking >> lacking : value << -lacking >>> -lacking;
    }
}
