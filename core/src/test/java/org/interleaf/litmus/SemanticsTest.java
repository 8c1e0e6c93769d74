// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What one process computes is what C says.
final class SemanticsTest {
    /// Expressions and their values, converted to `long`.
    @ParameterizedTest
    @CsvSource(
            delimiter = '@',
            quoteCharacter = '"',
            textBlock =
                    """
                    1 + 2 * 3                         @ 7
                    (1 + 2) * 3                       @ 9
                    7 / 2 - -7 / 2                    @ 6
                    -7 % 3                            @ -1
                    7u / 2                            @ 3
                    2147483647 + 1                    @ -2147483648
                    2147483647 + 1u                   @ 2147483648
                    2147483647 + 1L                   @ 2147483648
                    2147483648                        @ 2147483648
                    0xffffffff                        @ 4294967295
                    0xffffffffffffffff                @ -1
                    -1 < 1u                           @ 0
                    -1L < 1u                          @ 1
                    -1 < 1UL                          @ 0
                    1 << 31                           @ -2147483648
                    1UL << 40                         @ 1099511627776
                    -8 >> 1                           @ -4
                    0xfffffff8 >> 1                   @ 2147483644
                    ~0                                @ -1
                    ~0u                               @ 4294967295
                    !5                                @ 0
                    !0                                @ 1
                    5 & 3 | 8 ^ 1                     @ 9
                    1 ? 2 : 3                         @ 2
                    0 && 1 / 0                        @ 0
                    1 || 1 / 0                        @ 1
                    (char)200                         @ -56
                    (unsigned char)-1                 @ 255
                    (bool)256                         @ 1
                    (u16)65537                        @ 1
                    (long)(int)4294967296             @ 0
                    sizeof(int)                       @ 4
                    sizeof(long *)                    @ 8
                    sizeof(char) + sizeof(u64)        @ 9
                    'a'                               @ 97
                    '\\n'                             @ 10
                    010                               @ 8
                    NULL                              @ 0
                    true                              @ 1
                    (char *)x + 1 - (char *)x         @ 1
                    (long)(x + 3) - (long)x           @ 12
                    &a[3] - &a[1]                     @ 2
                    x == NULL                         @ 0
                    *&y[0]                            @ 0
                    """)
    void evaluates(String expression, String expected) {
        String test =
                "C t\n{ int a[4] = {5, 6}; }\nP0(int *x, int *y, int *a)\n{\nlong r0 = "
                        + expression
                        + ";\n}\nlocations [0:r0]\n";
        assertThat(Tests.explore(test).states()).containsExactly("0:r0=" + expected + ";");
    }

