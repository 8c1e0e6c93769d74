// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.vocabulary.BootOptions;
import org.interleaf.litmus.vocabulary.Booted;
import org.interleaf.litmus.vocabulary.Model;
import org.interleaf.litmus.vocabulary.Survey;

/// The model of Linux, as tests boot it. This class is found by its name.
public final class LinuxModel implements Model {
    @Override
    public Booted boot(LitmusTest test, BootOptions options) {
        Options config = Options.read(test.source(), test.config());
        return new BootedLinux(config, Math.max(1, test.processes().size()), options);
    }

    @Override
    public Survey survey() {
        return new ArchSurvey();
    }
}
