// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Set;

/// Loads the patched model beside the clean one: every class of the model's packages anew, all
/// other classes from the parent.
///
/// All of these packages, and not the changed classes alone: two classes of one package that come
/// from different loaders are in different packages for Java, and do not see each other's parts.
final class ModelLoader extends ClassLoader {
    static {
        registerAsParallelCapable();
    }

    private final PatchScope scope;
    private final Map<String, byte[]> compiled;
    private final Map<String, byte[]> sources;
    private final Set<String> replaced;

    /// A loader of `compiled` classes, by name.
    ///
    /// @param sources the texts of all files of the model, by resource name: the names of kernel
    ///   functions are looked up in them
    /// @param replaced names of the top-level classes whose old form must not be used even where no
    ///   class of theirs was compiled
    ModelLoader(
            PatchScope scope,
            ClassLoader parent,
            Map<String, byte[]> compiled,
            Map<String, byte[]> sources,
            Set<String> replaced) {
        super("patched model", parent);
        this.scope = scope;
        this.compiled = compiled;
        this.sources = sources;
        this.replaced = replaced;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!scope.reloads(name)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> known = findLoadedClass(name);
            return known != null ? known : findClass(name);
        }
    }

    @Override
    public @Nullable InputStream getResourceAsStream(String name) {
        byte[] source = sources.get(name);
        if (source != null) {
            return new ByteArrayInputStream(source);
        }
        return ModelSources.isSource(scope, name) ? null : super.getResourceAsStream(name);
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        byte[] bytes = compiled.get(name);
        if (bytes == null) {
            bytes = unchanged(name);
        }
        return defineClass(name, bytes, 0, bytes.length);
    }

    private byte[] unchanged(String name) throws ClassNotFoundException {
        if (replaced.contains(ModelSources.topLevel(name))) {
            throw new ClassNotFoundException(name + " is gone from the patched model");
        }
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new ClassNotFoundException(name, e);
        }
    }
}
