// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.junit;

import org.interleaf.experiment.Experiment;
import org.interleaf.experiment.Failure;
import org.interleaf.experiment.Report;
import org.interleaf.explore.Limits;
import org.interleaf.explore.ReplayException;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.zip.CRC32;

/// Makes the experiment for a test method, and explores what the method has made of it.
final class ExploreExtension implements ParameterResolver, InvocationInterceptor {
    /// Other failures than the first are looked for in so many more executions.
    private static final long AFTER_FAILURE = 1_000;

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Experiment.class;
    }

    @Override
    public Experiment resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Method method = context.getRequiredTestMethod();
        try {
            return new Experiment(settings(method).cpus());
        } catch (IllegalAccessError e) {
            throw new IllegalStateException(FailureText.NO_CONTINUATIONS, e);
        }
    }

    private static Explore settings(Method method) {
        return method.getAnnotation(Explore.class);
    }

    @Override
    public void interceptTestMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> context,
            ExtensionContext extensionContext)
            throws Throwable {
        Experiment experiment = experiment(context);
        invocation.proceed();
        Method method = context.getExecutable();
        Explore settings = settings(method);
        try {
            if (settings.replay().isEmpty()) {
                explore(experiment, settings, fingerprint(method));
            } else {
                replay(experiment, settings.replay(), fingerprint(method));
            }
        } catch (IllegalAccessError e) {
            throw new IllegalStateException(FailureText.NO_CONTINUATIONS, e);
        }
    }

    private static Experiment experiment(ReflectiveInvocationContext<Method> context) {
        for (Object argument : context.getArguments()) {
            if (argument instanceof Experiment experiment) {
                return experiment;
            }
        }
        throw new IllegalStateException(
                "an @Explore method has a parameter of type Experiment, which it sets up: "
                        + context.getExecutable());
    }

    /// Identifies the test in tokens.
    private static String fingerprint(Method method) {
        CRC32 crc = new CRC32();
        String name = method.getDeclaringClass().getName() + "." + method.getName();
        crc.update(name.getBytes(StandardCharsets.UTF_8));
        return String.format("%08x", crc.getValue());
    }

    private static void explore(Experiment experiment, Explore settings, String fingerprint) {
        Limits limits =
                Limits.NONE
                        .withTimeout(Duration.ofSeconds(settings.seconds()))
                        .withMaxExecutions(settings.maxExecutions())
                        .withMaxSteps(settings.maxSteps());
        Report report = experiment.explore(fingerprint, limits, AFTER_FAILURE);
        if (!report.failures().isEmpty()) {
            Failure first = report.failures().getFirst();
            Recording recording = experiment.replay(first.schedule());
            throw new AssertionError(FailureText.of(report, recording), first.cause());
        }
        if (!report.explored().complete()) {
            throw new AssertionError(FailureText.undecided(report.explored()));
        }
    }

    private static void replay(Experiment experiment, String token, String fingerprint) {
        Schedule schedule = Schedule.parse(token);
        if (!schedule.fingerprint().equals(fingerprint)) {
            throw new IllegalArgumentException("the token is one of another test: " + token);
        }
        Recording recording;
        try {
            recording = experiment.replay(schedule);
        } catch (ReplayException e) {
            throw new IllegalArgumentException(
                    "the test has changed since the token was printed: " + e.getMessage(), e);
        }
        throw new AssertionError(FailureText.ofReplay(recording));
    }
}
