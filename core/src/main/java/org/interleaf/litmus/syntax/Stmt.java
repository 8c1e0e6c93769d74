// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// A statement of a process or of the init block.
public sealed interface Stmt {
    /// Where a complaint about this statement points.
    int pos();

    /// `{ … }`.
    record Block(int pos, List<Stmt> statements) implements Stmt {}

    /// An expression evaluated for what it does.
    record Expression(int pos, Expr expr) implements Stmt {}

    /// `int r0, *r1 = x;`.
    record Declaration(int pos, List<Decl> decls) implements Stmt {}

    /// `if (condition) then else otherwise`.
    record If(int pos, Expr condition, Stmt then, @Nullable Stmt otherwise) implements Stmt {}

    /// `while (condition) body`.
    record While(int pos, Expr condition, Stmt body) implements Stmt {}

    /// `do body while (condition);`.
    record DoWhile(int pos, Stmt body, Expr condition) implements Stmt {}

    /// `for (init; condition; step) body`.
    record For(
            int pos, @Nullable Stmt init, @Nullable Expr condition, @Nullable Expr step, Stmt body)
            implements Stmt {}

    /// `break;`.
    record Break(int pos) implements Stmt {}

    /// `continue;`.
    record Continue(int pos) implements Stmt {}

    /// `return;`: ends the process. A value is evaluated and dropped.
    record Return(int pos, @Nullable Expr value) implements Stmt {}

    /// `int 0:r1 = x;`, the initial value of a register; only in the init block.
    record InitRegister(
            int pos, @Nullable TypeName type, int process, String register, @Nullable Expr value)
            implements Stmt {}
}
