// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.jspecify.annotations.Nullable;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.logging.Level;

/// A headless browser with one page open: the system's Chromium, by its own driver.
final class Browser implements AutoCloseable {
    private static final List<String> CHROMIUM =
            List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome");
    private static final List<String> DRIVER =
            List.of("/usr/bin/chromedriver", "/usr/lib/chromium/chromedriver");

    private final ChromeDriver driver;
    private final ChromeDriverService service;

    private Browser(ChromeDriver driver, ChromeDriverService service) {
        this.driver = driver;
        this.service = service;
    }

    /// Starts the browser; skips the test where there is none.
    static Browser start() {
        File chromium = find(CHROMIUM);
        File driver = find(DRIVER);
        assumeTrue(
                chromium != null && driver != null,
                "no browser: install Debian's chromium and chromium-driver to test the pages");
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        logs.enable(LogType.PERFORMANCE, Level.ALL);
        ChromeOptions options = new ChromeOptions();
        options.setBinary(Objects.requireNonNull(chromium));
        options.setCapability("goog:loggingPrefs", logs);
        options.addArguments(
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--force-device-scale-factor=1",
                "--window-size=1400,900");
        options.setScriptTimeout(Duration.ofMinutes(3));
        ChromeDriverService service =
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(Objects.requireNonNull(driver))
                        .build();
        return new Browser(new ChromeDriver(service, options), service);
    }

    private static @Nullable File find(List<String> paths) {
        return paths.stream().map(File::new).filter(File::canExecute).findFirst().orElse(null);
    }

    @Override
    public void close() {
        try {
            driver.quit();
        } finally {
            service.stop();
        }
    }

    /// Opens a page, anew even if it is open.
    void open(Path page, String fragment) {
        driver.get("about:blank");
        messages();
        requests();
        driver.get(page.toUri() + fragment);
    }

    void press(CharSequence... keys) {
        driver.findElement(By.tagName("body")).sendKeys(keys);
    }

    void press(Keys key, int times) {
        for (int i = 0; i < times; i++) {
            press(key);
        }
    }

    void click(String id) {
        driver.findElement(By.id(id)).click();
    }

    /// The text of the element with this id, as the page has it.
    String text(String id) {
        return String.valueOf(run("return document.getElementById('" + id + "').textContent"));
    }

    /// Runs a script in the page.
    @Nullable Object run(String script) {
        return driver.executeScript(script);
    }

    /// Number of the step that the page shows.
    long step() {
        return Long.parseLong(String.valueOf(run("return document.body.dataset.step")));
    }

    /// Seconds that the page has taken of a CPU since this was first asked. What else the machine
    /// has to do does not count.
    double cpuSeconds() {
        driver.executeCdpCommand("Performance.enable", Map.of("timeDomain", "threadTicks"));
        Object metrics =
                driver.executeCdpCommand("Performance.getMetrics", Map.of()).get("metrics");
        for (Object metric : (List<?>) Objects.requireNonNull(metrics)) {
            Map<?, ?> pair = (Map<?, ?>) metric;
            if ("TaskDuration".equals(pair.get("name"))) {
                return Double.parseDouble(String.valueOf(pair.get("value")));
            }
        }
        throw new AssertionError("the browser does not tell how long it took");
    }

    void resize(int width, int height) {
        Map<String, Object> metrics =
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false);
        driver.executeCdpCommand("Emulation.setDeviceMetricsOverride", metrics);
    }

    void dark(boolean dark) {
        Map<String, Object> scheme =
                Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light");
        driver.executeCdpCommand("Emulation.setEmulatedMedia", Map.of("features", List.of(scheme)));
    }

    void screenshot(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.write(file, driver.getScreenshotAs(OutputType.BYTES));
    }

    /// Fails unless the page, since it was opened, said nothing on the console and asked nobody for
    /// anything but itself.
    void assertQuiet() {
        assertThat(messages()).isEmpty();
        assertThat(requests())
                .allMatch(
                        url ->
                                url.startsWith("file:") && url.contains(".html")
                                        || url.equals("data:,"));
    }

    private List<String> messages() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .map(LogEntry::getMessage)
                .toList();
    }

    private List<String> requests() {
        return driver.manage().logs().get(LogType.PERFORMANCE).getAll().stream()
                .map(LogEntry::getMessage)
                .filter(message -> message.contains("\"Network.requestWillBeSent\""))
                .map(
                        message ->
                                message.replaceFirst(
                                        "(?s).*\"request\":\\{.*?\"url\":\"([^\"]*)\".*", "$1"))
                .toList();
    }
}
