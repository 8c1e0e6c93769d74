// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.patch.ModelPatch;
import org.interleaf.patch.PatchScope;
import org.interleaf.patch.PatchedModel;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;

/// A bug to be put into a mechanism of this program, as a patch of its sources. The patches are
/// files in the folder `bugs` of the resources: `mechanism: what is wrong`, then `Trial: ` and the
/// name of the trial that must notice, then the change.
///
/// @param mechanism what part of the program it is in
/// @param text what is wrong with that
/// @param trial the trial that must notice
/// @param patch the change
public record DeliberateBug(String mechanism, String text, String trial, ModelPatch patch) {
    private static final String FOLDER = "/bugs/";
    private static final String ORDER = "order.txt";
    private static final String TRIAL = "Trial: ";

    /// All bugs that the program carries, one mechanism after the other.
    public static List<DeliberateBug> all() {
        return read(ORDER).lines().map(name -> parse(name, read(name))).toList();
    }

    private static String read(String name) {
        try (InputStream in = DeliberateBug.class.getResourceAsStream(FOLDER + name)) {
            if (in == null) {
                throw new AssertionError("[interleaf internal] no resource " + FOLDER + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the resource " + FOLDER + name, e);
        }
    }

    static DeliberateBug parse(String name, String file) {
        List<String> lines = file.lines().limit(2).toList();
        String[] title = lines.getFirst().split(": ", 2);
        if (title.length != 2 || !lines.getLast().startsWith(TRIAL)) {
            throw new AssertionError("[interleaf internal] " + name + " names no trial");
        }
        String trial = lines.getLast().substring(TRIAL.length());
        ModelPatch patch = ModelPatch.parse(PatchScope.PROGRAM, name, file);
        return new DeliberateBug(title[0], title[1], trial, patch);
    }

    /// Loads this program once more, with the bug in it, and puts it to the trial. Returns what the
    /// trial says is wrong; empty where it notices nothing.
    public String provoke() {
        PatchedModel program = PatchedModel.load(PatchScope.PROGRAM, List.of(patch));
        return trials(program.classLoader()).apply(trial);
    }

    /// The program with the bug has classes of its own by these names, so that only a type of the
    /// Java library is known here and there.
    @SuppressWarnings("unchecked")
    private static Function<String, String> trials(ClassLoader loader) {
        try {
            Class<?> type = Class.forName(Trials.class.getName(), true, loader);
            return (Function<String, String>) type.getDeclaredConstructor().newInstance();
        } catch (ClassNotFoundException
                | NoSuchMethodException
                | InstantiationException
                | IllegalAccessException
                | InvocationTargetException e) {
            throw new LinkageError("[interleaf internal] the program cannot be loaded again", e);
        }
    }
}
