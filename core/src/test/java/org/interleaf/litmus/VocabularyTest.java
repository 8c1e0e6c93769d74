// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.litmus.vocabulary.UserMemory;
import org.interleaf.litmus.vocabulary.Vocabulary;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.function.ToLongBiFunction;

/// A test reaches what a vocabulary offers: calls, constants, types and user memory.
final class VocabularyTest {
    private static final String SETUP =
            """
            C t
            config arch=x86-64 levels=4
            {
            	char *a = mmap(2 * PAGE_SIZE, "anon");
            	char *b = a + PAGE_SIZE;
            	memset(a, 1, PAGE_SIZE);
            	for (int i = 0; i < 3; i++)
            		b[i] = i + 1;
            	*(int *)(a + 8) = 0x01020304;
            }
            """;

    private final FakeKernel kernel = new FakeKernel();
    private long steps;

    private List<String> states(String rest) {
        return states(SETUP, rest);
    }

    private List<String> states(String setup, String rest) {
        var test = Tests.parse(setup + rest);
        Machine machine = new Machine(test.processes().size());
        kernel.machine = machine;
        var program = LitmusProgram.load(test, machine, kernel, LitmusProgram.SPIN_BOUND);
        machine.seal();
        steps = Explorer.explore(program, Limits.NONE, "test").steps();
        return program.outcomes().states();
    }

    @Test
    void theSetUpCanCallAndUseUserMemory() {
        assertThat(states("P0() { }\nlocations [a[0]; b[2]; a[8]; *(int *)(a + 8)]\n"))
                .containsExactly("*(int *)(a + 8)=16909060; a[0]=1; a[8]=4; b[2]=3;");
        assertThat(kernel.strings).containsExactly("anon");
    }

    @Test
    void processesLoadAndStoreUserMemory() {
        assertThat(
                        states(
                                """
                                P0() { a[PAGE_SIZE] = 7; }
                                P1() { int r0 = b[0]; int r1 = READ_ONCE(*b); }
                                forall (1:r0=1 \\/ 1:r0 = 7)
                                locations [1:r1; a[PAGE_SIZE]]
                                """))
                .containsExactly(
                        "1:r0=1; 1:r1=1; a[PAGE_SIZE]=7;",
                        "1:r0=1; 1:r1=7; a[PAGE_SIZE]=7;",
                        "1:r0=7; 1:r1=7; a[PAGE_SIZE]=7;");
    }

    @Test
    void aVariableThatNobodyChangesIsReadWithoutAnAccess() {
        states("P0() { char *p = a; char *q = b; }\n");
        assertThat(steps).isZero();
    }

    @Test
    void aVariableThatAProcessAssignsIsShared() {
        assertThat(
                        states(
                                "C t\n{ char *a = mmap(PAGE_SIZE, \"\"); char *c = NULL; }\n",
                                """
                                P0() { c = a + 1; }
                                P1() { char *p = c; int r = p == a + 1; }
                                locations [1:r]
                                """))
                .containsExactly("1:r=0;", "1:r=1;");
    }

    @Test
    void aParameterOfTheVariablesTypeIsItsValueAndOneMorePointerItsAddress() {
        assertThat(
                        states(
                                """
                                P0(char *a) { a[0] = 9; }
                                P1(char **b) { char *p = READ_ONCE(*b); int r = *p; }
                                locations [a[0]; 1:r]
                                """))
                .containsExactly("1:r=1; a[0]=9;");
    }

    @Test
    void callsReturnTypedValues() {
        assertThat(
                        states(
                                """
                                P0()
                                {
                                	struct page *p = get_page(a, FOLL_WRITE | FOLL_PIN);
                                	int r0 = p ? page_number(p) : -1;
                                	gfp_t flags = -1;
                                }
                                forall (0:p != 0 /\\ page_number(0:p) = 5)
                                locations [0:r0; 0:flags]
                                """))
                .containsExactly("0:flags=4294967295; 0:p=page 5; 0:r0=5; page_number(0:p)=5;");
    }

