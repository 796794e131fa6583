"""The documentation has a heading for every code, and for nothing else."""

import re
from pathlib import Path

from compat.structure.checks import UNVERIFIABLE
from compat.structure.findings import CODES

FINDINGS = Path(__file__).resolve().parents[2] / "docs" / "findings.md"


def test_every_code_is_documented():
    headings = re.findall(r"^## (compat\.\w+)$", FINDINGS.read_text(), re.MULTILINE)
    assert sorted(headings) == sorted((*CODES, UNVERIFIABLE))


def test_every_code_says_what_danger_and_remedy_there_are():
    sections = re.split(r"^## compat\.", FINDINGS.read_text(), flags=re.MULTILINE)[2:]
    assert all("- Danger: " in section and "- Remedy: " in section for section in sections)
