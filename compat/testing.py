"""For test suites: fail when the structure of the test database differs from the models.

from compat.testing import assert_structure

@pytest.mark.django_db
def test_structure():
    assert_structure()
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from compat.structure.findings import Severity
from compat.structure.verification import verify


def assert_structure(
    using: str = "default", apps: Iterable[str] = (), *, fail_on: str = Severity.WARNING.value
) -> None:
    """Raise AssertionError with the differences between the database and the models of `apps`, by default all.

    Raises compat.structure.errors.Unverifiable when the database cannot be verified.
    """
    level = Severity(fail_on)
    issues = [issue for issue in verify(using, apps).issues if issue.severity.rank >= level.rank and not issue.ignored]
    if issues:
        lines = "\n".join(f"{issue.code} {issue.table}: {issue.message} {issue.hint}".rstrip() for issue in issues)
        raise AssertionError(_("The database %(alias)s differs from the models:") % {"alias": using} + f"\n{lines}")
