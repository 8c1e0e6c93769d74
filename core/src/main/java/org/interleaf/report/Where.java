// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Thing;
import org.interleaf.trace.Thing.Kind;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Finds what of a picture a step touches, by the name of its location.
final class Where {
    private static final Pattern ENTRY = Pattern.compile("\\w+(\\[\\d+\\]) of (table \\d+)");
    private static final Pattern CPU = Pattern.compile("cpu(\\d+)\\.(\\w+)");
    private static final List<String> NOWHERE = List.of("", "");

    private Where() {}

    /// The name of the thing and that of its fact: empty for the whole of it; both empty where the
    /// location is of nothing in `picture`.
    static List<String> of(String location, Map<String, Thing> picture) {
        Matcher entry = ENTRY.matcher(location);
        if (entry.matches()) {
            return List.of(entry.group(2), entry.group(1));
        }
        Matcher cpu = CPU.matcher(location);
        if (cpu.matches()) {
            return ofCpu(cpu.group(1), cpu.group(2), picture);
        }
        if (picture.containsKey(location)) {
            return List.of(location, "");
        }
        for (Thing thing : picture.values()) {
            if (thing.kind() == Kind.FOLIO && thing.facts().containsKey(location)) {
                return List.of(thing.name(), location);
            }
        }
        int dot = location.indexOf('.');
        Thing owner = dot < 0 ? null : picture.get(location.substring(0, dot));
        if (owner == null) {
            return NOWHERE;
        }
        String fact = location.substring(dot + 1);
        return List.of(owner.name(), owner.facts().containsKey(fact) ? fact : "");
    }

    private static List<String> ofCpu(String number, String field, Map<String, Thing> picture) {
        String name =
                switch (field) {
                    case "tlb" -> "TLB of CPU " + number;
                    case "irq" -> "CPU " + number;
                    default -> "";
                };
        return picture.containsKey(name) ? List.of(name, "") : NOWHERE;
    }
}
