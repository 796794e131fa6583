"""A progress bar with rate and remaining time for the terminal."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm


class Bar:
    """Progress as a bar on stderr."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def begin(self, what: str, rows: int | None) -> None:
        """Start a bar for `rows` rows."""
        self.end()
        unit = " " + _("rows")
        self._bar = tqdm(total=rows, desc=what, unit=unit, unit_scale=True, dynamic_ncols=True, file=sys.stderr)

    def advance(self, rows: int, note: str = "") -> None:
        """Move the bar on."""
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(rows)

    def end(self) -> None:
        """Close the bar and leave it on the screen."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextmanager
def logging_above_bar() -> Iterator[None]:
    """Print log lines above the bar during the block, instead of through it."""
    with logging_redirect_tqdm(loggers=[logging.getLogger("compat")]):
        yield
