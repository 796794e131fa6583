"""A headless Chromium of Debian, and the site, served by this process."""

import shutil
import threading

import pytest
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.test import Client

from tests.pages.site import Site

FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-component-update",
         "disable-background-networking", "disable-sync", "disable-dev-shm-usage", "disable-extensions")  # fmt: skip


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A headless Chromium with its own profile, without other connections than to the server under test."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    options = ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    chrome.set_page_load_timeout(60)
    yield chrome
    chrome.quit()


@pytest.fixture
def server(migrated):
    """The address of the project, served by a thread of this process."""
    served = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler)
    served.set_app(WSGIHandler())
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()
    thread.join()


class QuietHandler(WSGIRequestHandler):
    """Handles requests without a log line for each."""

    def log_message(self, format, *args):
        """Log nothing."""


@pytest.fixture
def site(server, browser):
    """The admin in the browser, logged in as a superuser."""
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    browser.set_window_size(1200, 900)
    browser.get(f"{server}/health/")
    browser.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})
    browser.get_log("browser")
    yield Site(browser, f"{server}/admin/")
    assert errors(browser) == []


def errors(browser):
    """Return the errors on the console of the browser, except for the missing favicon."""
    return [entry for entry in browser.get_log("browser")
            if entry["level"] == "SEVERE" and "favicon.ico" not in entry["message"]]  # fmt: skip
