"""The comment of a table or column is not the model's."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from compat.structure.findings import Documentation, Finding, Kind, Severity
from compat.structure.matching import Sides


class Comment(Kind):
    """Comments harm nothing."""

    name = "comment"
    number = 20
    title = "Comment"
    documentation = {
        Severity.INFO: Documentation(
            meaning="The comment of a table or column differs from `db_comment` or `db_table_comment`.",
            danger="None.",
            remedy="None needed.",
        ),
    }

    def find(self, sides: Sides) -> Iterator[Finding]:
        comments = [(sides.name, sides.expected.comment, sides.actual.comment)]
        comments += [(column.name, column.comment, actual.comment) for column, actual in sides.columns()]
        for name, expected, actual in comments:
            if expected != actual:
                message = _("The comment of %(name)s differs from the model's.") % {"name": name}
                yield self.finding(Severity.INFO, sides.name, message, name, expected, actual)
