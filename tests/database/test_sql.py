"""Names, files and text, without a server."""

import pytest
from django.db import connections

from compat.database.files import absent_file, database_file
from compat.database.sql import literal, quote_table, table_parts
from compat.database.text import first_line, one_line, padded
from tests.databases import connected


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("readings", ("readings",)),
        ('"legacy"."readings"', ("legacy", "readings")),
        ('legacy"."readings', ("legacy", "readings")),
        ("Old Readings", ("Old Readings",)),
        ("legacy.readings", ("legacy.readings",)),
    ],
)
def test_table_names_may_hold_a_schema(name, parts):
    assert table_parts(name) == parts


def test_each_part_of_a_table_name_is_quoted():
    assert quote_table(connections["default"], 'legacy"."Old Readings') == '"legacy"."Old Readings"'


def test_literals_escape_quotes_and_percent_signs():
    assert literal("it's 5 %") == "'it''s 5 %%'"


@pytest.mark.parametrize("scheme", ["{}", "file:{}?cache=shared"])
def test_a_file_that_does_not_exist_is_named_and_not_created(tmp_path, scheme):
    file = tmp_path / "absent.sqlite3"
    with connected("other", f"sqlite:///{file}") as other:
        connections[other].settings_dict["NAME"] = scheme.format(file)
        assert database_file(connections[other]) == file
        assert absent_file(connections[other]) == file
        assert not file.exists()
        file.touch()
        assert absent_file(connections[other]) is None


def test_a_database_in_memory_has_no_file():
    with connected("other", "sqlite://:memory:") as other:
        assert database_file(connections[other]) is None


def test_errors_in_one_line():
    error = ValueError("duplicate key\nDETAIL:  Key (id)=(1)")
    assert one_line(error) == "duplicate key DETAIL: Key (id)=(1)"
    assert first_line(error) == "duplicate key"
    assert one_line(ValueError()) == first_line(ValueError()) == "ValueError"


def test_padding_counts_terminal_columns():
    assert padded("ab", 4) == "ab  "
    assert padded("ab", -4) == "  ab"
    assert padded("数据", 6) == "数据  "
