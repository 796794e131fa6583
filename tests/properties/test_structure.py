"""Whatever the models: a database that Django made shows no difference, and what it loses is found and put back."""

import pytest
from django.db import OperationalError, connection
from hypothesis import given, note, reject
from hypothesis import strategies as st

from compat.structure.execution import repair
from compat.structure.verification import verify
from tests.legacy import execute
from tests.properties.zoos import installed, zoos

pytestmark = pytest.mark.slow


@pytest.fixture
def create(empty):
    """Return a function that creates models in the database, which is empty but for them."""

    def make(models):
        if connection.vendor == "postgresql":
            execute(empty, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        for table in connection.introspection.table_names():
            execute(empty, f"DROP TABLE {quoted(table)}")
        with connection.schema_editor() as editor:
            for model in models:
                note(f"{model.__name__}: {[field.deconstruct()[1:] for field in model._meta.local_fields]}")
                editor.create_model(model)

    return make


def quoted(name):
    return connection.ops.quote_name(name)


def told(report):
    """Return what a report counts."""
    return [(issue.code, issue.table, issue.object, issue.message, issue.hint)
            for issue in report.issues if issue.counts]  # fmt: skip


def losses():
    """Return statements that each take something away from a table, which they name first."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            yield table, f"DROP TABLE {quoted(table)}"
            rules = connection.introspection.get_constraints(cursor, table)
            key = {name for rule in rules.values() if rule["primary_key"] for name in rule["columns"]}
            for column in connection.introspection.get_table_description(cursor, table):
                if column.name not in key:
                    yield table, f"ALTER TABLE {quoted(table)} DROP COLUMN {quoted(column.name)}"
            for name, rule in rules.items():
                if rule["index"] and not name.startswith("sqlite_") and not name.endswith("_like"):
                    yield table, f"DROP INDEX {quoted(name)}"
                elif connection.vendor == "postgresql" and not rule["index"] and set(rule["columns"]) - key:
                    yield table, f"ALTER TABLE {quoted(table)} DROP CONSTRAINT {quoted(name)}"


@given(zoo=zoos())
def test_what_django_creates_shows_no_difference(create, zoo):
    with installed(zoo) as models:
        create(models)
        assert told(verify(labels=["zoo"])) == []


@given(zoo=zoos(), data=st.data())
def test_what_is_lost_is_found_and_put_back(create, zoo, data):
    with installed(zoo) as models:
        create(models)
        table, loss = data.draw(st.sampled_from(sorted(losses())))
        try:
            execute("default", f"{loss} CASCADE" if connection.vendor == "postgresql" else loss)
        except OperationalError:  # SQLite drops no column that something refers to
            reject()
        assert table in {name for _, name, *_ in told(verify(labels=["zoo"]))}
        assert told(repair(labels=["zoo"], rewrite=True)) == []
