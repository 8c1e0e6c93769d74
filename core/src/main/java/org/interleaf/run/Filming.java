// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.MachinePicture;
import org.interleaf.explore.Recorder;
import org.interleaf.machine.Scheduler;
import org.interleaf.machine.Task;
import org.interleaf.trace.Call;
import org.interleaf.trace.Film;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Step;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Thing.Fact;
import org.interleaf.trace.Thing.Kind;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Takes a picture of the machine before each step of an execution and after the last one.
///
/// The moment for it is when somebody is to be chosen for the next access: then all tasks stand
/// before theirs, and what goes with the last one, such as the taking of a lock, is done.
final class Filming implements Scheduler {
    /// So many lines of source are shown before and after one that matters.
    private static final int AROUND = 12;

    private static final Pattern NAMED = Pattern.compile("\\b(folio|page) (\\d+)");

    private final Session session;
    private final Recorder recorder;
    private final MachinePicture machine;
    private final List<Map<String, Thing>> pictures = new ArrayList<>();
    private final List<List<Call>> stacks = new ArrayList<>();
    private final Map<String, List<String>> files = new LinkedHashMap<>();

    Filming(Session session, Recorder recorder) {
        this.session = session;
        this.recorder = recorder;
        this.machine = new MachinePicture(session.machine());
    }

    @Override
    public @Nullable Task pick() {
        if (pictures.size() > stacks.size()) {
            pictures.removeLast();
        }
        pictures.add(look());
        return recorder.pick();
    }

    @Override
    public void executed(Task task, long before, boolean wrote) {
        stacks.add(session.calls());
        recorder.executed(task, before, wrote);
    }

    private Map<String, Thing> look() {
        Map<String, Thing> before = pictures.isEmpty() ? Map.of() : pictures.getLast();
        Map<String, Thing> now = new LinkedHashMap<>();
        List<Thing> things = machine.things();
        things.addAll(session.picture());
        for (Thing thing : things) {
            Thing known = before.get(thing.name());
            now.put(thing.name(), thing.equals(known) ? known : thing);
        }
        return now;
    }

    /// What was filmed of the execution, which has ended, without the folios that have nothing to
    /// do with it.
    Film film(Recording recording) {
        while (pictures.size() <= stacks.size()) {
            pictures.add(look());
        }
        Set<String> used = used(recording);
        pictures.forEach(
                picture ->
                        picture.values()
                                .removeIf(
                                        thing ->
                                                thing.kind() == Kind.FOLIO
                                                        && !used.contains(thing.name())));
        return new Film(recording, pictures, stacks, sources());
    }

    /// The names of folios that an entry or a TLB leads to, or that a step touches.
    private Set<String> used(Recording recording) {
        Set<String> used = new HashSet<>();
        Map<String, String> folioOfPage = new LinkedHashMap<>();
        for (Map<String, Thing> picture : pictures) {
            for (Thing thing : picture.values()) {
                for (Map.Entry<String, Fact> fact : thing.facts().entrySet()) {
                    used.add(fact.getValue().about());
                    Matcher page = NAMED.matcher(fact.getKey());
                    if (thing.kind() == Kind.FOLIO && page.lookingAt()) {
                        folioOfPage.put(page.group(), thing.name());
                    }
                }
            }
        }
        for (Step step : recording.steps()) {
            Matcher named = NAMED.matcher(step.location());
            if (named.lookingAt()) {
                used.add(folioOfPage.getOrDefault(named.group(), named.group()));
            }
        }
        return used;
    }

    private Map<String, SortedMap<Integer, String>> sources() {
        Map<String, SortedMap<Integer, String>> sources = new TreeMap<>();
        for (List<Call> stack : stacks) {
            for (Call call : stack) {
                addLines(call, sources.computeIfAbsent(call.file(), x -> new TreeMap<>()));
            }
        }
        return sources;
    }

    private void addLines(Call call, SortedMap<Integer, String> lines) {
        List<String> all = files.computeIfAbsent(call.file(), session::source);
        int end = Math.min(all.size(), call.line() + AROUND);
        for (int line = Math.max(1, call.line() - AROUND); line <= end; line++) {
            lines.putIfAbsent(line, all.get(line - 1));
        }
    }
}
