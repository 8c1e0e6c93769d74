// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Equivalence;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads the values of options.
final class Converters {
    private Converters() {}

    /// A time such as `90`, `1.5s`, `10m` or `2h`; without a unit it is in seconds.
    static final class Time implements ITypeConverter<Duration> {
        private static final Pattern FORM =
                Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)(ms|s|m|min|h|d)?");
        private static final double MILLIS = 1000;

        @Override
        public Duration convert(String value) {
            Matcher form = FORM.matcher(value);
            if (!form.matches()) {
                throw mistake(value);
            }
            double number = Double.parseDouble(form.group(1));
            long millis = Math.round(number * unit(form.group(2)) * MILLIS);
            if (millis < 1) {
                throw mistake(value);
            }
            return Duration.ofMillis(millis);
        }

        private static double unit(String name) {
            return switch (name == null ? "s" : name) {
                case "ms" -> 1 / MILLIS;
                case "m", "min" -> 60;
                case "h" -> 3600;
                case "d" -> 86_400;
                default -> 1;
            };
        }

        private static TypeConversionException mistake(String value) {
            return new TypeConversionException(
                    "'" + value + "' is not a time; write for example 90, 1.5s, 10m or 2h");
        }
    }

    /// A number from 1 on, such as `1000000` or `1_000_000`.
    static final class Count implements ITypeConverter<Long> {
        private static final Pattern FORM = Pattern.compile("[1-9]\\d{0,17}");

        @Override
        public Long convert(String value) {
            String digits = value.replace("_", "").replace(",", "");
            if (!FORM.matcher(digits).matches()) {
                throw new TypeConversionException(
                        "'" + value + "' is not a number from 1 on; write for example 1000000");
            }
            return Long.valueOf(digits);
        }
    }

    /// A number from 0 on.
    static final class CountFromZero implements ITypeConverter<Long> {
        @Override
        public Long convert(String value) {
            return value.equals("0") ? Long.valueOf(0) : new Count().convert(value);
        }
    }

    /// The name of a strategy.
    static final class StrategyName implements ITypeConverter<StrategyOptions.Name> {
        @Override
        public StrategyOptions.Name convert(String value) {
            return switch (value) {
                case "dpor" -> StrategyOptions.Name.DPOR;
                case "pop" -> StrategyOptions.Name.POP;
                case "bounded" -> StrategyOptions.Name.BOUNDED;
                case "pct" -> StrategyOptions.Name.PCT;
                case "random" -> StrategyOptions.Name.RANDOM;
                default ->
                        throw new TypeConversionException(
                                "there is no strategy '"
                                        + value
                                        + "'; there are dpor, pop, bounded, pct and random");
            };
        }
    }

    /// The name of an equivalence of executions.
    static final class Kind implements ITypeConverter<Equivalence> {
        @Override
        public Equivalence convert(String value) {
            return switch (value) {
                case "trace" -> Equivalence.TRACE;
                case "update" -> Equivalence.UPDATE;
                default ->
                        throw new TypeConversionException(
                                "there is no equivalence '"
                                        + value
                                        + "'; there are trace and update");
            };
        }
    }

    /// The name of a memory model.
    static final class Model implements ITypeConverter<ModelOptions.MemoryModel> {
        @Override
        public ModelOptions.MemoryModel convert(String value) {
            if (!value.equals("sc")) {
                throw new TypeConversionException(
                        "there is no memory model '" + value + "' yet; there is sc");
            }
            return ModelOptions.MemoryModel.SC;
        }
    }
}
