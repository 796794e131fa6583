"""A source table that other hands made, a target table that Django made, and a copy between them."""

import itertools
import json
import os
from contextlib import contextmanager

import psycopg2
from django.db import connections, models

from tests.cases.copy.answers import run
from tests.cases.copy.api import Copy

SOURCE, TARGET = "old_reading", "new_reading"
KEYS = {"sqlite": "INTEGER PRIMARY KEY", "postgresql": "bigint PRIMARY KEY"}
_roles = itertools.count(1)


class Lab:
    """The alias `default` holds the target; `source` is the alias that holds the source."""

    def __init__(self, source, urls):
        self.source = source
        self.urls = urls
        self.declared = None

    @property
    def is_cross_database(self):
        return self.source != "default"

    @property
    def source_vendor(self):
        return connections[self.source].vendor

    @property
    def target_vendor(self):
        return connections["default"].vendor

    def sql(self, statement, params=None, using="default"):
        """Run a statement and return its rows, if it has any."""
        with connections[using].cursor() as cursor:
            cursor.execute(statement, params)
            return cursor.fetchall() if cursor.description else None

    def in_source(self, statement, params=None):
        """Run a statement in the source's database."""
        return self.sql(statement, params, self.source)

    def build(self, columns, rows, table=SOURCE, key=None):
        """Create a source table and fill it; `id` is its key, unless `key` is empty and `columns` say what it is."""
        key = f"id {KEYS[self.source_vendor] if key is None else key}" if key != "" else ""
        self.in_source(f"CREATE TABLE {table} ({', '.join(filter(None, [key, columns]))})")
        self.fill(rows, table)

    def fill(self, rows, table=SOURCE):
        """Add rows to a source table."""
        table = table.replace("%", "%%")
        for row in rows:
            self.in_source(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)

    def model(self, name, table, /, *, managed=False, meta=None, **attributes):
        """Define a model of the app `lab`."""
        options = {"app_label": "lab", "db_table": table, "managed": managed, **(meta or {})}
        return type(name, (models.Model,), {**attributes, "Meta": type("Meta", (), options), "__module__": __name__})

    def old(self, table=SOURCE, /, **attributes):
        """Define the model that a person writes for a source table."""
        return self.model("Old", table, **attributes)

    def new(self, table=TARGET, /, **attributes):
        """Define the target's model, and let Django create its table."""
        return self.create(self.model("New", table, managed=True, **attributes))

    def create(self, model):
        """Create the table of a model in the target's database."""
        with connections["default"].schema_editor() as editor:
            editor.create_model(model)
        return model

    def declare(self, old, new, /, *same, called="lab", after=(), **values):
        """Declare the copy that `run` runs: fields in `same` under their own name, after its parents in `after`."""
        values = {field: models.F(field) for field in same} | values
        self.declared = Copy(name=called, source=old, target=new, values=values, parents=after)
        return self.declared

    def run(self, *options, copy=None):
        """Run the command of the declared copy."""
        source = ["--source", self.source] if self.is_cross_database else []
        return run(copy or self.declared, *source, *options)

    def rows(self, columns="*", table=TARGET):
        """Return the target's rows in key order."""
        return self.sql(f"SELECT {columns} FROM {table} ORDER BY id")

    def count(self, table=TARGET):
        """Return the number of rows in a table of the target's database."""
        return self.sql(f"SELECT count(*) FROM {table}")[0][0]

    def rejects(self):
        """Return the reasons of the open rejects, by source key."""
        found = self.sql("SELECT source_pk, reason FROM compat_rejectedrow WHERE resolved_at IS NULL")
        return {_number(key): reason for key, reason in found}

    def payloads(self):
        """Return the values of the open rejects, by source key."""
        found = self.sql("SELECT source_pk, payload FROM compat_rejectedrow WHERE resolved_at IS NULL")
        return {_number(key): json.loads(text) if isinstance(text, str) else text for key, text in found}

    def reconnect(self, alias, **settings):
        """Change the settings of an alias and connect again."""
        connections[alias].close()
        del connections[alias]
        connections.settings[alias].update(settings)

    @contextmanager
    def as_role(self, alias, *grants):
        """Let an alias work as a role of its own, which is no superuser and owns no table."""
        role = f"lab_{os.getpid()}_{next(_roles)}"
        self.sql(f"CREATE ROLE {role}", using=alias)
        for grant in ("ALL ON ALL TABLES IN SCHEMA public", "ALL ON ALL SEQUENCES IN SCHEMA public", *grants):
            self.sql(f"GRANT {grant} TO {role}", using=alias)
        former = connections.settings[alias]["OPTIONS"]
        self.reconnect(alias, OPTIONS={**former, "assume_role": role})
        try:
            yield role
        finally:
            self.reconnect(alias, OPTIONS=former)
            self.sql(f"DROP OWNED BY {role}; DROP ROLE {role}", using=alias)

    @contextmanager
    def session(self, alias):
        """Open a session of another program on a PostgreSQL alias."""
        other = psycopg2.connect(self.urls[alias])
        try:
            yield other
        finally:
            other.close()


def _number(key):
    """Return a key as a number where it is one, however the engine stores keys."""
    try:
        return int(key)
    except (TypeError, ValueError):
        return key
