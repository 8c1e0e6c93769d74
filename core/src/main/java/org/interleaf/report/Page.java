// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Objects;

/// An HTML page that is one file, needs no network, and draws itself from data by its own script.
///
/// The browser is told to run that script, use that style, and to load nothing else: what the data
/// say can only ever be text. They are JSON in which no `<` is left, so nothing in them can end the
/// element that they are in.
final class Page {
    private static final String FOLDER = "/report/";

    private Page() {}

    /// The page.
    ///
    /// @param body the name of a resource with what is in the body
    /// @param scripts the names of resources that are its script, in order
    /// @param json the data, with every `<` escaped
    static String of(String body, List<String> scripts, String json) {
        String style = resource("report.css");
        StringBuilder script = new StringBuilder("\"use strict\";\n(() => {\n");
        scripts.forEach(name -> script.append(resource(name)));
        script.append("})();\n");
        String policy =
                ("default-src 'none'; script-src '%s'; style-src '%s'; img-src data:;"
                                + " base-uri 'none'; form-action 'none'")
                        .formatted(digest(script.toString()), digest(style));
        return """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="%s">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <link rel="icon" href="data:,">
        <title>Interleaf</title>
        <style>\
        """
                        .formatted(policy)
                + style
                + "</style>\n</head>\n<body>\n"
                + resource(body)
                + "<script type=\"application/json\" id=\"data\">\n"
                + json
                + "</script>\n<script>"
                + script
                + "</script>\n</body>\n</html>\n";
    }

    private static String resource(String name) {
        try (InputStream in = Page.class.getResourceAsStream(FOLDER + name)) {
            byte[] bytes = Objects.requireNonNull(in, name).readAllBytes();
            return new String(bytes, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String digest(String text) {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            byte[] digest = sha256.digest(text.getBytes(StandardCharsets.UTF_8));
            return "sha256-" + Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("[interleaf internal] every Java has SHA-256", e);
        }
    }
}