    /// Statements, and the state of r0 and x after them.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    int r0 = 1; r0 += 2; r0 <<= 3;                      | 24 | 0
                    int r0 = 5; int b = r0++ + ++r0; r0 = b * 10 + r0;  | 127 | 0
                    int r0; *x = 3; r0 = (*x)++; r0 = r0 * 10 + *x;     | 34 | 4
                    int r0; *x = 3; r0 = --*x;                          | 2  | 2
                    int r0 = 0; for (int i = 0; i < 5; i++) r0 += i;    | 10 | 0
                    int r0 = 0; do { r0++; } while (r0 < 3);            | 3  | 0
                    int r0 = 0; while (1) { if (++r0 == 4) break; }     | 4  | 0
                    int r0 = 9; return; r0 = 1;                         | 9  | 0
                    int r0 = 0; if (r0) r0 = 1; else if (*x) r0 = 2; else r0 = 3; | 3 | 0
                    int r0; { int r0 = 5; } r0++;                       | 6  | 0
                    unsigned char r0 = 255; r0++;                       | 0  | 0
                    int r0; *x = r0 = 4;                                | 4  | 4
                    char r0 = 300;                                      | 44 | 0
                    int r0 = xchg(x, 5); r0 = xchg(x, 6);               | 5  | 6
                    int r0 = cmpxchg(x, 1, 5);                          | 0  | 0
                    int r0 = cmpxchg(x, 0, 5);                          | 0  | 5
                    int o = 1; int r0 = try_cmpxchg(x, &o, 5); r0 += o; | 0  | 0
                    int o = 0; int r0 = try_cmpxchg(x, &o, 5);          | 1  | 5
                    int r0 = atomic_add_return(3, x);                   | 3  | 3
                    int r0 = atomic_fetch_add(3, x);                    | 0  | 3
                    int r0 = atomic_sub_return(3, x);                   | -3 | -3
                    int r0 = atomic_inc_return(x);                      | 1  | 1
                    int r0 = atomic_dec_return(x);                      | -1 | -1
                    int r0 = atomic_inc_and_test(x);                    | 0  | 1
                    int r0 = atomic_dec_and_test(x);                    | 0  | -1
                    *x = 1; int r0 = atomic_dec_and_test(x);            | 1  | 0
                    int r0 = atomic_add_negative(-2, x);                | 1  | -2
                    int r0 = atomic_add_unless(x, 2, 0);                | 0  | 0
                    int r0 = atomic_add_unless(x, 2, 1);                | 1  | 2
                    int r0 = atomic_fetch_add_unless(x, 2, 1);          | 0  | 2
                    int r0 = atomic_inc_not_zero(x);                    | 0  | 0
                    int r0 = atomic_dec_if_positive(x);                 | -1 | 0
                    *x = 2; int r0 = atomic_dec_if_positive(x);         | 1  | 1
                    int r0 = atomic_inc_unless_negative(x);             | 1  | 1
                    int r0 = atomic_dec_unless_positive(x);             | 1  | -1
                    *x = 6; int r0 = atomic_fetch_and(3, x);            | 6  | 2
                    *x = 6; int r0 = atomic_fetch_or(1, x);             | 6  | 7
                    *x = 6; int r0 = atomic_fetch_xor(3, x);            | 6  | 5
                    *x = 6; int r0 = atomic_fetch_andnot(3, x);         | 6  | 4
                    atomic_set(x, 4); int r0 = atomic_read(x);          | 4  | 4
                    atomic_add(4, x); atomic_sub(1, x); int r0 = 0;     | 0  | 3
                    int r0 = test_and_set_bit(3, x);                    | 0  | 8
                    *x = 8; int r0 = test_and_clear_bit(3, x);          | 1  | 0
                    *x = 8; int r0 = test_bit(3, x);                    | 1  | 8
                    atomic_set(x, 2147483647); int r0 = atomic_inc_return(x); | -2147483648 \
                     | -2147483648
                    WARN_ON(0); int r0 = likely(5);                     | 1  | 0
                    """)
    void executes(String body, String r0, String x) {
        Tests.Result result =
                Tests.explore("C t\n{}\nP0(int *x)\n{\n" + body + "\n}\nlocations [0:r0; x]\n");
        assertThat(result.states()).containsExactly("0:r0=" + r0 + "; [x]=" + x + ";");
        assertThat(result.splats()).isEmpty();
    }

    @Test
    void anAddressIsEvaluatedOnceInACompoundAssignment() {
        String test =
                "C t\n{ int a[3]; }\nP0(int *a)\n{\nint i = 0;\na[i++] += 5;\n}\nforall (true)"
                        .replace("forall", "locations [0:i; a]\nforall");
        assertThat(Tests.explore(test).states()).containsExactly("0:i=1; a={5,0,0};");
    }

    @Test
    void aDeclaredLocationCanBeUsedByItsName() {
        String test =
                """
                C t
                { int x = 1; int a[2]; spinlock_t l; }
                P0() { spin_lock(&l); WRITE_ONCE(x, READ_ONCE(x) + 1); a[1] = x; spin_unlock(&l); }
                P1() { spin_lock(&l); x++; spin_unlock(&l); }
                locations [x; l; a[1]]
                """;
        assertThat(Tests.explore(test).states())
                .containsExactly("[l]=0; [x]=3; a[1]=2;", "[l]=0; [x]=3; a[1]=3;");
    }

    @Test
    void aRegisterThatNothingIsAssignedToIsZeroAndOdd() {
        Tests.Result result =
                Tests.explore("C t\n{}\nP0(int *x) { int r9c = 3; *x = r9c - rc9; }\nforall (x=3)");
        assertThat(result.verdict()).isEqualTo("Always");
        assertThat(result.program().warnings())
                .containsExactly(
                        "t.litmus:3:38: warning: nothing is assigned to register `rc9`, so it is 0;"
                                + " did you mean `r9c`?");
    }

    @Test
    void aTestMayHaveManyProcesses() {
        StringBuilder test = new StringBuilder("C t\n{ x = 0; }\n");
        for (int i = 0; i < 64; i++) {
            test.append("P").append(i).append("(int *x").append(i).append(") { *x").append(i);
            test.append(" = 1; }\n");
        }
        assertThat(Tests.explore(test + "locations [x63]\n").states()).containsExactly("[x63]=1;");
        assertThat(Tests.complaint(test + "P64() { }\n")).contains("a process or the condition");
    }

    /// What kills a process or makes the kernel complain.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    int *p = NULL; *p = 1;   | BUG kernel NULL pointer dereference
                    int *p = (int *)-9; int r = *p; | BUG unable to handle page fault
                    int r = x[1];            | BUG out-of-bounds access
                    int r = 1 / *x;          | divide error division by zero
                    BUG_ON(*x == 0);         | BUG BUG_ON at t.litmus:5
                    WARN_ON_ONCE(!*x);       | WARNING WARN_ON_ONCE at t.litmus:5
                    srcu_read_unlock(y, 3);  | WARNING srcu_read_unlock() of a section not open
                    long l = (long)x + 1; spin_lock((spinlock_t *)l); | BUG spin_lock()
                    """)
    void complains(String body, String expected) {
        assertThat(Tests.explore(Tests.process(body)).splats())
                .singleElement()
                .asString()
                .startsWith(expected);
    }

    @Test
    void aSumThatWrapsAroundIsFoundWrappedByWhatComparesNext() {
        String test =
                """
                C t
                { a = 2147483647; b = 2147483647; }
                P0(atomic_t *a, atomic_t *b)
                {
                    atomic_inc(a);
                    int r0 = atomic_cmpxchg(a, -2147483648, 1);
                    int r1 = atomic_add_unless(b, 2, 7);
                    int r2 = atomic_add_unless(b, 1, -2147483647);
                }
                locations [a; b; 0:r0; 0:r1; 0:r2]
                """;
        assertThat(Tests.explore(test).states())
                .containsExactly("0:r0=-2147483648; 0:r1=1; 0:r2=0; [a]=1; [b]=-2147483647;");
    }
}
