// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.tidy;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.JavaFormatterOptions;
import com.google.googlejavaformat.java.JavaFormatterOptions.Style;

import org.interleaf.tidy.Tree.TextFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads the tree and fails with `file:line: what -> instead` for each thing that is not as agreed.
/// `mvn verify -Dformat=apply` rewrites the Java files instead of complaining about their form.
final class TidyTest {
    private static final int COLUMNS_MAX = 100;
    private static final String LICENCE = "SPDX-License-Identifier: GPL-2.0-or-later";

    // Spelt in pieces: this file is read too.
    private static final Pattern LEFTOVER = Pattern.compile("\\b(FIX" + "ME|XX" + "X)\\b");
    private static final Pattern LINK = Pattern.compile("!?\\[[^\\]]*\\]\\(([^)\\s]+)[^)]*\\)");
    private static final Pattern CODE_SPAN = Pattern.compile("`[^`]*`");

    /// What must not be written, and what to write instead: runs have to be repeatable.
    private static final Map<String, String> BANNED = new LinkedHashMap<>();

    static {
        BANNED.put(
                "parallel" + "Stream(", "a plain loop; the explorer decides what runs beside what");
        BANNED.put("Math." + "random(", "a generator made from the run's seed");
        BANNED.put("ThreadLocal" + "Random", "a generator made from the run's seed");
        BANNED.put("new Random" + "()", "new Random(seed)");
        BANNED.put("identity" + "HashCode(", "a number given in the order of creation");
    }

    private final List<String> complaints = new ArrayList<>();

    @BeforeAll
    static void formatIfAsked() throws IOException {
        if (!"apply".equals(System.getProperty("format"))) {
            return;
        }
        for (TextFile file : Tree.files(".java")) {
            String formatted = format(file);
            if (!formatted.equals(file.text())) {
                Files.writeString(file.path(), formatted);
            }
        }
    }

    @Test
    void javaIsFormatted() {
        for (TextFile file : Tree.files(".java")) {
            String formatted = format(file);
            if (!formatted.equals(file.text())) {
                complainOfFormat(file, formatted.lines().toList());
            }
        }
        assertNoComplaints();
    }

    private void complainOfFormat(TextFile file, List<String> formatted) {
        List<String> lines = file.lines();
        int line = 0;
        while (line < lines.size()
                && line < formatted.size()
                && lines.get(line).equals(formatted.get(line))) {
            line++;
        }
        String instead = line < formatted.size() ? formatted.get(line).strip() : "(end of file)";
        complain(file, line + 1, "not formatted; run mvn verify -Dformat=apply", instead);
    }

    private static String format(TextFile file) {
        var options = JavaFormatterOptions.builder().style(Style.AOSP).build();
        try {
            return new Formatter(options).formatSourceAndFixImports(file.text());
        } catch (FormatterException e) {
            throw new AssertionError(file.name() + ": cannot be parsed: " + e.getMessage(), e);
        }
    }

    @Test
    void sourcesStartWithTheLicence() {
        for (TextFile file : Tree.files(".java")) {
            if (!file.text().startsWith("// " + LICENCE + "\n")) {
                complain(file, 1, "no licence line", "// " + LICENCE);
            }
        }
        for (TextFile script : Tree.files("/interleaf", "/.ci/run", ".sh")) {
            if (script.lines().stream().limit(2).noneMatch(line -> line.equals("# " + LICENCE))) {
                complain(script, 2, "no licence line", "# " + LICENCE);
            }
        }
        assertNoComplaints();
    }

    @Test
    void packagesAreDescribedAndNullMarked() {
        Set<Path> described = new LinkedHashSet<>();
        Set<Path> packages = new LinkedHashSet<>();
        for (TextFile file : Tree.files(".java")) {
            Path folder = packageOf(file);
            packages.add(folder);
            if (file.name().endsWith("/package-info.java")) {
                described.add(folder);
                checkPackageInfo(file);
            }
        }
        packages.removeAll(described);
        for (Path folder : packages) {
            complaints.add(folder + ":1: no package-info.java -> one sentence and @NullMarked");
        }
        assertThat(described).isNotEmpty();
        assertNoComplaints();
    }

