// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.util.List;
import java.util.Locale;

/// Which part of the program patches may change, and how much of it is loaded anew for that.
public enum PatchScope {
    /// The kernel model. What is compiled against it is loaded anew with it.
    MODEL(List.of("mm"), List.of("mm", "check", "kernel")),

    /// All that a self-check runs, down to the machine: for bugs that the program must notice in
    /// itself.
    PROGRAM(
            List.of("machine", "explore", "experiment", "check", "mm", "selfcheck"),
            List.of("machine", "explore", "experiment", "check", "mm", "selfcheck"));

    private static final String BASE = "org.interleaf.";

    private final List<String> patchable;
    private final List<String> reloaded;

    PatchScope(List<String> patchable, List<String> reloaded) {
        this.patchable = patchable;
        this.reloaded = reloaded;
    }

    /// Whether the class `name` is loaded anew with a patched model.
    boolean reloads(String name) {
        return in(reloaded, name);
    }

    /// Whether patches may change the source file of the class `name`.
    boolean patches(String name) {
        return in(patchable, name);
    }

    private static boolean in(List<String> packages, String name) {
        for (String each : packages) {
            if (name.startsWith(BASE)
                    && name.startsWith(each, BASE.length())
                    && name.startsWith(".", BASE.length() + each.length())) {
                return true;
            }
        }
        return false;
    }

    /// The folders of the packages that are loaded anew, below the root of the sources.
    List<String> folders() {
        return reloaded.stream().map(each -> BASE.replace('.', '/') + each).toList();
    }

    /// What patches of this scope are for, in words.
    String described() {
        return this == MODEL ? "the kernel model" : "the " + name().toLowerCase(Locale.ROOT);
    }

    /// Where the names of the files that patches may change begin.
    String hint() {
        String folder = ModelSources.TREE + BASE.replace('.', '/');
        return patchable.size() == 1 ? folder + patchable.getFirst() + "/" : folder;
    }
}
