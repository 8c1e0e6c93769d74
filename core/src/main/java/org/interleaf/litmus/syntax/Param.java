// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

/// A parameter of a process: the address of the shared location of the same name.
///
/// @param pos offset of the name
public record Param(int pos, TypeName type, String name) {}
