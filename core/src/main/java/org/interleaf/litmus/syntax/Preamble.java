// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What stands before the init block: the line `C name`, a description, comments, `config` lines.
///
/// It is read line by line, for the names of tests are not made of tokens.
final class Preamble {
    /// `Hash=…` and the like, which the generators of tests leave behind.
    private static final Pattern INFO = Pattern.compile("[A-Za-z][A-Za-z0-9_/.-]*[ \\t]*=");

    private static final Pattern SETTING = Pattern.compile("([A-Za-z][A-Za-z0-9_.-]*)=([^\\s=]+)");

    private final Source source;
    private final String text;
    private final List<Comment> comments = new ArrayList<>();
    private final List<Config.Entry> config = new ArrayList<>();
    private String name = "";
    private String doc = "";
    private int at;

    Preamble(Source source) {
        this.source = source;
        this.text = source.text();
        this.at = text.startsWith("\uFEFF") ? 1 : 0;
        readTitle();
        while (!text.startsWith("{", at)) {
            readItem();
        }
    }

    String name() {
        return name;
    }

    String doc() {
        return doc;
    }

    List<Comment> comments() {
        return comments;
    }

    Config config() {
        return new Config(List.copyOf(config));
    }

    /// The offset of the brace that opens the init block.
    int end() {
        return at;
    }

    private void readTitle() {
        skipBlanksAndComments();
        int archStart = at;
        String arch = word();
        if (!arch.equals("C")) {
            throw notC(archStart, arch);
        }
        skipBlanks();
        int nameStart = at;
        name = word();
        if (name.isEmpty() || name.startsWith("{") || name.startsWith("\"")) {
            throw source.error(nameStart, "the test has no name", "write it after the `C`");
        }
        skipBlanks();
    }

    private LitmusException notC(int pos, String arch) {
        boolean otherArch = arch.matches("[A-Z][A-Za-z0-9]*") && !arch.startsWith("P0");
        return source.error(
                pos,
                otherArch
                        ? "this is a test for " + arch + ", not for C"
                        : "the file does not begin with `C name`",
                otherArch
                        ? "only C litmus tests can be run"
                        : "a litmus test begins with a line `C name`");
    }

    /// One comment, description, `config` line or left-over of a generator.
    private void readItem() {
        skipBlanksAndComments();
        if (text.startsWith("{", at)) {
            return;
        }
        if (at >= text.length()) {
            throw source.error(
                    at, "the test has no init block", "write `{ }` before the first process");
        }
        if (text.charAt(at) == '"') {
            readDoc();
        } else if (text.startsWith("config", at) && isBlank(at + 6)) {
            at += 6;
            readConfig();
        } else if (INFO.matcher(text).region(at, lineEnd()).lookingAt()) {
            at = lineEnd();
        } else {
            throw source.error(
                    at,
                    "expected a comment, a `config` line or the init block",
                    "write the init block, `{ }` if it is empty, before the first process");
        }
    }

    private void readDoc() {
        int end = text.indexOf('"', at + 1);
        if (end < 0) {
            throw source.error(at, "this description has no end", "close it with a `\"`");
        }
        doc = text.substring(at + 1, end);
        at = end + 1;
    }

    private void readConfig() {
        int end = lineEnd();
        skipBlanks();
        while (at < end && !Comments.startsC(text, at) && !Comments.startsOcaml(text, at)) {
            readSetting(end);
            skipBlanks();
        }
    }

    private void readSetting(int end) {
        Matcher setting = SETTING.matcher(text).region(at, end);
        if (!setting.lookingAt()) {
            throw source.error(at, "expected key=value", "write `config key=value key=value …`");
        }
        String key = setting.group(1);
        for (Config.Entry earlier : config) {
            if (earlier.key().equals(key)) {
                throw source.error(at, "`" + key + "` is set twice", "keep one of the two");
            }
        }
        config.add(new Config.Entry(at, key, setting.start(2), setting.group(2)));
        at = setting.end();
    }

    private String word() {
        int start = at;
        while (at < text.length() && !Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return text.substring(start, at);
    }

    private void skipBlanks() {
        while (at < text.length() && isBlank(at) && text.charAt(at) != '\n') {
            at++;
        }
    }

    private void skipBlanksAndComments() {
        while (at < text.length()) {
            if (Character.isWhitespace(text.charAt(at))) {
                at++;
            } else if (Comments.startsC(text, at)) {
                skipComment(Comments.endOfC(source, at));
            } else if (Comments.startsOcaml(text, at)) {
                skipComment(Comments.endOfOcaml(source, at));
            } else {
                return;
            }
        }
    }

    private void skipComment(int end) {
        comments.add(new Comment(at, end));
        at = end;
    }

    private boolean isBlank(int i) {
        return i >= text.length() || Character.isWhitespace(text.charAt(i));
    }

    private int lineEnd() {
        int end = text.indexOf('\n', at);
        return end < 0 ? text.length() : end;
    }
}
