// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The names of files in `---` and `+++` lines.
final class ModelPath {
    /// Stands for no file, before or after.
    static final String NONE = "/dev/null";

    /// What comes before the path, depending on how git is configured.
    private static final Pattern PREFIX = Pattern.compile("(?:[abciow12]/)?(.*)");

    private static final Pattern SOURCE =
            Pattern.compile(
                    Pattern.quote(ModelSources.TREE)
                            + "((?:[A-Za-z]\\w*/)*[A-Za-z][\\w-]*)\\.java");

    private ModelPath() {}

    /// The file that `written` names, from the top of the source tree, or {@link #NONE}: without
    /// time stamp, quotes and `a/`.
    static String of(PatchScope scope, String patch, int line, String written) {
        String name = written.split("\t", 2)[0].strip();
        if (name.length() > 1 && name.startsWith("\"") && name.endsWith("\"")) {
            name = name.substring(1, name.length() - 1);
        }
        if (name.equals(NONE)) {
            return NONE;
        }
        Matcher prefix = PREFIX.matcher(name);
        String path = prefix.matches() ? prefix.group(1) : name;
        Matcher source = SOURCE.matcher(path);
        if (!source.matches() || !scope.patches(source.group(1).replace('/', '.'))) {
            throw PatchException.at(
                    patch,
                    line,
                    "only Java files of "
                            + scope.described()
                            + " can be patched, not '"
                            + path
                            + "'",
                    "their names begin with " + scope.hint());
        }
        return path;
    }
}
