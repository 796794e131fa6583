"""The documentation has a section for every code, written by the kinds themselves."""

import re

from compat.structure.checks import UNVERIFIABLE
from compat.structure.documentation import reference
from compat.structure.kinds import CODES, KINDS
from tests.databases import ROOT

FINDINGS = (ROOT / "docs" / "findings.md").read_text()


def test_every_code_is_documented():
    headings = re.findall(r"^## (compat\.\w+)$", FINDINGS, re.MULTILINE)
    assert sorted(headings) == sorted((*CODES, UNVERIFIABLE))


def test_the_documentation_is_that_of_the_kinds():
    """The module `compat.structure.documentation` says how to print the end of the file."""
    assert FINDINGS.endswith(reference())


def test_every_code_names_danger_and_remedy():
    sections = re.split(r"^## compat\.", FINDINGS, flags=re.MULTILINE)[2:]
    assert all("- Danger: " in section and "- Remedy: " in section for section in sections)


def test_numbers_never_change():
    assert {kind.number: name for name, kind in KINDS.items()} == {
        1: "missing_table", 2: "not_a_table", 3: "missing_column", 4: "extra_column", 5: "renamed_column", 6: "type",
        7: "nullability", 8: "default", 9: "collation", 10: "generated", 11: "identity", 12: "sequence",
        13: "primary_key", 14: "foreign_key", 15: "unique", 16: "check", 17: "exclusion", 18: "index", 19: "storage",
        20: "comment", 21: "name", 22: "unjudged", 23: "trigger", 24: "row_security",
        25: "newer_database",
    }  # fmt: skip
