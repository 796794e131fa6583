"""Reasons of rejects, without a database."""

import pytest
from django.db import DataError
from django.utils.translation import override

from compat.copying.reasons import TEXTS, Reason, in_english

EMPTY = Reason.of_column("empty", "price")
LONG = Reason.of_column("too_long", "label", length=10)
REFUSED = Reason.of_error(DataError('invalid input syntax for type json: "x"\nDETAIL: Token "x" is invalid.'))


def test_a_reason_is_rendered_in_the_language_of_the_reader():
    with override("zh-hans"):
        assert str(LONG) == "label 超过 10 个字符"
        assert in_english([EMPTY, LONG]) == (
            "price is empty, but a value is required; label is longer than 10 characters"
        )


@pytest.mark.parametrize("reason", [EMPTY, LONG, REFUSED])
def test_a_reason_reads_back(reason):
    assert Reason.from_json(reason.as_json()) == reason


def test_a_refusal_is_grouped_without_what_it_quotes_of_the_row():
    assert REFUSED.summary() == REFUSED.subject == "invalid input syntax for type json"
    assert str(REFUSED).endswith('Token "x" is invalid.')


def test_an_unknown_code_shows_its_facts():
    assert str(Reason("of_a_later_release", {"column": "price"})) == "of_a_later_release {'column': 'price'}"


def test_every_text_of_a_column_names_it():
    assert [code for code, text in TEXTS.items() if "%(column)s" not in str(text)] == ["refused"]
