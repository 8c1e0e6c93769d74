// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

final class PatchedModelTest {
    private static final String NO_RECHECK =
            """
            The recheck is gone.

            --- a/core/src/main/java/org/interleaf/mm/ToyWalk.java
            +++ b/core/src/main/java/org/interleaf/mm/ToyWalk.java
            @@ -4,8 +4,5 @@ public class ToyWalk {
                 /// Finds the entry, twice, to be sure.
                 public static String walk(ToyTable table) {
                     int entry = table.read();
            -        if (entry != table.read()) {
            -            return "changed";
            -        }
                     return "found " + entry;
                 }
            """;

    @TempDir private Path folder;

    @Test
    void thePatchedModelRunsBesideTheCleanOne() throws Exception {
        ToyModel toy = new ToyModel(folder, Map.of());
        PatchedModel patched = toy.patched(NO_RECHECK);
        assertThat(ToyModel.run(patched)).isEqualTo("found 0");
        ClassLoader clean = patched.classLoader().getParent();
        Class<?> table = clean.loadClass("org.interleaf.mm.ToyTable");
        assertThat(patched.classLoader().loadClass("org.interleaf.mm.ToyTable")).isNotSameAs(table);
        Class<?> walk = clean.loadClass("org.interleaf.mm.ToyWalk");
        Object answer =
                walk.getMethod("walk", table)
                        .invoke(null, table.getDeclaredConstructor().newInstance());
        assertThat(answer).isEqualTo("changed");
    }

    @Test
    void whatIsNotOfTheModelIsSharedWithTheCleanOne() throws Exception {
        PatchedModel patched = new ToyModel(folder, Map.of()).patched(NO_RECHECK);
        String name = "org.interleaf.trace.Step";
        assertThat(patched.classLoader().loadClass(name)).isSameAs(Class.forName(name));
    }

