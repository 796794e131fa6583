"""All marked texts have Chinese translations, the compiled catalogs match the sources, and the output uses them."""

# ruff: noqa: RUF001  Chinese punctuation

import ast
import gettext
import re

import pytest
from django.test import Client
from django.utils.html import strip_tags
from django.utils.translation import override
from django.utils.translation.template import templatize

from compat import services
from compat.copying.models import CopyEvent, RejectedRow
from tests import legacy
from tests.databases import ROOT, manage
from tests.pages.users import VIEW, login

CATALOGS = sorted((ROOT / "compat").rglob("locale/zh_Hans/LC_MESSAGES/django.po"))
APPS = [file.parent for file in (ROOT / "compat").rglob("apps.py")]
MARKERS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
LITERAL = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
IN_TEMPLATES = re.compile(rf"(?:_|gettext|ngettext)\({LITERAL}(?:, {LITERAL})?")
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[a-z]|%[a-z]|\{\w*[^}]*\}")
SENTENCE = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")

catalogs = pytest.mark.parametrize("po", CATALOGS, ids=lambda po: po.parents[3].name)


def marked(app):
    """Yield the texts that an app marks for translation, each with its plural or None."""
    for file in app.rglob("*"):
        if max((a for a in APPS if file.is_relative_to(a)), key=lambda a: len(a.parts)) != app:
            continue
        if file.suffix == ".py":
            yield from in_python(file.read_text())
        elif file.suffix == ".html":
            for texts in IN_TEMPLATES.findall(templatize(file.read_text())):
                yield tuple(ast.literal_eval(text) if text else None for text in texts)


def in_python(source):
    """Yield the literal texts in calls of gettext functions, each with its plural or None."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MARKERS:
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if texts:
                yield texts[0], texts[1] if node.func.id.startswith("ngettext") else None


def compiled(po):
    """Return the compiled catalog of a source."""
    with po.with_suffix(".mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def entries(po):
    """Return the entries of the source of a catalog: msgid → msgstr, for a plural its only form."""
    found = {}
    for block in po.read_text().split("\n\n"):
        fields = [
            (keyword, "".join(map(ast.literal_eval, re.findall(r'".*"', text))))
            for keyword, text in re.findall(r'^(msg\S+) ((?:".*"\n?)+)', block, re.MULTILINE)
        ]
        found |= {fields[0][1]: fields[-1][1]} if fields else {}
    return {text: chinese for text, chinese in found.items() if text}


@catalogs
def test_marked_texts_are_translated(po):
    texts = dict(marked(po.parents[3]))
    catalog = compiled(po)
    missing, wrong = [], []
    for text, plural in texts.items():
        chinese = catalog.ngettext(text, plural, 2) if plural else catalog.gettext(text)
        if chinese in {text, plural}:
            missing.append(text)
        elif sorted(PLACEHOLDER.findall(plural or text)) != sorted(PLACEHOLDER.findall(chinese)):
            wrong.append((text, chinese))
    assert (missing, wrong) == ([], [])
    assert entries(po).keys() - texts.keys() == set()


@catalogs
def test_compiled_catalogs_match_their_sources(po):
    catalog = compiled(po)._catalog
    texts = {key[0] if isinstance(key, tuple) else key: text for key, text in catalog.items() if key}
    assert texts == entries(po)


def test_catalogs_translate_shared_texts_alike():
    words = {}
    for po in CATALOGS:
        for text, chinese in entries(po).items():
            words.setdefault(text, set()).add(chinese)
    assert {text: chinese for text, chinese in words.items() if len(chinese) > 1} == {}


def test_both_readmes_have_the_same_content():
    english, chinese = ((ROOT / name).read_text() for name in ("README.md", "README.zh-hans.md"))
    commands = r"(?<=\n)(?:python|python3|export|pytest|\. )\b.*?(?= {2,}#|\n)"
    for pattern in (commands, r"\n(#+ |- |\| --- )", r"\n\| *(?=`)", r"\]\((docs/[^)]+)\)"):
        assert re.findall(pattern, english) == re.findall(pattern, chinese)
    assert set(re.findall(r"`([^`\n]+)`", english)) == set(re.findall(r"`([^`\n]+)`", chinese))


def chinese(*arguments, **options):
    """Run a command in Chinese and return its output."""
    result = manage(*arguments, DJANGO_LANGUAGE_CODE="zh-hans", **options)
    return result.stdout + result.stderr


def test_commands_are_in_chinese(migrated, migrated_url):
    legacy.build(migrated, 1200)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    assert "源数据库（默认：与目标相同）" in chinese("migrate_performance", "--help", url=migrated_url, check=0)
    said = chinese("migrate_performance", "--dry-run", url=migrated_url, check=0)
    assert re.search(r"试运行：未作任何改动。\n  源 +1,200 行\n  待复制 +1,199 行\n  将被拒绝 +1 行\n  预计用时 ", said)
    assert "没有数据库别名 'nope'" in chinese("migrate_performance", "--database=nope", url=migrated_url, check=2)
    chinese("migrate_performance", url=migrated_url, check=1)
    reject = RejectedRow.objects.get()
    assert reject.reason == "device_id refers to a row that is not in devices"
    with override("zh-hans"):
        assert reject.reason_text == "device_id 引用的行不在 devices 中"
    said = chinese("migrate_performance", "--status", url=migrated_url, check=0)
    assert re.search(r"    1  已完成 +1 至 1200 ", said)
    chinese("makemigrations", "--check", "--dry-run", url=migrated_url, check=0)


PAGES = (
    "run/",
    "run/1/change/",
    "run/1/cancel/",
    "run/1/roll-back/",
    "run/roll-back/",
    "reject/",
    "reject/1/change/",
    "structure/",
)
BROWSER = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_pages_use_the_language_of_the_browser(migrated, settings, caplog):
    legacy.build(migrated, 50)
    legacy.execute(migrated, "UPDATE performance_data SET device_id = 999 WHERE id = 7")
    settings.LANGUAGE_CODE = "zh-hans"
    with caplog.at_level("INFO", logger="compat.copying.events"):
        services.migrate_performance_data()
    settings.LANGUAGE_CODE = "en-us"
    assert (CopyEvent.objects.last().code, CopyEvent.objects.last().facts["copied"]) == ("completed", 49)
    assert "run 1: completed, 49 rows copied, 1 rejected, 1 batches, " in caplog.text
    client = login(*VIEW, "operate_run", "roll_back_run", "retry_reject")
    for path in PAGES:
        page = client.get(f"/admin/compat/{path}", headers=BROWSER).content.decode()
        own = page.partition('<div id="content"')[2].partition("<footer")[0]
        prose = strip_tags(re.sub(r"<(code|pre|script|svg)\b.*?</\1>", "", own, flags=re.DOTALL))
        assert SENTENCE.findall(prose) == [], path
        assert re.search("[一-鿿]{2}", prose), path
    ended = "已完成，复制 49 行，拒绝 1 行，1 个批次，"
    assert ended in client.get("/admin/compat/run/1/change/", headers=BROWSER).content.decode()
    assert (
        "completed, 49 rows copied, 1 rejected"
        in client.get("/admin/compat/run/1/change/", headers={"accept-language": "en"}).content.decode()
    )
    assert 'lang="zh-hans"' in Client().get("/admin/login/", headers=BROWSER).content.decode()
