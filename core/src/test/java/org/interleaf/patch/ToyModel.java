// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

import javax.tools.ToolProvider;

/// A model of three small classes, compiled, with its sources beside the classes as in the program.
final class ToyModel {
    static final String WALK = "core/src/main/java/org/interleaf/mm/ToyWalk.java";
    static final String TABLE = "core/src/main/java/org/interleaf/mm/ToyTable.java";

    private static final Map<String, String> SOURCES = new LinkedHashMap<>();

    static {
        SOURCES.put(
                "org/interleaf/mm/ToyWalk.java",
                """
                package org.interleaf.mm;

                public class ToyWalk {
                    /// Finds the entry, twice, to be sure.
                    public static String walk(ToyTable table) {
                        int entry = table.read();
                        if (entry != table.read()) {
                            return "changed";
                        }
                        return "found " + entry;
                    }
                }
                """);
        SOURCES.put(
                "org/interleaf/mm/ToyTable.java",
                """
                package org.interleaf.mm;

                public class ToyTable {
                    static final int SIZE = 4;
                    private int reads;

                    public int read() {
                        return reads++;
                    }
                }
                """);
        SOURCES.put(
                "org/interleaf/kernel/ToyKernel.java",
                """
                package org.interleaf.kernel;

                import org.interleaf.mm.ToyTable;
                import org.interleaf.mm.ToyWalk;

                public class ToyKernel implements java.util.function.Supplier<String> {
                    @Override
                    public String get() {
                        return ToyWalk.walk(new ToyTable());
                    }
                }
                """);
    }

    private final Path folder;

    /// Compiles the model into `folder`, with `extra` sources (name to text).
    ToyModel(Path folder, Map<String, String> extra) throws IOException {
        this.folder = folder;
        Map<String, String> sources = new LinkedHashMap<>(SOURCES);
        sources.putAll(extra);
        List<String> arguments = new ArrayList<>(List.of("-d", folder.toString()));
        for (var source : sources.entrySet()) {
            Path file = folder.resolve("src").resolve(source.getKey());
            Files.createDirectories(file.getParent());
            Files.writeString(file, source.getValue());
            arguments.add(file.toString());
        }
        int status =
                ToolProvider.getSystemJavaCompiler()
                        .run(null, null, null, arguments.toArray(String[]::new));
        if (status != 0) {
            throw new AssertionError("the toy model does not compile");
        }
    }

    /// The same, packed into a jar.
    Path jar() throws IOException {
        Path jar = folder.resolve("model.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file);
                Stream<Path> paths = Files.walk(folder)) {
            for (Path path :
                    paths.filter(p -> p.toString().matches(".*\\.(class|java)")).toList()) {
                out.putNextEntry(new JarEntry(folder.relativize(path).toString()));
                out.write(Files.readAllBytes(path));
            }
        }
        return jar;
    }

    PatchedModel patched(String... patches) throws IOException {
        return patchedFrom(folder, patches);
    }

    PatchedModel patchedFrom(Path place, String... patches) throws IOException {
        List<ModelPatch> parsed = new ArrayList<>();
        for (String patch : patches) {
            parsed.add(ModelPatch.parse("p" + (parsed.size() + 1) + ".patch", patch));
        }
        URLClassLoader parent =
                new URLClassLoader(
                        new URL[] {place.toUri().toURL()}, ToyModel.class.getClassLoader());
        return PatchedModel.load(
                parsed, ModelSources.in(PatchScope.MODEL, place), place.toString(), parent);
    }

    /// What the model's entry class says.
    static String run(PatchedModel model) throws ReflectiveOperationException {
        Class<?> entry = model.classLoader().loadClass("org.interleaf.kernel.ToyKernel");
        var supplier =
                (java.util.function.Supplier<?>) entry.getDeclaredConstructor().newInstance();
        return String.valueOf(supplier.get());
    }
}
