"""The pages in a real browser: they refresh themselves, act, fit narrow windows and follow the theme."""

import pytest
from selenium.webdriver.common.by import By

from compat.copying.models import CopyRun
from tests import legacy
from tests.startup.test_servers import copy_fast_again, copy_slowly

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("vendor", ["sqlite"])]
PAGES = ("compat/structure/", "compat/structure/repair/", "compat/run/", "compat/run/1/change/",
         "compat/run/1/cancel/", "compat/run/1/roll-back/", "compat/run/roll-back/", "compat/reject/")  # fmt: skip


def test_run_page_follows_pauses_and_resumes(migrated, site):
    legacy.build(migrated, 20_000)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id % 1000 = 7")
    copy_slowly(migrated)
    site.open("compat/run/")
    site.press("Start a copy")
    site.wait(lambda: CopyRun.objects.exists())
    site.open("compat/run/1/change/")
    first = site.wait(lambda: (count := site.figure("copied")) != "0" and count)
    site.wait(lambda: site.figure("copied") != first)
    site.wait(lambda: site.find("#rate polyline"))
    site.shoot("run-live")
    site.press("Pause")
    site.wait(lambda: site.state() == "paused")
    assert "paused by root" in site.find("#events").text
    site.shoot("run-paused")
    copy_fast_again(migrated)
    site.press("Resume")
    site.wait(lambda: site.state() == "completed")
    assert (site.figure("copied"), site.figure("rejected"), site.figure("verification")) == ("19,980", "20", "equal")
    assert site.find("#rate polyline").get_attribute("points").count(",") >= 2
    site.shoot("run-completed")


def test_structure_page_repairs(migrated, site):
    legacy.execute(migrated, "DROP TABLE thresholds")
    legacy.execute(migrated, "DROP INDEX perf_rec_device_recorded_idx")
    site.open("compat/structure/")
    assert "differs" in site.find("#status").text
    site.shoot("structure-drift")
    site.follow("Apply the safe repairs…")
    assert "CREATE TABLE" in site.find(".compat-sql").text
    site.shoot("structure-repair")
    site.press("Apply")
    site.wait(lambda: "matches the models" in site.find("#status").text)
    assert legacy.count(migrated, "thresholds") == 0
    site.shoot("structure-ok")


def test_pages_fit_all_windows_and_themes(migrated, site):
    from compat import services

    legacy.build(migrated, 3000)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id % 1000 = 7")
    legacy.execute(migrated, "UPDATE performance_data SET timestamp = NULL WHERE id = 9")
    services.migrate_performance_data()
    samples = [[second, 90 * second + second % 7 * 10, 2 * second] for second in range(1, 34)]
    CopyRun.objects.update(samples=samples, seconds=33)
    legacy.execute(migrated, "DROP TABLE thresholds")
    for theme, width in (("light", 1200), ("light", 500), ("dark", 1200), ("dark", 500)):
        site.look(width=width, theme=theme)
        backgrounds = set()
        for path in PAGES:
            site.open(path)
            assert site.overflow() <= 0, (path, theme, width)
            backgrounds.add(site.browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color"))
            site.shoot(f"{path.strip('/').replace('/', '-').removeprefix('compat-')}-{theme}-{width}")
        assert ("rgba(255, 255, 255, 1)" in backgrounds) is (theme == "light")
        assert len(backgrounds) == 1
