"""Row-level security hides rows."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from compat.structure.dialects.base import ManualRepair
from compat.structure.findings import Documentation, Finding, Kind, Repair, Severity
from compat.structure.matching import Sides
from compat.structure.schema import RowSecurity

EFFECTS = {
    RowSecurity.HIDES_ALL: (
        Severity.ERROR,
        _("Row-level security hides every row from this role because no policy allows any."),
    ),
    RowSecurity.HIDES_ALL_FROM_OTHERS: (
        Severity.WARNING,
        _("Row-level security has no policy and hides every row from other roles."),
    ),
    RowSecurity.BY_POLICY: (
        Severity.INFO,
        _("Row-level security is on: this role can see and write only what its policies allow."),
    ),
    RowSecurity.BY_POLICY_FOR_OTHERS: (
        Severity.INFO,
        _("Row-level security is on: other roles can see and write only what their policies allow."),
    ),
}


class RowSecurityKind(Kind):
    """It is never repaired, because rows may be hidden on purpose."""

    name = "row_security"
    number = 24
    title = "Row-level security"
    documentation = {
        Severity.ERROR: Documentation(
            meaning=("It is enabled, applies to the role that verifies, and no policy allows that role a row."),
            danger="The application sees no row and can write none.",
            remedy="Manual: `CREATE POLICY`, or `ALTER TABLE … DISABLE ROW LEVEL SECURITY`.",
        ),
        Severity.WARNING: Documentation(
            meaning=(
                "It is enabled without any policy. It does not apply to the role that verifies, which is the owner "
                "(without `FORCE`) or a superuser."
            ),
            danger="Every other role sees no row.",
            remedy="Manual: `CREATE POLICY`, or `ALTER TABLE … DISABLE ROW LEVEL SECURITY`.",
        ),
        Severity.INFO: Documentation(
            meaning="It is enabled, with policies.",
            danger=(
                "None if this is intended; a role sees only the rows that its policies allow, and a verification by "
                "such a role reads only these."
            ),
            remedy="None needed.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        state = sides.actual.row_security
        if state is not RowSecurity.OFF:
            severity, effect = EFFECTS[state]
            yield self.finding(severity, sides.name, str(effect), sides.name, None, state.value)

    def manual_repair(self, repair: Repair) -> ManualRepair | None:
        return repair.dialect.ddl.open_rows(repair.sides)
