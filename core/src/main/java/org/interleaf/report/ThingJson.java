// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;

import org.interleaf.trace.Thing;
import org.interleaf.trace.Thing.Fact;
import org.jspecify.annotations.Nullable;

import java.util.Map;

/// How a thing changes from one picture to the next, as JSON.
final class ThingJson {
    private ThingJson() {}

    /// `{"kind": …, "facts": [[name, [text, about]], …]}`: the kind only where there was no such
    /// thing before, of the facts those that are not as they were, and null for those that are
    /// gone.
    static JsonObject change(@Nullable Thing was, Thing now) {
        JsonObject change = new JsonObject();
        boolean fresh = was == null || was.kind() != now.kind();
        if (fresh) {
            change.addProperty("kind", now.kind().name());
        }
        Map<String, Fact> before = fresh || was == null ? Map.of() : was.facts();
        JsonArray facts = new JsonArray();
        now.facts()
                .forEach(
                        (name, fact) -> {
                            if (!fact.equals(before.get(name))) {
                                facts.add(pair(name, value(fact)));
                            }
                        });
        for (String name : before.keySet()) {
            if (!now.facts().containsKey(name)) {
                facts.add(pair(name, JsonNull.INSTANCE));
            }
        }
        change.add("facts", facts);
        return change;
    }

    private static JsonArray pair(String name, JsonElement value) {
        JsonArray pair = new JsonArray();
        pair.add(Json.visible(name));
        pair.add(value);
        return pair;
    }

    private static JsonArray value(Fact fact) {
        JsonArray value = new JsonArray();
        value.add(Json.visible(fact.text()));
        if (!fact.about().isEmpty()) {
            value.add(Json.visible(fact.about()));
        }
        return value;
    }
}
