// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.junit;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

import java.util.ArrayList;
import java.util.List;

/// Runs a test method as JUnit does, and tells what it failed with.
final class Run {
    private Run() {}

    /// What the only test method called `method` of the class says when it fails; empty where it
    /// passes.
    static String of(Class<?> type, String method) {
        LauncherDiscoveryRequest request =
                LauncherDiscoveryRequestBuilder.request()
                        .selectors(
                                selectMethod(
                                        type.getName()
                                                + "#"
                                                + method
                                                + "(org.interleaf.experiment.Experiment)"))
                        .build();
        List<String> said = new ArrayList<>();
        LauncherFactory.create()
                .execute(
                        request,
                        new TestExecutionListener() {
                            @Override
                            public void executionFinished(
                                    TestIdentifier test, TestExecutionResult result) {
                                if (test.isTest()) {
                                    said.add(
                                            result.getThrowable()
                                                    .map(Throwable::getMessage)
                                                    .orElse(""));
                                }
                            }
                        });
        if (said.size() != 1) {
            throw new AssertionError(method + " ran " + said.size() + " times");
        }
        return said.getFirst();
    }
}
