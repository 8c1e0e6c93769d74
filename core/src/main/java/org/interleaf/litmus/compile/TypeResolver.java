// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Variable.Role;
import org.interleaf.litmus.syntax.Names;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.litmus.syntax.TypeName;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.litmus.vocabulary.Vocabulary;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Knows what the names of types stand for.
final class TypeResolver {
    private static final Map<String, Type> KNOWN = new LinkedHashMap<>();

    /// The types whose variables are locks rather than data.
    private static final Map<String, Role> LOCKS = new LinkedHashMap<>();

    static {
        KNOWN.put("void", Types.VOID);
        KNOWN.put("bool", Types.BOOL);
        KNOWN.put("_Bool", Types.BOOL);
        KNOWN.put("char", Types.CHAR);
        integer(1, true, "signed char", "s8", "__s8", "int8_t");
        integer(1, false, "unsigned char", "u8", "__u8", "uint8_t");
        integer(2, true, "short", "s16", "__s16", "int16_t");
        integer(2, false, "unsigned short", "u16", "__u16", "uint16_t");
        integer(4, true, "int", "s32", "__s32", "int32_t", "atomic_t", "pid_t");
        integer(4, false, "unsigned int", "u32", "__u32", "uint32_t", "gfp_t");
        integer(8, true, "long", "s64", "__s64", "int64_t", "ssize_t", "ptrdiff_t", "intptr_t");
        integer(8, true, "atomic64_t", "atomic_long_t", "off_t", "loff_t");
        integer(8, false, "unsigned long", "u64", "__u64", "uint64_t", "size_t", "uintptr_t");
        LOCKS.put("spinlock_t", Role.SPINLOCK);
        LOCKS.put("raw_spinlock_t", Role.SPINLOCK);
        LOCKS.put("struct mutex", Role.MUTEX);
        LOCKS.put("struct rw_semaphore", Role.RWSEM);
        LOCKS.put("struct srcu_struct", Role.SRCU);
        LOCKS.keySet().forEach(name -> KNOWN.put(name, new Type.Opaque(name)));
    }

    private final Source source;
    private final Vocabulary vocabulary;

    TypeResolver(Source source, Vocabulary vocabulary) {
        this.source = source;
        this.vocabulary = vocabulary;
    }

    private static void integer(int bytes, boolean signed, String... names) {
        for (String name : names) {
            KNOWN.put(name, new Type.Int(name, bytes, signed));
        }
    }

    /// What `written` stands for.
    Type resolve(TypeName written) {
        Type type = base(written);
        for (int i = 0; i < written.pointers(); i++) {
            type = new Type.Pointer(type, i == 0 && written.isVolatile());
        }
        return type;
    }

    /// What a name that was written without a star stands for, or null where it is no type.
    @Nullable Type find(String name) {
        Type type = KNOWN.get(name);
        return type == null ? vocabulary.type(name) : type;
    }

    private Type base(TypeName written) {
        Type type = find(written.name());
        if (type == null && written.name().startsWith("struct ")) {
            return new Type.Opaque(written.name());
        }
        if (type == null) {
            List<String> names = new ArrayList<>(KNOWN.keySet());
            names.addAll(vocabulary.names());
            throw source.error(
                    written.pos(),
                    "unknown type `" + written.name() + "`",
                    Names.hint(
                            written.name(), names, "use a type of C or of the kernel, as `int`"));
        }
        return type;
    }

    /// What kind of lock a variable of this type is, or null for data.
    static @Nullable Role role(Type type) {
        return type instanceof Type.Opaque opaque ? LOCKS.get(opaque.name()) : null;
    }
}
