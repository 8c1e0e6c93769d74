// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.mm.Errno;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MmStruct;
import org.interleaf.mm.UffdEvents;
import org.interleaf.mm.UffdMfill;
import org.interleaf.mm.UffdMove;
import org.interleaf.mm.UffdProtect;
import org.interleaf.mm.Userfaultfd;
import org.interleaf.mm.UserfaultfdCtx;

import java.util.Map;
import java.util.function.ToLongFunction;

/// userfaultfd(2) and its requests.
final class UserfaultfdCalls {
    static final int O_NONBLOCK = 0x800;

    private final Kernel kernel;
    private final Processes processes;

    private UserfaultfdCalls(Kernel kernel, Processes processes) {
        this.kernel = kernel;
        this.processes = processes;
    }

    static void addTo(Map<String, Callable> functions, Kernel kernel, Processes processes) {
        UserfaultfdCalls calls = new UserfaultfdCalls(kernel, processes);
        functions.put("userfaultfd", Operation.of(1, 2, Types.LONG, calls::create));
        functions.put("uffdio_register", Operation.of(4, Types.INT, calls::register));
        functions.put("uffdio_unregister", Operation.of(3, Types.INT, calls::unregister));
        functions.put("uffdio_copy", Operation.of(4, 5, Types.INT, calls::copy));
        functions.put("uffdio_zeropage", Operation.of(3, 4, Types.INT, calls::zeropage));
        functions.put("uffdio_continue", Operation.of(3, 4, Types.INT, calls::continueMinor));
        functions.put("uffdio_poison", Operation.of(3, 4, Types.INT, calls::poison));
        functions.put("uffdio_writeprotect", Operation.of(4, Types.INT, calls::writeprotect));
        functions.put("uffdio_move", Operation.of(5, Types.INT, calls::move));
        functions.put("uffd_close", Operation.of(1, Types.INT, calls::close));
        functions.put("uffdio_wake", Operation.of(3, Types.INT, calls::wake));
        functions.put("uffd_read", Operation.of(1, Types.LONG, calls::read));
    }

    static void addConstants(Map<String, Long> map) {
        map.put("O_NONBLOCK", (long) O_NONBLOCK);
        map.put("UFFDIO_REGISTER_MODE_MISSING", (long) Userfaultfd.MODE_MISSING);
        map.put("UFFDIO_REGISTER_MODE_WP", (long) Userfaultfd.MODE_WP);
        map.put("UFFDIO_REGISTER_MODE_MINOR", (long) Userfaultfd.MODE_MINOR);
        map.put("UFFDIO_COPY_MODE_DONTWAKE", (long) UffdMfill.MODE_DONTWAKE);
        map.put("UFFDIO_COPY_MODE_WP", (long) UffdMfill.MODE_WP);
        map.put("UFFDIO_ZEROPAGE_MODE_DONTWAKE", (long) UffdMfill.MODE_DONTWAKE);
        map.put("UFFDIO_CONTINUE_MODE_WP", (long) UffdMfill.MODE_WP);
        map.put("UFFDIO_CONTINUE_MODE_DONTWAKE", (long) UffdMfill.MODE_DONTWAKE);
        map.put("UFFDIO_MOVE_MODE_DONTWAKE", (long) UffdMove.MODE_DONTWAKE);
        map.put("UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES", (long) UffdMove.MODE_ALLOW_SRC_HOLES);
        map.put("UFFD_FEATURE_EVENT_FORK", Userfaultfd.FEATURE_EVENT_FORK);
        map.put("UFFD_FEATURE_EVENT_REMAP", Userfaultfd.FEATURE_EVENT_REMAP);
        map.put("UFFD_FEATURE_EVENT_REMOVE", Userfaultfd.FEATURE_EVENT_REMOVE);
        map.put("UFFD_FEATURE_EVENT_UNMAP", Userfaultfd.FEATURE_EVENT_UNMAP);
        map.put("UFFDIO_WRITEPROTECT_MODE_WP", (long) UffdProtect.MODE_WP);
        map.put("UFFDIO_WRITEPROTECT_MODE_DONTWAKE", (long) UffdProtect.MODE_DONTWAKE);
        map.put("UFFD_PAGEFAULT_FLAG_WP", (long) Userfaultfd.FLAG_WP);
        map.put("UFFD_FEATURE_WP_UNPOPULATED", Userfaultfd.FEATURE_WP_UNPOPULATED);
        map.put("UFFD_FEATURE_WP_ASYNC", Userfaultfd.FEATURE_WP_ASYNC);
        map.put("UFFD_FEATURE_SIGBUS", Userfaultfd.FEATURE_SIGBUS);
        map.put("UFFD_EVENT_FORK", (long) UffdEvents.EVENT_FORK);
        map.put("UFFD_EVENT_REMAP", (long) UffdEvents.EVENT_REMAP);
        map.put("UFFD_EVENT_REMOVE", (long) UffdEvents.EVENT_REMOVE);
        map.put("UFFD_EVENT_UNMAP", (long) UffdEvents.EVENT_UNMAP);
        map.put("UFFD_PAGEFAULT_FLAG_WRITE", (long) Userfaultfd.FLAG_WRITE);
        map.put("UFFD_PAGEFAULT_FLAG_MINOR", (long) Userfaultfd.FLAG_MINOR);
    }

