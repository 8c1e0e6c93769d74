// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import org.interleaf.patch.MemoryFiles.SourceFile;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.stream.Collectors;

import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.ToolProvider;

/// Compiles patched sources in memory, and says of each error which line of the patch made it.
final class ModelCompiler {
    private static final int ERRORS_SHOWN = 5;

    private final PatchScope scope;
    private final String patches;
    private final String classPath;

    /// @param patches the names of the patches, for messages
    ModelCompiler(PatchScope scope, String patches, String classPath) {
        this.scope = scope;
        this.patches = patches;
        this.classPath = classPath;
    }

    /// The classes that come of `files`, by name.
    ///
    /// @param hidden the top-level classes that are not to be found on the class path
    /// @throws PatchException if they do not compile
    Map<String, byte[]> compile(SortedMap<String, List<SourceLine>> files, Set<String> hidden) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            throw PatchException.ofFile(
                    patches, "this Java has no compiler", "run with a JDK, not a JRE");
        }
        List<SourceFile> sources = new ArrayList<>();
        files.forEach((path, lines) -> sources.add(new SourceFile(path, SourceLine.text(lines))));
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        var standard = compiler.getStandardFileManager(diagnostics, Locale.ROOT, null);
        MemoryFiles memory =
                new MemoryFiles(
                        standard, scope, name -> hidden.contains(ModelSources.topLevel(name)));
        List<String> options =
                List.of("-proc:none", "-implicit:none", "-nowarn", "-g", "-cp", classPath);
        if (!compiler.getTask(null, memory, diagnostics, options, null, sources).call()) {
            throw error(files, diagnostics.getDiagnostics());
        }
        return memory.classes();
    }

    private PatchException error(
            SortedMap<String, List<SourceLine>> files,
            List<Diagnostic<? extends JavaFileObject>> diagnostics) {
        List<CompileError> errors =
                diagnostics.stream()
                        .filter(d -> d.getKind() == Diagnostic.Kind.ERROR)
                        .map(d -> CompileError.of(files, d))
                        // What the patch itself says comes first: the rest mostly follows from it.
                        .sorted((a, b) -> Boolean.compare(b.inPatch(), a.inPatch()))
                        .toList();
        if (errors.isEmpty()) {
            throw new AssertionError("[interleaf internal] compiler says only " + diagnostics);
        }
        CompileError first = errors.getFirst();
        String others =
                errors.stream()
                        .skip(1)
                        .limit(ERRORS_SHOWN - 1)
                        .map(e -> "\n" + e)
                        .collect(Collectors.joining());
        if (errors.size() > ERRORS_SHOWN) {
            others += "\n(and " + (errors.size() - ERRORS_SHOWN) + " more)";
        }
        return first.exception(others, "the model does not compile with " + patches);
    }

    /// An error where its author will look for it.
    private record CompileError(
            String file, int line, int column, boolean inPatch, String message, String excerpt) {

        static CompileError of(
                SortedMap<String, List<SourceLine>> files,
                Diagnostic<? extends JavaFileObject> error) {
            String message = error.getMessage(Locale.ROOT).replace("\n", "\n  ");
            if (!(error.getSource() instanceof SourceFile source)) {
                return new CompileError("(model)", 0, 0, false, message, "");
            }
            List<SourceLine> lines = Objects.requireNonNull(files.get(source.path()));
            // An error at the end of the file is reported behind its last line.
            int index = Math.clamp(error.getLineNumber() - 1, 0, lines.size() - 1);
            SourceLine line = lines.get(index);
            int column = (int) Math.max(1, error.getColumnNumber());
            return new CompileError(
                    line.file(),
                    line.number(),
                    line.column(column),
                    line.patched(),
                    message,
                    caret(line.text(), column));
        }

        /// The line, and a caret below the character at `column` (tabs count to multiples of 8, as
        /// the compiler counts).
        private static String caret(String text, int column) {
            return "\n" + text.replace("\t", "        ") + "\n" + " ".repeat(column - 1) + "^";
        }

        PatchException exception(String others, String hint) {
            return new PatchException(file, line, column, message + excerpt + others, hint);
        }

        @Override
        public String toString() {
            return PatchException.where(file, line, column) + ": " + message + excerpt;
        }
    }
}
