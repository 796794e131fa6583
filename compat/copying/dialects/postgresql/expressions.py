"""PostgreSQL's spelling of SQL."""

from collections.abc import Iterable

from compat.copying.dialects.base import Expressions


class PostgreSQLExpressions(Expressions):
    """Standard SQL and casts."""

    supports_full_join = True

    def differs(self, left: str, right: str, *, is_text: bool = False) -> str:
        """The standard has a predicate for it; the type text with the collation C compares bytes."""
        if is_text:
            return f'({left})::text COLLATE "C" IS DISTINCT FROM ({right})::text'
        return f"{left} IS DISTINCT FROM {right}"

    def as_text(self, value: str) -> str:
        """Cast to text."""
        return f"({value})::text"

    def as_bigint(self, value: str) -> str:
        """Cast to bigint."""
        return f"({value})::bigint"

    def concatenated(self, texts: Iterable[str]) -> str:
        """Use the operator of the standard."""
        return " || ".join(texts)
