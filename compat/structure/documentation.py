"""The reference of all codes, which is the end of docs/findings.md.

`DJANGO_SETTINGS_MODULE=csms_project.settings python -m compat.structure.documentation` prints it.
"""

from collections.abc import Iterator

from compat.structure.findings import Kind, Severity
from compat.structure.kinds import KINDS


def reference() -> str:
    """Return one section for each code, in Markdown."""
    return "\n".join(line for kind in KINDS.values() for line in _sections(kind))


def _sections(kind: Kind) -> Iterator[str]:
    for severity in Severity:
        if texts := kind.documentation.get(severity):
            yield f"## {kind.code(severity)}"
            yield f"\n*{kind.title}* (`{kind.name}`, {severity.value}). {texts.meaning}\n"
            yield f"- Danger: {texts.danger}"
            yield f"- Remedy: {texts.remedy}\n"


if __name__ == "__main__":
    print(reference(), end="")
