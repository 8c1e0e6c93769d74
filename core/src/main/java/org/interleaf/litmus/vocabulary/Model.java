// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.vocabulary;

import org.interleaf.litmus.syntax.LitmusTest;

/// A kernel that tests can run on. It is loaded by name, since the model may have been patched and
/// compiled anew just before.
public interface Model {
    /// Boots a machine with a CPU for each process of `test` as its configuration says.
    ///
    /// @throws org.interleaf.litmus.syntax.LitmusException if the configuration is not possible
    Booted boot(LitmusTest test, BootOptions options);

    /// What the model can tell of itself.
    Survey survey();
}
