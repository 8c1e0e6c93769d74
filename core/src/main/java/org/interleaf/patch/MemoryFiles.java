// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;

/// Keeps what the compiler reads and writes in memory.
final class MemoryFiles extends ForwardingJavaFileManager<JavaFileManager> {
    private final Map<String, ByteArrayOutputStream> classes = new LinkedHashMap<>();
    private final PatchScope scope;
    private final Predicate<String> hidden;

    /// @param hidden tells the names of the classes that the compiler must not find in their old
    ///   form
    MemoryFiles(JavaFileManager rest, PatchScope scope, Predicate<String> hidden) {
        super(rest);
        this.scope = scope;
        this.hidden = hidden;
    }

    @Override
    public Iterable<JavaFileObject> list(
            Location location, String packageName, Set<JavaFileObject.Kind> kinds, boolean recurse)
            throws IOException {
        Iterable<JavaFileObject> files = super.list(location, packageName, kinds, recurse);
        if (!scope.reloads(packageName + ".")) {
            return files;
        }
        List<JavaFileObject> shown = new ArrayList<>();
        for (JavaFileObject file : files) {
            if (!hidden.test(inferBinaryName(location, file))) {
                shown.add(file);
            }
        }
        return shown;
    }

    /// The classes that were compiled, by name.
    Map<String, byte[]> classes() {
        Map<String, byte[]> bytes = new LinkedHashMap<>();
        classes.forEach((name, out) -> bytes.put(name, out.toByteArray()));
        return bytes;
    }

    @Override
    public JavaFileObject getJavaFileForOutput(
            Location location, String className, JavaFileObject.Kind kind, FileObject sibling) {
        return new SimpleJavaFileObject(
                URI.create("mem:///" + className.replace('.', '/') + kind.extension), kind) {
            @Override
            public OutputStream openOutputStream() {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                classes.put(className, out);
                return out;
            }
        };
    }

    /// A source file with its path from the top of the source tree.
    static final class SourceFile extends SimpleJavaFileObject {
        private final String path;
        private final String text;

        SourceFile(String path, String text) {
            super(URI.create("mem:///" + path), Kind.SOURCE);
            this.path = path;
            this.text = text;
        }

        String path() {
            return path;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
