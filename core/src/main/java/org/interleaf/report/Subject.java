// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

/// What a page says about the execution that it shows. All of it is text, whatever it looks like.
///
/// @param title the name of the test, with what was changed
/// @param verdict what came of exploring it, in one line
/// @param failed whether that is bad news
/// @param found what the execution shows, in one line
/// @param story what the test is about, in paragraphs with an empty line between two
/// @param test the test
/// @param changes the patches to the model; empty where there are none
/// @param replay the command that shows the execution again
public record Subject(
        String title,
        String verdict,
        boolean failed,
        String found,
        String story,
        String test,
        String changes,
        String replay) {}
