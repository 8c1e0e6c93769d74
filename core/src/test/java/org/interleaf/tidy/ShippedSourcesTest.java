// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.tidy;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.tidy.Tree.TextFile;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// A patch is applied to the sources inside the jar, so these must be the ones that were compiled.
/// Not while formatting: the sources change under the build then.
@DisabledIfSystemProperty(named = "format", matches = "apply")
final class ShippedSourcesTest {
    private static final String SOURCES = "core/src/main/java/";

    @ParameterizedTest
    @ValueSource(
            strings = {"mm", "check", "kernel", "machine", "explore", "experiment", "selfcheck"})
    void sourcesOfPatchablePackagesAreResources(String layer) throws IOException {
        List<TextFile> sources =
                Tree.files(".java").stream()
                        .filter(
                                file ->
                                        file.name()
                                                .startsWith(
                                                        SOURCES + "org/interleaf/" + layer + "/"))
                        .toList();
        for (TextFile source : sources) {
            String resource = "/src/" + source.name().substring(SOURCES.length());
            try (var shipped = ShippedSourcesTest.class.getResourceAsStream(resource)) {
                assertThat(shipped).as("resource %s", resource).isNotNull();
                String text = new String(shipped.readAllBytes(), StandardCharsets.UTF_8);
                assertThat(text).as("resource %s", resource).isEqualTo(source.text());
            }
        }
    }
}
