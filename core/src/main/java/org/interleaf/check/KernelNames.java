// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.trace.Call;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InputStream;
import java.lang.StackWalker.StackFrame;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Which kernel function a method of the model stands for. The answer is in the method's Javadoc,
/// of which the sources in the jar are asked: `/// mm/gup.c: gup_fast().` above a method says it
/// all, and a method that says nothing is a part of the kernel function that called it.
public final class KernelNames {
    private static final String MODEL = "org.interleaf.mm.";
    private static final Pattern ORIGIN =
            Pattern.compile("^\\s*/// ([\\w./-]+\\.[chS]): (\\w+)\\(\\)");
    private static final Pattern METHOD = Pattern.compile("^    (?:[\\w@<>\\[\\]?,.]+ )+(\\w+)\\(");

    private final ClassLoader loader;
    private final Map<String, Map<String, Origin>> byClass = new LinkedHashMap<>();

    /// A kernel function and its file.
    public record Origin(String file, String function) {
        static final Origin UNKNOWN = new Origin("", "");
    }

    /// Reads the sources that `loader` has.
    public KernelNames(ClassLoader loader) {
        this.loader = loader;
    }

    /// The kernel functions that the running thread is in, innermost first, without repetition.
    public List<Origin> callTrace() {
        return callTrace(origin -> true);
    }

    /// The same up to the first function for which `goOn` is false.
    List<Origin> callTrace(Predicate<Origin> goOn) {
        return StackWalker.getInstance()
                .walk(
                        frames -> {
                            List<Origin> trace = new ArrayList<>();
                            Iterator<StackFrame> each = frames.iterator();
                            boolean more = true;
                            while (more && each.hasNext()) {
                                more = add(each.next(), trace, goOn);
                            }
                            return trace;
                        });
    }

    private boolean add(StackFrame frame, List<Origin> trace, Predicate<Origin> goOn) {
        Origin origin = origin(frame.getClassName(), frame.getMethodName());
        if (origin == null) {
            return true;
        }
        if (trace.isEmpty() || !trace.getLast().equals(origin)) {
            trace.add(origin);
        }
        return goOn.test(origin);
    }

    /// The kernel function that the running thread is in; empty where it is in none.
    public String innermost() {
        return StackWalker.getInstance()
                .walk(
                        frames ->
                                frames.map(f -> origin(f.getClassName(), f.getMethodName()))
                                        .filter(Objects::nonNull)
                                        .map(Origin::function)
                                        .findFirst()
                                        .orElse(""));
    }

    /// The functions of the model that the running thread is in, innermost first, and where they
    /// stand.
    public List<Call> calls() {
        List<Call> calls = new ArrayList<>();
        StackWalker.getInstance()
                .forEach(
                        frame -> {
                            if (frame.getClassName().startsWith(MODEL)) {
                                calls.add(call(frame));
                            }
                        });
        return calls;
    }

    private Call call(StackWalker.StackFrame frame) {
        Origin origin = origin(frame.getClassName(), frame.getMethodName());
        return new Call(
                origin == null ? "" : origin.function(),
                Objects.requireNonNullElse(frame.getFileName(), ""),
                frame.getLineNumber());
    }

    /// The lines of a source file of the model; none where there is no such file.
    public List<String> source(String file) {
        String text = text(MODEL + file.replaceFirst("\\.java$", ""));
        return text == null ? List.of() : text.lines().toList();
    }

    /// The kernel function that `method` of the model's class stands for; null where it says none.
    public @Nullable Origin origin(String className, String method) {
        if (!className.startsWith(MODEL)) {
            return null;
        }
        int inner = className.indexOf('$');
        String outer = inner < 0 ? className : className.substring(0, inner);
        return byClass.computeIfAbsent(outer, this::read).get(method);
    }

    private Map<String, Origin> read(String className) {
        String text = text(className);
        return text == null ? Map.of() : parse(text);
    }

    private @Nullable String text(String className) {
        String path = "src/" + className.replace('.', '/') + ".java";
        try (InputStream in = loader.getResourceAsStream(path)) {
            return in == null ? null : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return null;
        }
    }

    /// The origins that the source text of one class declares, by method.
    static Map<String, Origin> parse(String source) {
        Map<String, Origin> origins = new LinkedHashMap<>();
        Origin pending = null;
        for (String line : source.lines().toList()) {
            Matcher origin = ORIGIN.matcher(line);
            Matcher method = METHOD.matcher(line);
            if (origin.find()) {
                pending = new Origin(origin.group(1), origin.group(2));
            } else if (method.find()) {
                if (pending != null) {
                    origins.putIfAbsent(method.group(1), pending);
                }
                pending = null;
            }
        }
        return origins;
    }
}
