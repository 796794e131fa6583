"""The database is ahead of the code: a newer release migrated it."""

from collections.abc import Iterator, Sequence

from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from compat.structure.findings import Documentation, Finding, Kind, Severity
from compat.structure.matching import Sides


class NewerDatabase(Kind):
    """It stands for all findings of the app: what differs there is what the newer release changed."""

    name = "newer_database"
    number = 25
    title = "Database ahead of the code"
    compares = False
    is_about_history = True
    documentation = {
        Severity.WARNING: Documentation(
            meaning=(
                "Migrations are recorded as applied that this code does not have: a newer release migrated the "
                "database. The tables of the app are not compared, and nothing of it is repaired."
            ),
            danger="Old code may not work with the newer structure.",
            remedy=(
                "Deploy the release that has these migrations. If their files were deleted on purpose, delete "
                "their records: `python manage.py migrate APP --prune`."
            ),
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        yield from ()

    def about(self, app: str, migrations: Sequence[str]) -> Finding:
        """Return the finding for an app with recorded migrations that the code does not have."""
        text = _("The database is ahead of this code: %(migrations)s of %(app)s are recorded, but not in the code.")
        message = text % {"app": app, "migrations": ", ".join(migrations)}
        hint = _(
            "Deploy the code that has them; until then, %(app)s is neither compared nor repaired. If their files "
            "were deleted on purpose, delete the records: python manage.py migrate %(app)s --prune"
        ) % {"app": app}
        table = MigrationRecorder.Migration._meta.db_table
        return self.finding(Severity.WARNING, table, message, app, None, ", ".join(migrations), hint)
