// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Call;
import org.interleaf.trace.Film;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Step;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Violation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;

/// One execution as an HTML page: the steps, and the machine as it is at each of them.
public final class TraceReport {
    private static final List<String> SCRIPTS =
            List.of("film.js", "timeline.js", "machine.js", "trace.js");

    private final Subject subject;
    private final Film film;
    private final Recording recording;
    private final Shown shown;
    private final List<String> tasks;
    private final Map<Call, Integer> frames = new LinkedHashMap<>();

    private TraceReport(Subject subject, Film film) {
        this.subject = subject;
        this.film = film;
        this.recording = film.recording();
        this.shown = Shown.of(recording, false);
        Set<String> active = new LinkedHashSet<>();
        recording.steps().forEach(step -> active.add(step.task()));
        this.tasks =
                recording.tasks().stream()
                        .filter(task -> task.indexOf('/') < 0 || active.contains(task))
                        .toList();
    }

    /// The page.
    public static String render(Subject subject, Film film) {
        return Page.of("trace.html", SCRIPTS, json(subject, film));
    }

    /// The data of the page.
    static String json(Subject subject, Film film) {
        return new TraceReport(subject, film).json();
    }

    private String json() {
        List<Object> steps = new ArrayList<>();
        recording.steps().forEach(step -> steps.add(step(step)));
        List<Object> changes = new ArrayList<>();
        for (int i = 1; i < film.pictures().size(); i++) {
            changes.add(changes(film.pictures().get(i - 1), film.pictures().get(i)));
        }
        return new Json()
                .put("title", Json.visible(subject.title()))
                .put("verdict", Json.visible(subject.verdict()))
                .put("failed", subject.failed())
                .put("found", Json.visible(subject.found()))
                .put("story", Json.visible(subject.story()))
                .put("test", Json.visible(subject.test()))
                .put("patches", Json.visible(subject.changes()))
                .put("replay", Json.visible(subject.replay()))
                .put("final", Json.visible(recording.finalState()))
                .put("splats", splats())
                .putLines("tasks", tasks.stream().map(this::task).toList())
                .putLines("steps", steps)
                .putLines("frames", frames.keySet().stream().map(TraceReport::frame).toList())
                .put("start", changes(Map.of(), film.pictures().getFirst()))
                .putLines("changes", changes)
                .put("sources", sources())
                .toString();
    }

    private List<String> splats() {
        List<String> splats = new ArrayList<>();
        for (Violation violation : recording.violations()) {
            splats.add(Json.visible(Splat.render(violation, Ansi.OFF)));
        }
        return splats;
    }

    // ---- steps

    private record TaskJson(String name, int cpu, String calls) {}

    private TaskJson task(String name) {
        Set<String> calls = new LinkedHashSet<>();
        int cpu = -1;
        for (Step step : recording.steps()) {
            if (step.task().equals(name)) {
                cpu = step.cpu();
                if (!step.callTrace().isEmpty()) {
                    calls.add(step.callTrace().getLast() + "()");
                }
            }
        }
        String text = calls.isEmpty() ? "" : ": " + String.join(", ", calls);
        return new TaskJson(Json.visible(name), Math.max(0, cpu), Json.visible(text));
    }

    private record StepJson(
            int task,
            String function,
            String call,
            String result,
            boolean wrote,
            boolean shared,
            boolean shown,
            String where,
            String before,
            String after,
            List<String> at,
            List<String> marks,
            List<Integer> frames) {}

    private StepJson step(Step step) {
        List<String> trace = step.callTrace();
        return new StepJson(
                tasks.indexOf(step.task()),
                trace.isEmpty() ? "" : Json.visible(trace.getFirst()),
                Json.visible(StepText.call(step)),
                Json.visible(StepText.result(step).strip().replace("->", "\u2192")),
                step.wrote(),
                step.shared(),
                shown.contains(step),
                Json.visible(step.location()),
                Json.visible(step.before()),
                Json.visible(step.after()),
                Where.of(step.location(), film.pictures().get(step.number() + 1)),
                shown.marks(step).stream().map(Json::visible).toList(),
                frames(film.stacks().get(step.number())));
    }

    /// The kernel functions of a stack, by their numbers; of what a function is made of only the
    /// innermost place.
    private List<Integer> frames(List<Call> stack) {
        List<Integer> numbers = new ArrayList<>();
        String above = "";
        for (Call call : stack) {
            if (!call.function().isEmpty() && !call.function().equals(above)) {
                numbers.add(frames.computeIfAbsent(call, x -> frames.size()));
                above = call.function();
            }
        }
        return numbers;
    }

    private static List<Object> frame(Call call) {
        return List.of(call.function(), call.file(), call.line());
    }

    private Map<String, List<List<Object>>> sources() {
        Map<String, List<List<Object>>> sources = new LinkedHashMap<>();
        for (Map.Entry<String, SortedMap<Integer, String>> file : film.sources().entrySet()) {
            List<List<Object>> lines = new ArrayList<>();
            file.getValue().forEach((line, text) -> lines.add(List.of(line, Json.visible(text))));
            sources.put(file.getKey(), lines);
        }
        return sources;
    }

    // ---- things

    private static Map<String, Object> changes(Map<String, Thing> before, Map<String, Thing> now) {
        Map<String, Object> changes = new LinkedHashMap<>();
        for (Thing thing : now.values()) {
            Thing was = before.get(thing.name());
            if (!thing.equals(was)) {
                changes.put(Json.visible(thing.name()), ThingJson.change(was, thing));
            }
        }
        for (String name : before.keySet()) {
            if (!now.containsKey(name)) {
                changes.put(Json.visible(name), null);
            }
        }
        return changes;
    }
}
