"""A headless Chromium that looks at a page: what it logs, what it asks for, and pictures of it."""
from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from pathlib import Path

LAPTOP, PHONE = (1366, 900), (390, 844)
PROGRAMS = {"chromium": "chromium", "chromedriver": "chromium-driver"}


def missing() -> list:
    """Debian packages that this needs and the machine lacks."""
    return [package for program, package in PROGRAMS.items() if not shutil.which(program)]


@contextmanager
def browser():
    """A driver of a fresh browser; it ends with this."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb", "--no-first-run",
                     "--disable-background-networking"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_page_load_timeout(120)
    driver.set_script_timeout(120)
    try:
        yield driver
    finally:
        driver.quit()


def dressed(driver, size: tuple, dark: bool) -> None:
    """Give the page this size and scheme."""
    width, height = size
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})


def settled(driver, limit_s: float = 90) -> None:
    """Wait until a section has asked for all that it shows. Raises AssertionError with what it waits for."""
    end = time.monotonic() + limit_s
    while True:
        left = driver.execute_script(
            "return [...document.querySelectorAll('[data-state=loading]')].map(e => e.dataset.panel || e.textContent).concat("
            "document.body.dataset.busy === 'no' ? [] : ['a refresh'])")
        if not left:
            return
        assert time.monotonic() < end, f"the page still waits for {left}"
        time.sleep(0.3)


def section(driver, name: str) -> None:
    """Go to a section and wait for it."""
    driver.execute_script("document.body.dataset.busy = 'yes'; location.hash = arguments[0]; document.getElementById('now').click()", name)
    end = time.monotonic() + 30
    while driver.execute_script("const v = document.querySelector('.view'); return v && v.dataset.section") != name:
        assert time.monotonic() < end, f"the section {name} does not come"
        time.sleep(0.1)
    settled(driver)


def photograph(driver, path: Path, size: tuple, dark: bool, most: int = 2600) -> None:
    """A picture of the whole section, as high as it is."""
    dressed(driver, size, dark)
    time.sleep(0.8)
    height = min(most, max(size[1], driver.execute_script("return document.documentElement.scrollHeight")))
    dressed(driver, (size[0], height), dark)
    time.sleep(0.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    driver.save_screenshot(str(path))
    dressed(driver, size, dark)


def troubles(driver) -> list:
    """What the browser complains of since it was asked last: errors, and refusals of the page's own policy."""
    return [row["message"] for row in driver.get_log("browser") if row["level"] in ("SEVERE", "WARNING")]