    /// The package's folder below `java/`: tests share the description of what they test.
    private static Path packageOf(TextFile file) {
        String name = file.name();
        int java = name.indexOf("/java/");
        Path below = Path.of(java < 0 ? name : name.substring(java + "/java/".length()));
        Path folder = below.getParent();
        return folder == null ? Path.of(".") : folder;
    }

    private void checkPackageInfo(TextFile file) {
        if (!file.text().contains("\n@NullMarked\npackage ")) {
            complain(file, 1, "the package is not @NullMarked", "@NullMarked above package");
        }
        if (file.lines().stream().noneMatch(line -> line.startsWith("/// "))) {
            complain(file, 1, "the package is not described", "/// One sentence.");
        }
    }

    @Test
    void linesAreNotTooLong() {
        for (TextFile file : Tree.files(".java", "/interleaf", "/.ci/run", ".sh", ".litmus")) {
            List<String> lines = file.lines();
            for (int i = 0; i < lines.size(); i++) {
                int columns = lines.get(i).codePointCount(0, lines.get(i).length());
                if (columns > COLUMNS_MAX && !cannotBeFolded(lines.get(i))) {
                    complain(file, i + 1, columns + " columns", "at most " + COLUMNS_MAX);
                }
            }
        }
        assertNoComplaints();
    }

    private static boolean cannotBeFolded(String line) {
        return line.startsWith("import ") || line.contains("https://");
    }

    @Test
    void nothingIsLeftOver() {
        for (TextFile file : Tree.files(".java", ".md", ".xml", ".sh", "/interleaf", "/.ci/run")) {
            List<String> lines = file.lines();
            for (int i = 0; i < lines.size(); i++) {
                Matcher leftover = LEFTOVER.matcher(lines.get(i));
                if (leftover.find()) {
                    complain(
                            file, i + 1, "leftover " + leftover.group(), "do it, or open an issue");
                }
            }
        }
        assertNoComplaints();
    }

    @Test
    void bannedWordsAreNotUsed() {
        for (TextFile file : Tree.files(".java")) {
            List<String> lines = file.lines();
            for (int i = 0; i < lines.size(); i++) {
                for (var banned : BANNED.entrySet()) {
                    if (lines.get(i).contains(banned.getKey())) {
                        complain(file, i + 1, banned.getKey(), banned.getValue());
                    }
                }
            }
        }
        assertNoComplaints();
    }

    @Test
    void markdownHasOneTitleEach() {
        for (TextFile file : Tree.files(".md")) {
            List<String> lines = proseOf(file);
            int titles = 0;
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).startsWith("# ") && ++titles > 1) {
                    complain(file, i + 1, "a second title", "## or deeper");
                }
            }
            if (titles == 0) {
                complain(file, 1, "no title", "# Title");
            }
        }
        assertNoComplaints();
    }

    @Test
    void relativeLinksLeadSomewhere() {
        for (TextFile file : Tree.files(".md")) {
            List<String> lines = proseOf(file);
            for (int i = 0; i < lines.size(); i++) {
                Matcher link = LINK.matcher(CODE_SPAN.matcher(lines.get(i)).replaceAll(""));
                while (link.find()) {
                    checkLink(file, i + 1, link.group(1));
                }
            }
        }
        assertNoComplaints();
    }

    private void checkLink(TextFile file, int line, String target) {
        if (target.contains("://") || target.startsWith("mailto:") || target.startsWith("#")) {
            return;
        }
        String path = target.replaceFirst("#.*", "");
        if (!Files.exists(file.path().resolveSibling(path))) {
            complain(file, line, "dead link " + target, "a file that exists, relative to this one");
        }
    }

    /// The lines of a Markdown file, those of fenced code blanked out so that line numbers hold.
    private static List<String> proseOf(TextFile file) {
        var prose = new ArrayList<String>();
        boolean fenced = false;
        for (String line : file.lines()) {
            boolean fence = line.stripLeading().startsWith("```");
            fenced ^= fence;
            prose.add(fenced || fence ? "" : line);
        }
        return prose;
    }

    private void complain(TextFile file, int line, String what, String instead) {
        complaints.add(file.complaint(line, what, instead));
    }

    private void assertNoComplaints() {
        assertThat(complaints.size()).withFailMessage(() -> String.join("\n", complaints)).isZero();
    }
}
