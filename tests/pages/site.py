"""The admin in a browser, as the tests use it."""

import base64
import os
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

TIMEOUT_SECONDS = 60
SHOTS = os.environ.get("SCREENSHOTS")


class Site:
    """The pages below `root`."""

    def __init__(self, browser, root):
        self.browser, self.root = browser, root

    def open(self, path):
        self.browser.get(self.root + path)

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def wait(self, condition):
        return WebDriverWait(self.browser, TIMEOUT_SECONDS, poll_frequency=0.05, ignored_exceptions=[Exception]).until(
            lambda browser: condition()
        )

    def press(self, text):
        self.find(f'.compat-buttons [value="{text}"]').click()

    def follow(self, text):
        self.browser.find_element(By.LINK_TEXT, text).click()

    def figure(self, name):
        return self.find(f'[data-figure="{name}"]').text

    def state(self):
        return self.find("#state strong").text

    def look(self, *, width=1200, theme="light"):
        """Set the window width and the theme."""
        self.browser.set_window_size(width, 900)
        feature = {"name": "prefers-color-scheme", "value": theme}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def shoot(self, name):
        """Save a screenshot of the whole page if SCREENSHOTS names a folder."""
        if SHOTS:
            shot = self.browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
            (Path(SHOTS) / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def overflow(self):
        """Return how many pixels the page is wider than the window."""
        return self.browser.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
