"""Compare constraints and indexes: by what they mean, then by name."""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compat.structure.findings import Finding, Kind, Severity
from compat.structure.snapshot import Rule

WORDS = {
    Kind.PRIMARY_KEY: gettext_lazy("primary key"),
    Kind.FOREIGN_KEY: gettext_lazy("foreign key"),
    Kind.UNIQUE: gettext_lazy("unique constraint"),
    Kind.CHECK: gettext_lazy("check constraint"),
    Kind.EXCLUSION: gettext_lazy("exclusion constraint"),
    Kind.INDEX: gettext_lazy("index"),
}
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def compare_rules(
    table: str, expected: Iterable[Rule], actual: Iterable[Rule], declared: frozenset[str]
) -> Iterator[Finding]:
    """Yield the differences between the constraints and indexes of one table."""
    expected = tuple(expected)
    missing, extra, pairs = match(expected, actual)
    for wanted, found in pairs:
        yield from _paired(table, wanted, found, declared)
    for rule in missing:
        severity = ERROR if rule.kind is not Kind.INDEX else INFO if _is_companion(rule, declared) else WARNING
        message = _("The %(kind)s %(what)s is missing.") % {"kind": WORDS[rule.kind], "what": _what(rule)}
        yield Finding(rule.kind, severity, table, message, rule.name, rule.describe())
    for rule in extra:
        names = {"kind": WORDS[rule.kind], "name": rule.name, "what": _what(rule)}
        message = _("No model knows the %(kind)s %(name)s %(what)s.") % names
        severity = WARNING if _acts_beside(rule, expected) else INFO
        yield Finding(rule.kind, severity, table, message, rule.name, None, rule.describe())


def _acts_beside(rule: Rule, expected: Iterable[Rule]) -> bool:
    """Whether an extra foreign key deletes or changes rows by columns whose own foreign key leaves that to Django."""
    acts = rule.kind is Kind.FOREIGN_KEY and {"on delete", "on update"} & dict(rule.traits).keys()
    return bool(acts) and any((other.kind, other.columns) == (rule.kind, rule.columns) for other in expected)


def _is_companion(rule: Rule, declared: frozenset[str]) -> bool:
    """Whether Django makes the index for LIKE beside another one; it leaves it out when it alters some fields."""
    by_pattern = dict(rule.traits).get("operators") == "text_pattern_ops"
    return by_pattern and rule.name.endswith("_like") and rule.name not in declared


def _what(rule: Rule) -> str:
    return _("on %(columns)s") % {"columns": rule.describe()} if rule.columns else rule.describe()


def match(expected: Iterable[Rule], actual: Iterable[Rule]) -> tuple[list[Rule], list[Rule], list[tuple[Rule, Rule]]]:
    """Pair the rules by meaning, then by name, then by kind and columns; return missing, extra, pairs."""
    missing, extra, pairs = list(expected), list(actual), []
    for same in (_same_in_all, _same_meaning, _same_name, _same_columns):
        for wanted in tuple(missing):
            found = next((rule for rule in extra if same(wanted, rule)), None)
            if found is not None:
                missing.remove(wanted)
                extra.remove(found)
                pairs.append((wanted, found))
    return missing, extra, pairs


def _same_in_all(one: Rule, other: Rule) -> bool:
    return one.signature == other.signature and one.name == other.name and one.flags == other.flags


def _same_meaning(one: Rule, other: Rule) -> bool:
    return one.signature == other.signature


def _same_name(one: Rule, other: Rule) -> bool:
    return (one.kind, one.name) == (other.kind, other.name)


def _same_columns(one: Rule, other: Rule) -> bool:
    """A table has one primary key; a second foreign key would not undo the first; a second index would do no harm."""
    if one.kind is Kind.PRIMARY_KEY:
        return other.kind is Kind.PRIMARY_KEY
    return one.kind is Kind.FOREIGN_KEY and (one.kind, one.columns) == (other.kind, other.columns)


def _paired(table: str, expected: Rule, actual: Rule, declared: frozenset[str]) -> Iterator[Finding]:
    names = {"kind": WORDS[expected.kind], "name": actual.name}
    if expected.signature != actual.signature:
        severity = WARNING if expected.kind is Kind.INDEX or _in_other_order(expected, actual) else ERROR
        sides = {"actual": actual.describe(), "expected": expected.describe()}
        message = _("The %(kind)s %(name)s is %(actual)s, not %(expected)s.") % {**names, **sides}
    elif expected.flags != actual.flags:
        severity = ERROR if _is_powerless(expected, actual) else WARNING
        flaws = {"what": _what(actual), "flaws": _flaws(expected, actual)}
        message = _("The %(kind)s %(name)s %(what)s is %(flaws)s.") % {**names, **flaws}
    elif expected.name != actual.name and expected.name in declared:
        text = _("The %(kind)s is named %(name)s, and a later migration will look for %(expected)s.")
        message = text % {**names, "expected": expected.name}
        yield Finding(Kind.NAME, INFO, table, message, expected.name, expected.name, actual.name)
        return
    else:
        return
    wanted, found = expected.describe(with_flags=True), actual.describe(with_flags=True)
    yield Finding(expected.kind, severity, table, message, expected.name, wanted, found)


def _in_other_order(expected: Rule, actual: Rule) -> bool:
    """Whether a primary key has the same columns in another order: it keeps its promise, its index serves others."""
    same = sorted(expected.columns) == sorted(actual.columns) and expected.traits == actual.traits
    return expected.kind is Kind.PRIMARY_KEY and same


def _is_powerless(expected: Rule, actual: Rule) -> bool:
    """Whether the constraint is there and lets pass what it should refuse."""
    invalid = expected.kind is Kind.UNIQUE and ("state", "INVALID") in actual.flags
    return invalid or dict(expected.flags).get("enforced") != dict(actual.flags).get("enforced")


def _flaws(expected: Rule, actual: Rule) -> str:
    found, wanted = dict(actual.flags), dict(expected.flags)
    names = sorted({name for name in {**wanted, **found} if wanted.get(name) != found.get(name)})
    return ", ".join(_(found[name]) if name in found else _("not %(flag)s") % {"flag": wanted[name]} for name in names)
