"""Charts of a run: the points of SVG lines, drawn by the template."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compat.copying.runs.samples import speeds

WIDTH, HEIGHT = 600, 120


@dataclass(frozen=True)
class Chart:
    """A line over the seconds of work, from 0 to `top`."""

    name: str
    title: Promise
    top: float
    seconds: float
    points: str

    @property
    def area(self) -> str:
        """The points of the area below the line."""
        return f"0,{HEIGHT} {self.points} {WIDTH},{HEIGHT}"


def charts(samples: list[list[float]]) -> list[Chart]:
    """Return the charts of rows per second and of rows per batch; each needs two points."""
    measured = list(speeds(samples))
    rates = [(speed.seconds, speed.rate) for speed in measured]
    batches = [(speed.seconds, speed.batch) for speed in measured if speed.batch is not None]
    drawn = [_chart("rate", _("rows per second"), rates), _chart("batch", _("rows per batch"), batches)]
    return [chart for chart in drawn if chart is not None]


def _chart(name: str, title: Promise, values: list[tuple[float, float]]) -> Chart | None:
    if len(values) < 2:
        return None
    seconds, top = values[-1][0], max(value for _, value in values) or 1.0
    return Chart(name, title, top, seconds, _points([(0.0, values[0][1]), *values], seconds, top))


def _points(values: Iterable[tuple[float, float]], seconds: float, top: float) -> str:
    return " ".join(f"{x / seconds * WIDTH:.1f},{HEIGHT - y / top * HEIGHT:.1f}" for x, y in values)
