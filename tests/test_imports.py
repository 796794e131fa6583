"""Imports have one direction: a part of a package imports what stands above it or beside it, nothing else of ours."""

import ast

import pytest

from tests.databases import ROOT

LAYERS = {
    "compat.database": [
        "errors file_locks files messages sql stop text",
        "dialects",
        "locks retry",
    ],
    "compat.structure": [
        "errors history names constraints",
        "schema project",
        "build matching steps",
        "dialects",
        "findings",
        "kinds ignore documentation",
        "comparison",
        "cause",
        "inspection",
        "adoption data_checks report",
        "planner plans render",
        "verification",
        "execution checks",
        "apps management",
    ],
    "compat.copying": [
        "errors progress reasons results",
        "states dialects",
        "functions messages",
        "key_types keys",
        "declaration",
        "models job rows runs runner signals preflight report",
        "operations",
        "api",
        "apps management",
    ],
    "compat": [
        "database",
        "structure copying",
        "conf models background testing demo",
        "copies",
        "services",
        "health",
        "startup views admin management",
        "apps",
    ],
}


ROOMS = ["database", "structure", "copying"]
"""Packages with layers of their own."""
FLOOR = "compat.database."
ENGINES = ["compat.structure", "compat.copying"]


def imported(file):
    """Yield the dotted names that a file imports from the project, wherever in the file."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name for name in names if name.startswith(("compat.", "csms_project.")))


def parts(package):
    """Yield each file of a package with the part that it belongs to; `compat` is without its engines."""
    folder = ROOT / package.replace(".", "/")
    for file in folder.rglob("*.py"):
        part = file.relative_to(folder).with_suffix("").parts[0]
        if part not in {"__init__", "migrations"} and (package != "compat" or part not in ROOMS):
            yield file.relative_to(ROOT), part


@pytest.mark.parametrize("package", LAYERS)
def test_a_part_imports_only_what_stands_above_or_beside_it(package):
    level = {part: number for number, line in enumerate(LAYERS[package]) for part in line.split()}
    assert {part for _, part in parts(package)} == level.keys() - set(ROOMS if package == "compat" else [])
    wrong = [
        f"{file} imports {name}"
        for file, part in parts(package)
        for name in imported(ROOT / file)
        if (other := name.removeprefix(f"{package}.").partition(".")[0]) != part
        and not (package in ENGINES and name.startswith(FLOOR))
        and not (name.startswith(f"{package}.") and level.get(other, len(level)) <= level[part])
    ]
    assert wrong == []
