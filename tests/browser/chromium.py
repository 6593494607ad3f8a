"""Debian's chromium, without a screen, driven by selenium."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

# Its own calls home stay away; root needs no sandbox, and a container has little shared memory.
OPTIONS = (
    *(
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1600,1100",
    ),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"),
)
PICTURES = Path(".screenshots")
# Seconds for what a page fetches, on a machine that does other things.
PATIENCE = 60


def program(*names: str) -> str:
    """The path of a program of Debian's package chromium or chromium-driver."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"needs {names[0]}: Debian's packages chromium and chromium-driver")
    return found


@final
class Browser:
    """One window. What is asked for is waited for, by text and not by time."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str, *texts: str) -> None:
        """Goes there and waits until all of these texts are shown."""
        self.driver.get("about:blank")  # an address that differs behind # only would not load anew
        self.driver.get(url)
        self.await_texts(*texts)

    def await_texts(self, *texts: str) -> None:
        self.until(lambda: all(text in self.text() for text in texts), f"{texts} among {self.text()!r}")

    def text(self) -> str:
        return str(self.driver.execute_script("return document.body.innerText"))

    def until(self, condition: Any, told: str = "") -> Any:
        return WebDriverWait(self.driver, PATIENCE).until(lambda _: condition(), told)

    def click(self, text: str) -> None:
        """Clicks the innermost thing that shows exactly this text, wherever it is moving to."""
        path = f"//*[normalize-space(text())='{text}']"
        found = self.until(lambda: self.driver.find_elements(By.XPATH, path), text)
        self.driver.execute_script("arguments[0].click()", found[-1])

    def all(self, selector: str) -> list[Any]:
        return list(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def texts(self, selector: str) -> list[str]:
        return [found.text or found.get_attribute("textContent") for found in self.all(selector)]

    def picture(self, name: str) -> Path:
        PICTURES.mkdir(exist_ok=True)
        file = PICTURES / f"{name}.png"
        assert self.driver.save_screenshot(str(file))
        return file


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A window with a profile of its own in this folder."""
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium-browser")
    for option in (*OPTIONS, f"--user-data-dir={folder}"):
        options.add_argument(option)
    os.environ.setdefault("SE_AVOID_STATS", "true")
    driver = webdriver.Chrome(options=options, service=Service(program("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
