"""A chart as a picture, for a chat and for a report: drawn by resvg, which is Rust in a wheel and needs no browser."""

import re
from functools import cache

from bot.charts.picture import COLOURS, WIDE, svg
from handlers.figures.charts import Chart

# Faces with every Vietnamese letter, in the order in which they are taken where a machine has them.
FACES = "Noto Sans, Segoe UI, Roboto, DejaVu Sans, Liberation Sans, Arial, sans-serif"

_MARGIN = 24
_SHARP = 2.0  # dots for each pixel: sharp on a phone and on paper
_PROPERTY = re.compile(r"var\(--chart-[a-z]+, (#[0-9a-f]{6})\)")


class NoFaceError(Exception):
    """This machine has no font to write a picture with."""


def png(chart: Chart, wide: int = WIDE) -> bytes:
    """The chart with its title and notes as PNG on white; raises NoFaceError on a machine without fonts."""
    if not _writes():
        raise NoFaceError("no font is installed: fonts-dejavu-core or fonts-noto-core has one")
    return _drawn(svg(chart, wide, whole=True, margin=_MARGIN))


def _drawn(element: str) -> bytes:
    import resvg_py  # slow to load, and seldom needed

    plain = _PROPERTY.sub(r"\1", element).replace("<svg ", f'<svg font-family="{FACES}" ', 1)
    return resvg_py.svg_to_bytes(svg_string=plain, background=COLOURS["paper"], zoom=_SHARP)


@cache
def _writes() -> bool:
    """Whether a letter leaves a trace: without any font it is left out in silence."""
    empty = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">{}</svg>'
    letter = '<text x="2" y="30" font-size="24">&#x1ec5;</text>'
    return _drawn(empty.format(letter)) != _drawn(empty.format(""))
