"""SQLite's spelling of SQL."""

from collections.abc import Iterable

from compat.copying.dialects.base import Expressions


class SQLiteExpressions(Expressions):
    """FULL JOIN exists from SQLite 3.39 on only."""

    supports_full_join = False
    optimization_fence = " LIMIT -1"

    def differs(self, left: str, right: str, *, is_text: bool = False) -> str:
        """IS NOT compares NULL, too."""
        return f"{left} COLLATE BINARY IS NOT {right}" if is_text else f"{left} IS NOT {right}"

    def as_text(self, value: str) -> str:
        """Cast to text."""
        return f"CAST({value} AS TEXT)"

    def as_bigint(self, value: str) -> str:
        """Cast to an integer, which has 64 bits."""
        return f"CAST({value} AS INTEGER)"

    def concatenated(self, texts: Iterable[str]) -> str:
        """Use the operator of the standard."""
        return " || ".join(texts)
