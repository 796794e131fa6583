"""A report speaks the language that is active, in every sentence; what programs read stays as it is."""

import json
import re

import pytest
from django.core.management.color import no_style
from django.db import DatabaseError, transaction
from django.utils import translation

from compat.structure.render import as_text
from compat.structure.verification import verify
from tests.structure import test_damage
from tests.structure.test_damage import POSTGRES, SQLITE, inflict

CHINESE = re.compile("[一-鿿]")
DAMAGES = {"postgresql": POSTGRES, "sqlite": SQLITE}
TO_TABLES = ("missing_table", "not_a_table")
SAID = {"message", "hint"}


def inflict_all(damages):
    """Do every damage that the former ones leave room for."""
    known = test_damage.names()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_damage, "names", lambda: known)
        for damage in damages:
            try:
                with transaction.atomic():
                    inflict(damage)
            except DatabaseError:
                continue


def data(findings):
    """Return what a program reads of the findings."""
    return [{key: value for key, value in finding.items() if key not in SAID} for finding in findings]


@pytest.mark.slow
@pytest.mark.parametrize("to_tables", [True, False])
@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_every_finding_has_a_chinese_text(vendor, torture, to_tables):
    inflict_all(damage for damage in DAMAGES[vendor] if (damage.kind in TO_TABLES) == to_tables)
    with translation.override("zh-hans"):
        report = verify()
        lines = as_text(report, no_style(), verbosity=2).splitlines()
    found = json.loads(json.dumps([issue.as_dict() for issue in report.issues]))
    assert [text for issue in found for key in SAID if (text := issue[key]) and not CHINESE.search(text)] == []
    assert [line for line in lines if line and not CHINESE.search(line)] == []
    english = json.loads(json.dumps([issue.as_dict() for issue in verify().issues]))
    assert not CHINESE.search(json.dumps(english, ensure_ascii=False))
    assert data(found) == data(english)
