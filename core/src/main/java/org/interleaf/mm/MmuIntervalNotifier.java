// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Region;
import org.interleaf.machine.Shared;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.function.Consumer;

/// `struct mmu_interval_notifier` (include/linux/mmu_notifier.h): somebody who keeps translations
/// of a part of an address space.
public final class MmuIntervalNotifier extends Shared {
    private final MmStruct mm;
    private final long start;
    private final long last;
    private final Ops ops;

    /// Always odd. Equal to that of the {@link MmuNotifierSubscriptions} while the interval is
    /// being invalidated. Written under the driver's lock.
    final Word invalidateSeq;

    /// `struct mmu_interval_notifier_ops`.
    public interface Ops {
        /// Entries of the range are about to change. Takes the driver's lock, {@link
        /// MmuNotifier#mmuIntervalSetSeq sets} the interval's count to `seq`, and takes away
        /// translations of the range. False where that would have to sleep and must not.
        boolean invalidate(MmuIntervalNotifier sub, MmuNotifierRange range, long seq);

        /// The translations, where it is a device that has some; looked at from outside.
        default @Nullable DmirrorPt peekMirror() {
            return null;
        }
    }

    /// Operations in two passes, `invalidate_start` and `invalidate_finish`: so that several
    /// devices can be at work at once.
    public interface TwoPassOps extends Ops {
        /// As {@link Ops#invalidate}, but for what takes long.
        ///
        /// @param finish takes what is left to do once all others have begun; not called where
        ///   nothing is
        boolean invalidateStart(
                MmuIntervalNotifier sub,
                MmuNotifierRange range,
                long seq,
                Consumer<Runnable> finish);
    }

    /// @param region with which the object is freed; null where it never is
    /// @param length in bytes, not 0, up to the end of the addresses at most
    MmuIntervalNotifier(
            Machine machine,
            @Nullable Region region,
            MmStruct mm,
            long start,
            long length,
            Ops ops) {
        super(machine);
        this.mm = mm;
        this.start = start;
        this.last = start + length - 1;
        this.ops = ops;
        invalidateSeq = machine.word(region, this, "invalidate_seq", -1, 0);
    }

    MmStruct mm() {
        return mm;
    }

    long start() {
        return start;
    }

    long last() {
        return last;
    }

    Ops ops() {
        return ops;
    }

    @Override
    public String toString() {
        return "interval_notifier " + pointer();
    }
}
