// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.tidy;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The picture of the layers, as code. The order of [#LAYERS] is the order of the packages, lowest
/// first; a layer sees the ones that it names and nothing else of ours.
final class ArchTest {
    private static final String BASE = "org.interleaf.";
    private static final JavaClasses CORE =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("org.interleaf");

    private record Layer(String name, List<String> sees) {
        static Layer of(String name, String... sees) {
            return new Layer(name, List.of(sees));
        }

        /// What a class of this layer may depend on, as ArchUnit package patterns.
        String[] allowed() {
            return Stream.concat(Stream.of(name), sees.stream())
                    .map(ArchTest::inside)
                    .toArray(String[]::new);
        }
    }

    private static final List<Layer> LAYERS =
            List.of(
                    Layer.of("trace"),
                    Layer.of("machine", "trace"),
                    Layer.of("mm", "trace", "machine"),
                    Layer.of("check", "trace", "machine", "mm"),
                    // Not mm: the explorer is tested on programs that have no kernel in them.
                    Layer.of("explore", "trace", "machine"),
                    Layer.of("literature", "machine", "explore"),
                    // Not mm: of check it takes the sanitizers that need no kernel.
                    Layer.of("experiment", "trace", "machine", "explore", "check"),
                    Layer.of(
                            "selfcheck",
                            "trace",
                            "machine",
                            "mm",
                            "check",
                            "explore",
                            "experiment",
                            "patch"),
                    // Not mm either: the model is bound to tests by a layer that patches reload.
                    Layer.of("litmus", "trace", "machine", "explore"),
                    Layer.of("kernel", "trace", "machine", "mm", "check", "litmus"),
                    // Handles sources and classes of the model, and does not use them.
                    Layer.of("patch", "trace"),
                    Layer.of(
                            "run",
                            "trace",
                            "machine",
                            "check",
                            "explore",
                            "literature",
                            "litmus",
                            "patch"),
                    // Renders values only, so that a trace read from a file looks like a fresh one.
                    Layer.of("report", "trace"));

    @TestFactory
    Stream<DynamicTest> layersSeeOnlyWhatTheyMay() {
        return LAYERS.stream().map(layer -> dynamicTest(layer.name(), () -> checkLayer(layer)));
    }

    private static void checkLayer(Layer layer) {
        noClasses()
                .that()
                .resideInAPackage(inside(layer.name()))
                .should()
                .dependOnClassesThat(
                        resideInAPackage("org.interleaf..")
                                .and(not(resideInAnyPackage(layer.allowed()))))
                .allowEmptyShould(true)
                .check(CORE);
    }

    @Test
    void everyClassIsInALayer() {
        String[] known = LAYERS.stream().map(layer -> inside(layer.name())).toArray(String[]::new);
        classes().should().resideInAnyPackage(known).check(CORE);
    }

    @Test
    void packagesFormNoCycles() {
        slices().matching(BASE + "(**)")
                .should()
                .beFreeOfCycles()
                .allowEmptyShould(true)
                .check(CORE);
    }

    @Test
    void onlyStrandSeesContinuations() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(BASE + "machine.Strand")
                .and()
                .haveNameNotMatching("org\\.interleaf\\.machine\\.Strand\\$.*")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jdk.internal..")
                .check(CORE);
    }

    @Test
    void onlyTheCommandLinePrints() {
        noClasses().should(ACCESS_STANDARD_STREAMS).check(CORE);
    }

    /// Every rule above passes on nothing; this one makes sure that there is something, and that it
    /// is all there.
    @TestFactory
    Stream<DynamicTest> everySourceFolderIsImported() throws IOException {
        Path sources = Tree.root().resolve("core/src/main/java/org/interleaf");
        List<String> folders;
        try (Stream<Path> children = Files.list(sources)) {
            folders = children.map(child -> child.getFileName().toString()).sorted().toList();
        }
        assertThat(folders).as("folders of %s", sources).isNotEmpty();
        return folders.stream()
                .map(
                        folder ->
                                dynamicTest(
                                        folder,
                                        () ->
                                                assertThat(
                                                                CORE.that(
                                                                        resideInAPackage(
                                                                                inside(folder))))
                                                        .as("classes imported from %s", folder)
                                                        .isNotEmpty()));
    }

    private static String inside(String layer) {
        return BASE + layer + "..";
    }
}
