"""What must be true after a copy, said once."""

from tests.cases.copy.laboratory import TARGET


def assert_refused(lab, answer, *words, rows=0, table=TARGET):
    """Assert that the copy was refused before the first row, and that the refusal names what it is about."""
    assert (answer.code, answer.status) == (2, "blocked"), answer
    assert answer.verified is not True
    assert_named(answer.text, *words)
    assert lab.count(table) == rows
    assert lab.rejects() == {}


def assert_named(text, *words):
    """Assert that a text names these words, in any case of letters."""
    missing = [word for word in words if word.lower() not in text.lower()]
    assert not missing, f"{missing} not in: {text}"


def assert_copied(lab, answer, rows, columns="*"):
    """Assert that the copy is complete, verified, and that the target holds exactly these rows."""
    assert lab.rows(columns) == rows, answer
    assert (answer.code, answer.verified, answer.rejected) == (0, True, 0), answer


def assert_round_trip(lab, rows, columns="*", live=()):
    """Copy, copy again, verify and roll back; the target holds exactly these rows, and in the end only `live`."""
    assert_copied(lab, lab.run(), rows, columns)
    assert lab.run().status == "nothing_to_do"
    assert (verified := lab.run("--verify")).status == "verified", verified
    assert (back := lab.run("--rollback")).code == 0, back
    assert lab.rows(columns) == list(live)


def assert_rejected(lab, answer, keys, word, rows, columns="*"):
    """Assert that exactly the source rows with these keys are rejects that name `word`, and the others arrived."""
    assert lab.rows(columns) == rows, (answer, lab.rejects())
    rejects = lab.rejects()
    assert sorted(rejects, key=str) == sorted(keys, key=str), rejects
    for reason in rejects.values():
        assert_named(reason, word)
    assert (answer.code, answer.rejected) == (1, len(keys)), answer
