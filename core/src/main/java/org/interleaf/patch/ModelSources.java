// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// The sources of the kernel model and of what is compiled with it, as the program carries them: as
/// resources `src/org/interleaf/...` beside its classes.
public final class ModelSources {
    /// Where the resources' names start in the source tree; patches speak of files there.
    static final String TREE = "core/src/main/java/";

    private static final String FOLDER = "src/";

    private final PatchScope scope;
    private final SortedMap<String, String> files;

    private ModelSources(PatchScope scope, SortedMap<String, String> files) {
        this.scope = scope;
        this.files = Collections.unmodifiableSortedMap(files);
    }

    /// The sources that this program carries.
    public static ModelSources shipped(PatchScope scope) {
        try {
            var source = ModelSources.class.getProtectionDomain().getCodeSource();
            return in(scope, Path.of(source.getLocation().toURI()));
        } catch (URISyntaxException e) {
            throw new AssertionError("[interleaf internal] where do the classes come from?", e);
        }
    }

    /// The sources that a jar, or a folder with classes and resources, carries.
    public static ModelSources in(PatchScope scope, Path place) {
        try {
            SortedMap<String, String> files =
                    Files.isDirectory(place)
                            ? filesOfFolder(scope, place)
                            : filesOfJar(scope, place);
            if (files.isEmpty()) {
                throw new AssertionError("[interleaf internal] no model sources in " + place);
            }
            return new ModelSources(scope, files);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the model's sources in " + place, e);
        }
    }

    /// What part of the program this is.
    PatchScope scope() {
        return scope;
    }

    /// The text of each file; its name is its path from the top of the source tree.
    SortedMap<String, String> files() {
        return files;
    }

    private static SortedMap<String, String> filesOfFolder(PatchScope scope, Path folder)
            throws IOException {
        SortedMap<String, String> files = new TreeMap<>();
        for (String name : scope.folders()) {
            Path packageFolder = folder.resolve(FOLDER + name);
            if (Files.isDirectory(packageFolder)) {
                for (Path file : filesBelow(packageFolder)) {
                    String path = folder.relativize(file).toString().replace('\\', '/');
                    put(files, path, Files.readString(file));
                }
            }
        }
        return files;
    }

    private static List<Path> filesBelow(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            return paths.filter(Files::isRegularFile).toList();
        }
    }

    private static SortedMap<String, String> filesOfJar(PatchScope scope, Path jar)
            throws IOException {
        SortedMap<String, String> files = new TreeMap<>();
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            for (ZipEntry entry : new ArrayList<>(Collections.list(zip.entries()))) {
                if (isSource(scope, entry.getName())) {
                    try (InputStream in = zip.getInputStream(entry)) {
                        String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
                        put(files, entry.getName(), text);
                    }
                }
            }
        }
        return files;
    }

    /// Whether the resource `entry` is, or could be, a source file of the model.
    static boolean isSource(PatchScope scope, String entry) {
        return entry.startsWith(FOLDER)
                && scope.reloads(entry.substring(FOLDER.length()).replace('/', '.'));
    }

    /// The name of the resource that holds the file `path`, from the top of the source tree.
    static String resource(String path) {
        return FOLDER + path.substring(TREE.length());
    }

    /// The name of the class whose file is `path`, from the top of the source tree.
    static String className(String path) {
        return path.substring(TREE.length(), path.length() - ".java".length()).replace('/', '.');
    }

    /// The name of the class in whose file the class `name` stands.
    static String topLevel(String name) {
        int dollar = name.indexOf('$');
        return dollar < 0 ? name : name.substring(0, dollar);
    }

    private static void put(SortedMap<String, String> files, String path, String text) {
        if (path.endsWith(".java")) {
            files.put(TREE + path.substring(FOLDER.length()), text);
        }
    }
}
