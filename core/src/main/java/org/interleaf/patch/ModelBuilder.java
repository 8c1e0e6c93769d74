// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Compiles as little of a patched model as is right: the patched files alone where they look to
/// all other classes as they did before, else everything. The compiler is cold when it is needed,
/// so that reading one file or sixty is the difference between half a second and three.
final class ModelBuilder {
    private final PatchedSources sources;
    private final ModelCompiler compiler;
    private final ClassLoader parent;

    /// @param parent loads the model as it was
    ModelBuilder(PatchedSources sources, ModelCompiler compiler, ClassLoader parent) {
        this.sources = sources;
        this.compiler = compiler;
        this.parent = parent;
    }

    /// A class loader for the patched model.
    ///
    /// @throws PatchException if it does not compile
    ClassLoader build() {
        Set<String> touched = classNames(sources.touched());
        if (sources.files().keySet().containsAll(sources.touched())) {
            SortedMap<String, List<SourceLine>> files = new TreeMap<>(sources.files());
            files.keySet().retainAll(sources.touched());
            Map<String, byte[]> classes = compiler.compile(files, Set.of());
            if (looksAsBefore(classes)) {
                return loader(classes, touched);
            }
        }
        Set<String> all = classNames(sources.files().keySet());
        all.addAll(touched);
        return loader(compiler.compile(sources.files(), all), all);
    }

    private ClassLoader loader(Map<String, byte[]> classes, Set<String> replaced) {
        Map<String, byte[]> texts = new TreeMap<>();
        sources.files()
                .forEach(
                        (path, lines) ->
                                texts.put(
                                        ModelSources.resource(path),
                                        SourceLine.text(lines).getBytes(StandardCharsets.UTF_8)));
        return new ModelLoader(sources.scope(), parent, classes, texts, replaced);
    }

    private static Set<String> classNames(Set<String> paths) {
        return paths.stream()
                .map(ModelSources::className)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /// Whether each class has the shape of its old form. One that had none is new in its file, and
    /// where others can see it, it is part of its owner's shape; a new file is known to nobody.
    private boolean looksAsBefore(Map<String, byte[]> classes) {
        for (var compiled : classes.entrySet()) {
            byte[] before = oldForm(compiled.getKey());
            if (before != null
                    && !ClassShape.of(before).equals(ClassShape.of(compiled.getValue()))) {
                return false;
            }
        }
        return true;
    }

    private byte @Nullable [] oldForm(String name) {
        try (InputStream in = parent.getResourceAsStream(name.replace('.', '/') + ".class")) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the class " + name, e);
        }
    }
}
