"""For test suites: fail when the test database is not as the models say.

from compat.testing import assert_structure

@pytest.mark.django_db
def test_the_database_is_as_the_models_say():
    assert_structure()
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from compat.structure.findings import Severity
from compat.structure.verification import verify


def assert_structure(
    using: str = "default", apps: Iterable[str] = (), *, fail_on: str = Severity.WARNING.value
) -> None:
    """Raise AssertionError that lists the differences between the database and the models of `apps` (default: all).

    Raises compat.structure.errors.Unverifiable when the database cannot be judged.
    """
    level = Severity(fail_on)
    issues = [issue for issue in verify(using, apps).issues if issue.severity.rank >= level.rank and not issue.ignored]
    if issues:
        lines = "\n".join(f"{issue.code} {issue.table}: {issue.message} {issue.hint}".rstrip() for issue in issues)
        raise AssertionError(_("The database %(alias)s is not as the models say:") % {"alias": using} + f"\n{lines}")
