"""Run a copy's command in this process, and what it answered."""

import io
import json
from dataclasses import dataclass

from django.core.management import CommandError, call_command

from tests.cases.copy.api import command

MAX_SECONDS = "--max-seconds=40"
"""The guard of every command: a copy that never ends stops at a batch border."""


@dataclass(frozen=True)
class Answer:
    """The exit code, the JSON object, and everything that a person would read."""

    code: int
    json: dict
    text: str

    @property
    def status(self):
        return self.json["status"]

    @property
    def copied(self):
        return self.json["copied"]

    @property
    def rejected(self):
        return self.json["rejected"]

    @property
    def verified(self):
        return self.json["verified"]

    @property
    def differences(self):
        return self.json["differences"]


def run(copy, *options):
    """Run the command of `copy` and return its answer; a traceback is not an answer and is raised."""
    return answer_of(command(copy), MAX_SECONDS, "--no-progress", *options)


def answer_of(name, *options):
    """Run a command with JSON output and return its answer."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command(name, *options, "--format=json", stdout=out, stderr=err)
    except SystemExit as end:
        code = end.code
    except CommandError as error:
        code = error.returncode
        err.write(str(error))
    assert code in {0, 1, 2, 3}, err.getvalue()
    found = json.loads(out.getvalue())  # one object and nothing else
    return Answer(code, found, f"{found.get('error') or ''}\n{err.getvalue()}")
