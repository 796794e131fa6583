"""The pages in a real browser: they update themselves, fit a narrow window, and follow the theme."""

import os
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests import legacy
from tests.startup.servers import DEADLINE, serving
from tests.startup.test_servers import copy_slowly

pytestmark = pytest.mark.parametrize("vendor", ["sqlite"])
SHOTS = os.environ.get("SCREENSHOTS")


@pytest.fixture
def site(migrated, migrated_url, tmp_path, browser):
    """A server with legacy readings, and the browser logged in to it."""
    legacy.build(migrated, 3000)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id % 1000 = 7")
    User.objects.create_superuser("root", password="secret")
    with serving("gunicorn", migrated_url, tmp_path, COMPAT_STARTUP="off") as server:
        server.wait_until_it_answers()
        browser.set_window_size(1200, 900)
        browser.get(f"http://127.0.0.1:{server.port}/admin/login/?next=/admin/")
        browser.find_element(By.NAME, "username").send_keys("root")
        browser.find_element(By.NAME, "password").send_keys("secret")
        browser.find_element(By.CSS_SELECTOR, "[type=submit]").click()
        WebDriverWait(browser, DEADLINE).until(lambda browser: browser.find_elements(By.ID, "user-tools"))
        yield Site(browser, f"http://127.0.0.1:{server.port}/admin/")
        assert errors(browser) == []


def errors(browser):
    """Return what the browser's console complains of; a site icon is nobody's duty."""
    return [entry for entry in browser.get_log("browser")
            if entry["level"] == "SEVERE" and "favicon.ico" not in entry["message"]]  # fmt: skip


class Site:
    """The admin in the browser."""

    def __init__(self, browser, root):
        self.browser, self.root = browser, root

    def open(self, path):
        self.browser.get(self.root + path)

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def wait(self, condition):
        return WebDriverWait(self.browser, DEADLINE, poll_frequency=0.1, ignored_exceptions=[Exception]).until(
            lambda browser: condition()
        )

    def press(self, text):
        self.browser.find_element(By.CSS_SELECTOR, f'.compat-buttons [value="{text}"]').click()

    def figure(self, name):
        return self.find(f'[data-figure="{name}"]').text

    def shoot(self, name):
        """Keep a picture where SCREENSHOTS names a folder."""
        if SHOTS:
            self.browser.save_screenshot(str(Path(SHOTS) / f"{name}.png"))

    def overflow(self):
        """Return by how many pixels the page is wider than the window."""
        return self.browser.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )


def test_a_run_shows_itself_from_start_to_end(migrated, site):
    copy_slowly(migrated)
    site.open("compat/run/")
    site.press("Start a copy")
    site.wait(lambda: legacy.count(migrated, "compat_copyrun"))
    site.open("compat/run/1/change/")
    site.wait(lambda: site.figure("copied") not in {"0", ""})
    first = site.figure("copied")
    site.wait(lambda: site.figure("copied") != first)
    site.wait(lambda: site.find("#rate polyline"))
    site.shoot("run-live")
    site.wait(lambda: "compat-completed" in site.find(".compat-state").get_attribute("class"))
    assert site.figure("copied") == "2997"
    assert site.figure("rejected") == "3"
    assert site.find("#rate polyline").get_attribute("points").count(",") >= 2
    site.shoot("run-completed")
    site.open("compat/reject/")
    assert site.find("#changelist").text.count("999") >= 3
    site.shoot("rejects")
    site.open("compat/run/")
    site.shoot("runs")


def test_the_structure_is_repaired_by_hand(migrated, site):
    legacy.execute(migrated, "DROP TABLE thresholds")
    legacy.execute(migrated, "DROP INDEX perf_rec_device_recorded_idx")
    site.open("compat/structure/")
    assert "differs" in site.find("#status").text
    site.shoot("structure-drift")
    site.browser.find_element(By.LINK_TEXT, "Apply the safe repairs…").click()
    assert "CREATE TABLE" in site.find(".compat-sql").text
    site.shoot("structure-repair")
    site.press("Apply")
    site.wait(lambda: "is what the models need" in site.find("#status").text)
    assert legacy.count(migrated, "thresholds") == 0
    site.shoot("structure-ok")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_fit_a_narrow_window_in_both_themes(migrated, site, theme):
    legacy.execute(migrated, "DROP TABLE thresholds")
    site.open("compat/run/")
    site.press("Start a copy")
    site.wait(lambda: legacy.execute(migrated, "SELECT state FROM compat_copyrun") == [("completed",)])
    site.browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    site.browser.set_window_size(500, 900)
    backgrounds = set()
    for name, path in (("structure", "compat/structure/"), ("run", "compat/run/1/change/"),
                       ("repair", "compat/structure/repair/"), ("roll-back", "compat/run/roll-back/")):  # fmt: skip
        site.open(path)
        assert site.overflow() <= 0, path
        backgrounds.add(site.find("body").value_of_css_property("background-color"))
        site.shoot(f"{name}-{theme}-narrow")
    [background] = backgrounds
    assert (background == "rgba(255, 255, 255, 1)") is (theme == "light")
