// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A mistake in a test is explained: where it is, what is wrong, how to mend it.
final class BadInputTest {
    @Test
    void showsTheLineAndPointsAtTheMistake() {
        assertThat(Tests.complaint(Tests.process("\tint r0 = READ_ONC(*x);")))
                .isEqualTo(
                        """
                        t.litmus:5:11: unknown function `READ_ONC`
                        \tint r0 = READ_ONC(*x);
                        \t         ^
                        hint: did you mean `READ_ONCE`?\
                        """);
    }

    /// Bodies of a process, and what is said about them.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    r0 = READ_ONCE(*x)          | expected `;` after this statement
                    WRITE_ONCE(*x 1);           | this call is not closed
                    WRITE_ONCE(*x);             | takes 2 arguments, not 1
                    smp_mb(1);                  | takes 0 arguments, not 1
                    spin_lok(x);                | did you mean `spin_lock`?
                    int r0 = READ_ONCE(x);      | `x` is a register, not a shared location
                    int r0 = yy;                | unknown name `yy`
                    int r0 = z;                 | unknown name `z`
                    int r0 = smp_mb();          | this has no value
                    int r0 = 1 + smp_wmb();     | has no value
                    int r0 = READ_ONCE;         | is a function
                    inte r0 = 1;                | did you mean `int`?
                    int r0 = (inte *)x;         | unknown type `inte`
                    struct page *p; int q = *p; | cannot be read or written
                    struct page *p; p++;        | there is no arithmetic
                    int r0 = x->next;           | the fields of a structure
                    int r0 = x + y;             | two pointers cannot be added
                    int r0 = 3 - x;             | a pointer cannot be subtracted
                    int r0 = &r0;               | a register has no address
                    1 = 2;                      | cannot be assigned to
                    int r0 = 0:r1;              | expected `;`
                    int a[2];                   | a register holds a number or a pointer
                    break;                      | `break` outside of a loop
                    goto out;                   | `goto` is not supported
                    if (x { }                   | expected `)` after the condition of `if`
                    int r0 = (1;                | this `(` is not closed
                    int r0 = 12ab;              | is not a number
                    int r0 = 99999999999999999999; | is not a number
                    int r0 = 'ab';              | a character constant holds one character
                    int r0 = 'a;                | a character constant holds one character
                    int r0 = "a";               | only as an argument
                    int r0 = "a;                | this literal has no end
                    int r0 = { 1 };             | a list in braces can only initialise an array
                    int r0 = 1 @ 2;             | unexpected character `@`
                    /* never closed             | this comment has no end
                    else { }                    | `else` without `if`
                    do { } until (1);           | expected `while` after the body of `do`
                    int r0 = (struct page)1;    | there is no cast to
                    int r0 = sizeof(struct page); | the size of `struct page` is not known
                    int r0 = x[1][2];           | only a pointer or an array has elements
                    {                           | this `{` is not closed
                    }}                          | expected a process or the condition
                    """)
    void complainsAboutABody(String body, String expected) {
        assertThat(Tests.complaint(Tests.process(body))).contains(expected).contains("\nhint: ");
    }

    /// Everything after the processes.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    exist (0:r0=0)           | did you mean `exists`?
                    exists (0:r1=0)          | did you mean `r0`?
                    exists (1:r0=0)          | there is no process P1
                    exists (x=z)             | unknown name `z`
                    exists (z=1)             | unknown name `z`
                    exists (0:r0)            | `0:r0` is not compared with anything
                    exists (0:r0=0           | this `(` is not closed
                    exists (0:r0=0 0:r0=1)   | this `(` is not closed
                    exists (0:r0=0) x=1      | after the condition
                    exists (x=1) exists (x=2) | a second `exists`
                    exists (x={1,2})         | compared with an array of that length
                    exists (READ_ONCE(x)=1)  | cannot be called in a condition
                    exists                   | expected an expression but found the end
                    ~forall (x=1)            | expected a process or the condition
                    locations x              | expected `[` after `locations`
                    locations [x             | expected `]` after the last location
                    filter (x=1) filter (x=2) | a second `filter`
                    P0() { }                 | expected process P1 but found `P0`
                    P2() { }                 | expected process P1 but found `P2`
                    P1(int x) { }            | a parameter is the address of a shared location
                    P1(int *x, int *x) { }   | a second parameter `x`
                    """)
    void complainsAboutTheRest(String rest, String expected) {
        String test = Tests.process("int r0 = *x;") + rest + "\n";
        assertThat(Tests.complaint(test)).contains(expected).contains("\nhint: ");
    }

    /// Everything before the processes.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    D t { }                       | this is a test for D, not for C
                    LISA t { }                    | this is a test for LISA, not for C
                    hello { }                     | does not begin with `C name`
                    C                             | the test has no name
                    C { }                         | the test has no name
                    C t P0() { }                  | write the init block
                    C t                           | expected a comment, a `config` line or the init
                    C t (* open                   | this comment has no end
                    C t "open                     | this description has no end
                    C t config arch { }           | expected key=value
                    C t config a=1 a=2 { }        | `a` is set twice
                    C t (* Result: Newer *) { }   | did you mean `Never`?
                    C t (* Splat: *) { }          | nothing follows `Splat:`
                    C t { int x; int x; }         | `x` is declared twice
                    C t { int a[0]; }             | the length of the array
                    C t { int a[99999]; }         | the length of the array
                    C t { int a[1] = {1,2}; }     | initialised by a list of at most 1 values
                    C t { int a[2] = 1; }         | initialised by a list of at most 2 values
                    C t { void x; }               | there can be no variable of type `void`
                    C t { struct page p; }        | there can be no variable of type
                    C t { 3:r0 = 1; }             | there is no process P3
                    C t { 0:r9 = 1; if (1) 0:r1 = 2; } | can only be set in the init block itself
                    C t { int x = mmapp(); }      | unknown function `mmapp`
                    C t { int x = 1 / 0; }        | division by zero
                    C t { *(int *)0 = 1; }        | NULL pointer dereference
                    C t { while (1) ; }           | waits for something that cannot happen
                    C t { spin_lock(l); spin_lock(l); } | unknown name `l`
                    C t { spinlock_t l; spin_lock(&l); spin_lock(&l); } | waits for something
                    """)
    void complainsAboutTheBeginning(String beginning, String expected) {
        String text = beginning.replace(" {", "\n{").replace("config", "\nconfig");
        String test = text + "\nP0(int *y)\n{\n\tint r0 = *y;\n}\n";
        assertThat(Tests.complaint(test)).contains(expected).contains("hint: ");
    }

    @Test
    void wantsAnInitBlock() {
        assertThat(Tests.complaint("C t\n")).contains("the test has no init block");
    }

    @Test
    void limitsNesting() {
        String deep = "(".repeat(5000) + "1" + ")".repeat(5000);
        assertThat(Tests.complaint(Tests.process("int r0 = " + deep + ";")))
                .contains("nested deeper");
        String chain = "1" + " + 1".repeat(5000);
        assertThat(Tests.complaint(Tests.process("int r0 = " + chain + ";")))
                .contains("nested deeper");
        String blocks = "{".repeat(5000);
        assertThat(Tests.complaint(Tests.process(blocks))).contains("nested deeper");
        String not = Tests.process("") + "exists (" + "~".repeat(5000) + "x=1)";
        assertThat(Tests.complaint(not)).contains("nested deeper");
    }

    @Test
    void explainsFilesThatAreNoTests(@TempDir Path folder) throws IOException {
        Path empty = Files.writeString(folder.resolve("empty.litmus"), " \n");
        Path binary = Files.write(folder.resolve("binary.litmus"), new byte[] {67, 32, 0, 1});
        Path latin = Files.write(folder.resolve("latin.litmus"), new byte[] {67, 32, (byte) 0xe4});
        Path huge = Files.write(folder.resolve("huge.litmus"), new byte[Source.MAX_CHARS + 1]);
        assertThat(messageOf(folder.resolve("missing.litmus"))).contains("no such file");
        assertThat(messageOf(folder)).contains("is a folder");
        assertThat(messageOf(empty)).contains("the file is empty");
        assertThat(messageOf(binary)).contains("is not text");
        assertThat(messageOf(latin)).contains("is not text");
        assertThat(messageOf(huge)).contains("is too long");
    }

    private static String messageOf(Path file) {
        var thrown =
                assertThatExceptionOfType(LitmusException.class)
                        .isThrownBy(() -> LitmusTest.parse(Source.read(file)))
                        .actual();
        assertThat(thrown.getMessage()).startsWith(file + ": ");
        return thrown.getMessage();
    }
}
