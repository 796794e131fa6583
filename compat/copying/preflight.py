"""The checks before a copy writes anything."""

from collections.abc import Iterable
from pathlib import Path

from django.db import DatabaseError, Error, connections
from django.db.models import Model
from django.utils.connection import ConnectionDoesNotExist
from django.utils.translation import gettext

from compat.copying.dialects import dialect_for
from compat.copying.dialects.base import Column
from compat.copying.errors import Blocked
from compat.copying.functions import is_zone
from compat.copying.job import Job
from compat.copying.models import CopyEvent, CopyRange, CopyRun, RejectedRow
from compat.database.files import absent_file
from compat.database.text import one_line

IDENTITY = ("ENGINE", "HOST", "PORT", "NAME")


def check(job: Job) -> None:
    """Raise Blocked unless both databases answer and have the tables and columns of the copy."""
    _ = job.copy.fields  # raises DeclarationError
    _check_zones(job)
    _check_aliases(job)
    _check_tables(job.source, {job.copy.source: set(job.copy.source_columns)})
    check_target(job)


def _check_zones(job: Job) -> None:
    """Refuse an unknown time zone, because every row would be rejected."""
    for name in sorted(job.copy.zones):
        if not is_zone(name):
            text = gettext("There is no time zone %(zone)r. Correct LEGACY_TIME_ZONE, or the zone in the declaration.")
            raise Blocked(text % {"zone": name})


def _check_aliases(job: Job) -> None:
    """Refuse another alias of the target's database as the source: its rows would be copied once for each alias."""
    if job.is_cross_database and {job.source, job.using} <= set(connections):
        databases = [
            tuple(connections[alias].settings_dict[key] for key in IDENTITY) for alias in (job.source, job.using)
        ]
        if databases[0] == databases[1]:
            text = gettext("%(source)r and %(target)r are the same database: leave --source away.")
            raise Blocked(text % {"source": job.source, "target": job.using})


def check_target(job: Job) -> None:
    """Raise Blocked unless the target's database is ready for the copy."""
    needed = {job.copy.target: {job.copy.target_key, *(field.column for field, _ in job.copy.fields)}}
    for model in (CopyRun, CopyRange, CopyEvent, RejectedRow):
        needed[model] = {field.column for field in model._meta.concrete_fields}
    _check_tables(job.using, needed)


def _check_tables(using: str, needed: dict[type[Model], set[str]]) -> None:
    try:
        connection = connections[using]
        _check_file(using, absent_file(connection), next(iter(needed)))
        with connection.cursor() as cursor:
            introspection = dialect_for(connection).introspection
            for model, names in needed.items():
                columns = introspection.columns(cursor, model._meta.db_table)
                _check_presence(using, model, columns)
                _check_unknown_columns(using, model, columns)
                _check_columns(using, model, names - {column.name for column in columns})
    except ConnectionDoesNotExist:
        known = ", ".join(connections)
        text = gettext("There is no database alias %(alias)r; the settings know: %(known)s.")
        raise Blocked(text % {"alias": using, "known": known}) from None
    except (DatabaseError, Error) as error:
        text = gettext("The database %(alias)r cannot be read: %(error)s")
        raise Blocked(text % {"alias": using, "error": one_line(error)}) from error


def _check_file(using: str, file: Path | None, model: type[Model]) -> None:
    """Refuse a file that does not exist, because a connection would create an empty one."""
    if file:
        text = gettext("The database %(alias)r is the file %(file)s, which does not exist. %(advice)s")
        advice = _advice(using) if model._meta.managed else _advice_on_legacy()
        raise Blocked(text % {"alias": using, "file": file, "advice": advice})


def _check_presence(using: str, model: type[Model], columns: list[Column]) -> None:
    table = model._meta.db_table
    if not columns:
        text = gettext("The table %(table)s is not in the database %(alias)r. %(advice)s")
        advice = _advice(using) if model._meta.managed else _advice_on_legacy()
        raise Blocked(text % {"table": table, "alias": using, "advice": advice})


def _check_columns(using: str, model: type[Model], missing: set[str]) -> None:
    if missing:
        text = gettext("The table %(table)s in the database %(alias)r has no column %(columns)s. %(advice)s")
        facts = {"columns": ", ".join(sorted(missing)), "advice": _advice(using)}
        raise Blocked(text % {"table": model._meta.db_table, "alias": using, **facts})


def _check_unknown_columns(using: str, model: type[Model], columns: Iterable[Column]) -> None:
    """Refuse a target with a column that the model does not know and that every row must fill."""
    if not model._meta.managed:
        return
    known = {field.column for field in model._meta.concrete_fields}
    for column in columns:
        if column.name not in known and not column.may_be_null and not column.has_default:
            text = gettext(
                "The column %(column)s of %(table)s in the database %(alias)r must not be NULL and is unknown to the "
                "model, so no row can be written. %(advice)s"
            )
            facts = {"column": column.name, "table": model._meta.db_table, "alias": using}
            raise Blocked(text % {**facts, "advice": _advice(using)})


def _advice(using: str) -> str:
    database = "" if using == "default" else f" --database {using}"
    text = gettext("Run verify_structure%(option)s to see what else is missing, and with --fix to create it.")
    return text % {"option": database}


def _advice_on_legacy() -> str:
    return gettext("Nothing creates it: check that this is the legacy database, or name that one by --source.")
