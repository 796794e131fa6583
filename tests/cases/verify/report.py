"""What `verify_structure` says: its exit code, its JSON, and the findings in it."""

import json
import re
from typing import NamedTuple


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


class Report:
    """The JSON of `verify_structure`, and the exit code beside it."""

    def __init__(self, result):
        assert "Traceback" not in result.err
        self.code, self.err = result.code, result.err
        self.data = json.loads(result.out)
        self.issues = self.data["issues"]

    def __repr__(self):
        said = [f"{issue['code']} {issue['table']}.{issue['object']}: {says(issue)}" for issue in self.counted]
        return "\n".join([f"exit {self.code}: {self.data['status']} {self.err}", *said])

    @property
    def counted(self):
        """The errors and warnings."""
        return [issue for issue in self.issues if issue["severity"] in {"error", "warning"}]

    def about(self, table, *objects):
        """The errors and warnings of a table, or those of some of its columns, indexes and constraints."""
        return [
            issue for issue in self.counted if issue["table"] == table and (issue["object"] in objects or not objects)
        ]

    def one(self, table, *objects):
        """The only error or warning of a table, or of an object in it."""
        found = self.about(table, *objects)
        assert len(found) == 1, self
        return found[0]

    @property
    def offered(self):
        """The statements that the errors and warnings offer, in order."""
        return [statement for issue in self.counted for statement in issue["sql"]]


def says(issue):
    """All that a finding says to its reader, in one line."""
    return re.sub(r"\s+", " ", " ".join([str(issue["message"]), str(issue["hint"]), *issue["sql"]]))


def assert_clean(lab):
    """Assert that the database differs in nothing that counts."""
    report = lab.verify("--fail-on=warning")
    assert report.code == 0, report