    @Test
    void complaintsNameTheNearest() {
        assertThat(complaint("P0() { get_pag(a, 1); }")).contains("did you mean `get_page`?");
        assertThat(complaint("P0() { get_page(a, FOLL_WRIT); }"))
                .contains("did you mean `FOLL_WRITE`?");
        assertThat(complaint("P0() { get_page(a); }")).contains("takes 2 arguments, not 1");
        assertThat(complaint("P0() { }\nexists (mmap(1, 2)=0)"))
                .contains("`mmap` cannot be called in a condition");
        assertThat(complaint("P0() { fd_t f; }")).contains("unknown type `fd_t`");
        assertThat(complaint("P0() { }\nexists (0:a=0)")).contains("P0 has no register `a`");
    }

    private String complaint(String rest) {
        return assertThatExceptionOfType(LitmusException.class)
                .isThrownBy(() -> states(rest + "\n"))
                .actual()
                .getMessage();
    }

    @Test
    void configurationIsKeptWithItsPlace() {
        var config = Tests.parse(SETUP + "P0() { }\n").config();
        assertThat(config.get("arch")).isEqualTo("x86-64");
        assertThat(config.get("levels")).isEqualTo("4");
        assertThat(config.get("tlb")).isNull();
        assertThat(config.entries()).hasSize(2);
    }

    /// A kernel with one mapping of 16 KiB at address 0x100000 and 4 KiB pages.
    private static final class FakeKernel implements Vocabulary, UserMemory {
        private static final long START = 0x10_0000;

        final List<String> strings = new ArrayList<>();
        final List<@Nullable Word> bytes = new ArrayList<>();
        @Nullable Machine machine;

        private record Function(
                int args,
                Type returnType,
                boolean inConditions,
                ToLongBiFunction<CallSite, long[]> body)
                implements Callable {
            @Override
            public int minArgs() {
                return args;
            }

            @Override
            public int maxArgs() {
                return args;
            }

            @Override
            public long call(CallSite site, long[] values) {
                return body.applyAsLong(site, values);
            }
        }

        @Override
        public @Nullable Callable function(String name) {
            Type page = Types.struct("page").pointer();
            return switch (name) {
                case "mmap" -> new Function(2, Types.VOID.pointer(), false, this::mmap);
                case "memset" -> new Function(3, Types.VOID, false, this::memset);
                case "get_page" -> new Function(2, page, false, (s, a) -> 5);
                case "page_number" -> new Function(1, Types.INT, true, (s, a) -> a[0]);
                default -> null;
            };
        }

        private long mmap(CallSite site, long[] args) {
            String string = site.strings().get(1);
            strings.add(string == null ? "" : string);
            return START;
        }

        private long memset(CallSite site, long[] args) {
            for (long i = 0; i < args[2]; i++) {
                store(site, args[0] + i, 1, args[1]);
            }
            return 0;
        }

        @Override
        public @Nullable Long constant(String name) {
            return switch (name) {
                case "PAGE_SIZE" -> 4096L;
                case "FOLL_WRITE" -> 1L;
                case "FOLL_PIN" -> 2L;
                default -> null;
            };
        }

        @Override
        public Collection<String> names() {
            return List.of(
                    "mmap",
                    "memset",
                    "get_page",
                    "page_number",
                    "PAGE_SIZE",
                    "FOLL_WRITE",
                    "FOLL_PIN");
        }

        @Override
        public UserMemory userMemory() {
            return this;
        }

        @Override
        public @Nullable String show(Type type, long value) {
            return type.equals(Types.struct("page").pointer()) ? "page " + value : null;
        }

        private Word word(long address) {
            int i = (int) (address - START);
            while (bytes.size() <= i) {
                bytes.add(null);
            }
            Word word = bytes.get(i);
            if (word == null) {
                word = Objects.requireNonNull(machine).word("user", 0);
                bytes.set(i, word);
            }
            return word;
        }

        @Override
        public long load(CallSite site, long address, int size) {
            long value = 0;
            for (int i = 0; i < size; i++) {
                value |= (word(address + i).readPlain() & 0xff) << (8 * i);
            }
            return value;
        }

        @Override
        public void store(CallSite site, long address, int size, long value) {
            for (int i = 0; i < size; i++) {
                word(address + i).writePlain(value >> (8 * i) & 0xff);
            }
        }

        @Override
        public long peek(CallSite site, long address, int size) {
            long value = 0;
            for (int i = 0; i < size; i++) {
                value |= (word(address + i).peek() & 0xff) << (8 * i);
            }
            return value;
        }
    }
}
