// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.trace;

/// A function of the model that has been called and has not returned.
///
/// @param function the kernel function that it stands for; empty where it is a part of the caller
/// @param file the model's source file, such as `GupFast.java`
/// @param line the line in it where the function stands
public record Call(String function, String file, int line) {}
