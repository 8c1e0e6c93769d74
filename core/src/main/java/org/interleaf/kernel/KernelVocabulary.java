// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.UserMemory;
import org.interleaf.litmus.vocabulary.Vocabulary;
import org.interleaf.mm.Kernel;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What tests can call on the model, and the constants that they can name.
final class KernelVocabulary implements Vocabulary {
    private final Map<String, Callable> functions = new LinkedHashMap<>();
    private final Map<String, Long> constants;
    private final UserMemory userMemory;
    private final PagePointers pages;

    KernelVocabulary(Kernel kernel, Processes processes, HeldPages held) {
        constants = Constants.all(kernel.arch());
        userMemory = new ProcessMemory(kernel, processes);
        pages = new PagePointers(kernel.memMap());
        processes.addTo(functions);
        SystemCalls.addTo(functions, kernel, processes, userMemory);
        ProcCalls.addTo(functions, kernel, processes);
        UserfaultfdCalls.addTo(functions, kernel, processes);
        PageOperations.addTo(functions, kernel, processes, pages, held);
        TableOperations.addTo(functions, kernel, processes, pages);
    }

    @Override
    public @Nullable Callable function(String name) {
        return functions.get(name);
    }

    @Override
    public @Nullable Long constant(String name) {
        return constants.get(name);
    }

    @Override
    public Collection<String> names() {
        List<String> names = new ArrayList<>(functions.keySet());
        names.addAll(constants.keySet());
        return names;
    }

    @Override
    public UserMemory userMemory() {
        return userMemory;
    }

    @Override
    public @Nullable String show(Type type, long value) {
        return pages.show(value);
    }
}
