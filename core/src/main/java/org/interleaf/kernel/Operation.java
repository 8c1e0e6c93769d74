// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Type;

import java.util.function.Consumer;

/// A call that tests can make.
///
/// @param inConditions whether it only looks, so that final conditions may use it
/// @param checker looks at each call before the test runs
record Operation(
        int minArgs,
        int maxArgs,
        Type returnType,
        boolean inConditions,
        Body body,
        Consumer<CallSite> checker)
        implements Callable {
    /// What the call does.
    @FunctionalInterface
    interface Body {
        long call(CallSite site, long[] args);
    }

    static Operation of(int args, Type returns, Body body) {
        return new Operation(args, args, returns, false, body, site -> {});
    }

    static Operation of(int minArgs, int maxArgs, Type returns, Body body) {
        return new Operation(minArgs, maxArgs, returns, false, body, site -> {});
    }

    /// One that only looks at the state, without an access.
    static Operation look(int args, Type returns, Body body) {
        return new Operation(args, args, returns, true, body, site -> {});
    }

    /// The same, with each call looked at before the test runs.
    Operation checkedBy(Consumer<CallSite> check) {
        return new Operation(minArgs, maxArgs, returnType, inConditions, body, check);
    }

    @Override
    public void check(CallSite site) {
        checker.accept(site);
    }

    @Override
    public long call(CallSite site, long[] args) {
        return body.call(site, args);
    }
}
