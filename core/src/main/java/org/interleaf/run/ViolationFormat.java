// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.trace.Violation;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Violations as bytes, for checkpoints.
final class ViolationFormat {
    private ViolationFormat() {}

    static void write(Violation violation, DataOutputStream out) throws IOException {
        writeText(violation.kind(), out);
        writeText(violation.where(), out);
        writeText(violation.source(), out);
        writeText(violation.text(), out);
        writeText(violation.task(), out);
        out.writeInt(violation.cpu());
        writeLines(violation.callTrace(), out);
        writeLines(violation.details(), out);
        out.writeInt(violation.step());
    }

    static Violation read(DataInputStream in) throws IOException {
        return new Violation(
                readText(in),
                readText(in),
                readText(in),
                readText(in),
                readText(in),
                in.readInt(),
                readLines(in),
                readLines(in),
                in.readInt());
    }

    private static void writeLines(List<String> lines, DataOutputStream out) throws IOException {
        out.writeInt(lines.size());
        for (String line : lines) {
            writeText(line, out);
        }
    }

    private static List<String> readLines(DataInputStream in) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int n = in.readInt(); n > 0; n--) {
            lines.add(readText(in));
        }
        return lines;
    }

    static void writeText(String text, DataOutputStream out) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    static String readText(DataInputStream in) throws IOException {
        return new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
    }
}