    @Test
    void thePatchedModelHasThePatchedSources() throws Exception {
        PatchedModel patched = new ToyModel(folder, Map.of()).patched(NO_RECHECK);
        String name = "src/org/interleaf/mm/ToyWalk.java";
        try (InputStream in = patched.classLoader().getResourceAsStream(name)) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                    .contains("return \"found \" + entry;")
                    .doesNotContain("changed");
        }
        assertThat(patched.classLoader().getResourceAsStream("src/org/interleaf/mm/None.java"))
                .isNull();
    }

    @Test
    void sourcesAndClassesMayComeFromAJar() throws Exception {
        ToyModel toy = new ToyModel(folder, Map.of());
        assertThat(ToyModel.run(toy.patchedFrom(toy.jar(), NO_RECHECK))).isEqualTo("found 0");
    }

    @Test
    void severalPatchesAreAppliedInOrder() throws Exception {
        String found =
                """
                --- a/core/src/main/java/org/interleaf/mm/ToyWalk.java
                +++ b/core/src/main/java/org/interleaf/mm/ToyWalk.java
                @@ -6,4 +6,4 @@
                         int entry = table.read();
                -        return "found " + entry;
                +        return "got " + entry;
                     }
                 }
                """;
        ToyModel toy = new ToyModel(folder, Map.of());
        assertThat(ToyModel.run(toy.patched(NO_RECHECK, found))).isEqualTo("got 0");
        assertThatThrownBy(() -> toy.patched(found)).isInstanceOf(PatchException.class);
    }

    @Test
    void classesThatWereCompiledAgainstAChangedOneAreCompiledAnew() throws Exception {
        String user =
                """
                package org.interleaf.kernel;

                public class ToyUser {
                    public static final int COPY = org.interleaf.mm.ToyLimits.LIMIT;
                }
                """;
        String limits =
                """
                package org.interleaf.mm;

                public class ToyLimits {
                    public static final int LIMIT = 1;
                }
                """;
        ToyModel toy =
                new ToyModel(
                        folder,
                        Map.of(
                                "org/interleaf/kernel/ToyUser.java", user,
                                "org/interleaf/mm/ToyLimits.java", limits));
        PatchedModel patched =
                toy.patched(
                        """
                        --- a/core/src/main/java/org/interleaf/mm/ToyLimits.java
                        +++ b/core/src/main/java/org/interleaf/mm/ToyLimits.java
                        @@ -3,3 +3,3 @@
                         public class ToyLimits {
                        -    public static final int LIMIT = 1;
                        +    public static final int LIMIT = 2;
                         }
                        """);
        Class<?> compiled = patched.classLoader().loadClass("org.interleaf.kernel.ToyUser");
        assertThat(compiled.getField("COPY").get(null)).isEqualTo(2);
    }

    @Test
    void filesCanBeAddedAndDeleted() throws Exception {
        String extra = "package org.interleaf.mm;\n\nclass ToyExtra {}\n";
        ToyModel toy = new ToyModel(folder, Map.of("org/interleaf/mm/ToyExtra.java", extra));
        PatchedModel patched =
                toy.patched(
                        """
                        diff --git a/core/src/main/java/org/interleaf/mm/ToyExtra.java b/x
                        deleted file mode 100644
                        --- a/core/src/main/java/org/interleaf/mm/ToyExtra.java
                        +++ /dev/null
                        @@ -1,3 +0,0 @@
                        -package org.interleaf.mm;
                        -
                        -class ToyExtra {}
                        --- /dev/null
                        +++ b/core/src/main/java/org/interleaf/mm/ToyNew.java
                        @@ -0,0 +1,2 @@
                        +package org.interleaf.mm;
                        +public class ToyNew { ToyTable table; }
                        """);
        ClassLoader loader = patched.classLoader();
        assertThat(loader.loadClass("org.interleaf.mm.ToyNew").getDeclaredFields()[0].getType())
                .isSameAs(loader.loadClass("org.interleaf.mm.ToyTable"));
        assertThatThrownBy(() -> loader.loadClass("org.interleaf.mm.ToyExtra"))
                .isInstanceOf(ClassNotFoundException.class);
    }

    @Test
    void aDeletedClassThatIsNeededIsACompileError() throws Exception {
        ToyModel toy = new ToyModel(folder, Map.of());
        assertThatThrownBy(
                        () ->
                                toy.patched(
                                        """
                                        --- a/core/src/main/java/org/interleaf/mm/ToyTable.java
                                        +++ /dev/null
                                        @@ -1,10 +0,0 @@
                                        -package org.interleaf.mm;
                                        -
                                        -public class ToyTable {
                                        -    static final int SIZE = 4;
                                        -    private int reads;
                                        -
                                        -    public int read() {
                                        -        return reads++;
                                        -    }
                                        -}
                                        """))
                .isInstanceOf(PatchException.class)
                .hasMessageContaining("ToyWalk.java:5:31: cannot find symbol")
                .hasMessageContaining("symbol:   class ToyTable")
                .hasMessageEndingWith("hint: the model does not compile with p1.patch");
    }

    @Test
    void aCompileErrorIsToldAtTheLineOfThePatch() throws Exception {
        ToyModel toy = new ToyModel(folder, Map.of());
        assertThatThrownBy(
                        () ->
                                toy.patched(
                                        """
                                        The recheck is misspelt.

                                        --- a/core/src/main/java/org/interleaf/mm/ToyWalk.java
                                        +++ b/core/src/main/java/org/interleaf/mm/ToyWalk.java
                                        @@ -5,5 +5,5 @@
                                             public static String walk(ToyTable table) {
                                                 int entry = table.read();
                                        -        if (entry != table.read()) {
                                        +        if (entry != table.reed()) {
                                                     return "changed";
                                                 }
                                        """))
                .isInstanceOf(PatchException.class)
                .hasMessage(
                        """
                        p1.patch:9:28: cannot find symbol
                            symbol:   method reed()
                            location: variable table of type org.interleaf.mm.ToyTable
                                if (entry != table.reed()) {
                                                  ^
                        hint: the model does not compile with p1.patch\
                        """);
    }

    @Test
    void anErrorElsewhereIsToldAtTheLineOfTheModel() throws Exception {
        ToyModel toy = new ToyModel(folder, Map.of());
        assertThatThrownBy(
                        () ->
                                toy.patched(
                                        """
                                        --- a/core/src/main/java/org/interleaf/mm/ToyTable.java
                                        +++ b/core/src/main/java/org/interleaf/mm/ToyTable.java
                                        @@ -6,4 +6,5 @@

                                        -    public int read() {
                                        +    // One line more, so that lines shift here.
                                        +    public int readOnce() {
                                                 return reads++;
                                             }
                                        """))
                .isInstanceOf(PatchException.class)
                .hasMessageStartingWith(ToyModel.WALK + ":6:26: cannot find symbol")
                .hasMessageContaining(ToyModel.WALK + ":7:27: cannot find symbol");
    }
}