    private UserfaultfdCtx ctx(long number) {
        if (kernel.machine().heap().resolve(number) instanceof UserfaultfdCtx ctx) {
            return ctx;
        }
        throw new IllegalArgumentException(number + " is no userfaultfd");
    }

    /// A request to the descriptor `number`, which stays while it is under way; -EBADF where it is
    /// closed.
    private long with(long number, ToLongFunction<UserfaultfdCtx> request) {
        UserfaultfdCtx ctx = ctx(number);
        if (!kernel.userfaultfd().fdget(ctx)) {
            return -Errno.EBADF;
        }
        long ret = request.applyAsLong(ctx);
        kernel.userfaultfd().fdput(ctx);
        return ret;
    }

    /// `userfaultfd(flags[, features])`: 0 or `O_NONBLOCK`, and `UFFD_FEATURE_…`.
    private long create(CallSite site, long[] args) {
        long features = site.strings().size() > 1 ? args[1] : 0;
        boolean nonblock = (args[0] & O_NONBLOCK) != 0;
        UserfaultfdCtx ctx = kernel.userfaultfd().create(processes.mm(), nonblock, features);
        return ctx == null ? -Errno.EINVAL : ctx.pointer();
    }

    private long register(CallSite site, long[] args) {
        return with(
                args[0],
                ctx -> kernel.userfaultfd().register(ctx, args[1], args[2], (int) args[3]));
    }

    private long copy(CallSite site, long[] args) {
        MmStruct current = processes.mm();
        int mode = site.strings().size() > 4 ? (int) args[4] : 0;
        return with(
                args[0],
                ctx -> kernel.uffdMfill().copy(ctx, current, args[1], args[2], args[3], mode));
    }

    private long continueMinor(CallSite site, long[] args) {
        int mode = site.strings().size() > 3 ? (int) args[3] : 0;
        return with(args[0], ctx -> kernel.uffdMfill().continueMinor(ctx, args[1], args[2], mode));
    }

    private long zeropage(CallSite site, long[] args) {
        int mode = site.strings().size() > 3 ? (int) args[3] : 0;
        return with(args[0], ctx -> kernel.uffdMfill().zeropage(ctx, args[1], args[2], mode));
    }

    /// `uffdio_move(uffd, to, from, length, mode)`.
    private long move(CallSite site, long[] args) {
        MmStruct current = processes.mm();
        int mode = (int) args[4];
        return with(
                args[0],
                ctx -> kernel.uffdMove().move(ctx, current, args[1], args[2], args[3], mode));
    }

    /// `uffdio_writeprotect(uffd, address, length, mode)`.
    private long writeprotect(CallSite site, long[] args) {
        return with(
                args[0],
                ctx -> kernel.uffdProtect().writeprotect(ctx, args[1], args[2], (int) args[3]));
    }

    private long unregister(CallSite site, long[] args) {
        return with(args[0], ctx -> kernel.userfaultfd().unregister(ctx, args[1], args[2]));
    }

    private long close(CallSite site, long[] args) {
        return kernel.userfaultfd().close(ctx(args[0]));
    }

    private long poison(CallSite site, long[] args) {
        int mode = site.strings().size() > 3 ? (int) args[3] : 0;
        return with(args[0], ctx -> kernel.uffdMfill().poison(ctx, args[1], args[2], mode));
    }

    private long wake(CallSite site, long[] args) {
        return with(
                args[0],
                ctx -> {
                    kernel.uffdQueues().wake(ctx, args[1], args[2]);
                    return 0;
                });
    }

    /// `uffd_read(uffd)`: address and flags of a fault that waits, or an event and its address; of
    /// a fork the userfaultfd of the child, 8 bits up.
    private long read(CallSite site, long[] args) {
        return kernel.uffdQueues().read(ctx(args[0]));
    }
}
