// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import java.util.List;

/// The corpus of races as an HTML page: what each of its variants came to.
public final class CorpusReport {
    private static final List<String> SCRIPTS = List.of("corpus.js");

    private CorpusReport() {}

    /// A race.
    ///
    /// @param name the name of its folder
    /// @param title what it is called in words
    /// @param story what it is about
    public record Race(String name, String title, String story, List<Variant> variants) {}

    /// What a variant came to.
    ///
    /// @param name what was changed
    /// @param config the configuration over that of the test; empty where there is none
    /// @param found in a few words
    /// @param status whether that is as declared, in a word or two
    /// @param ok whether it is
    /// @param executions how many there are
    /// @param seconds how long that took, as text
    /// @param page the file with the page of an execution, beside this page; empty for none
    public record Variant(
            String name,
            String config,
            String found,
            String status,
            boolean ok,
            String executions,
            String seconds,
            String page) {}

    /// The page.
    ///
    /// @param total what all came to, in one line
    public static String render(String total, List<Race> races) {
        return Page.of("corpus.html", SCRIPTS, json(total, races));
    }

    /// The data of the page.
    static String json(String total, List<Race> races) {
        List<Race> visible =
                races.stream()
                        .map(
                                race ->
                                        new Race(
                                                Json.visible(race.name),
                                                Json.visible(race.title),
                                                Json.visible(race.story),
                                                race.variants.stream()
                                                        .map(CorpusReport::visible)
                                                        .toList()))
                        .toList();
        return new Json().put("total", Json.visible(total)).putLines("races", visible).toString();
    }

    private static Variant visible(Variant variant) {
        return new Variant(
                Json.visible(variant.name),
                Json.visible(variant.config),
                Json.visible(variant.found),
                Json.visible(variant.status),
                variant.ok,
                Json.visible(variant.executions),
                Json.visible(variant.seconds),
                variant.page);
    }
}
