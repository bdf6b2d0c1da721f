"""Draws a chart as SVG: from its plain values alone, in the width it is given."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal

from bot.charts.text import width, wrapped, xml
from handlers.figures.charts import Bar, Bars, Chart, Column, Columns, Line, Part, Stack, Tone, tallest

WIDE, NARROW = 640, 336  # pixels; a page shows the one that fits
_LABELS_BESIDE = 480  # from this width on labels stand to the left of their bars

# Colours by what they are for. A page sets the properties; a picture has the light ones.
COLOURS: Mapping[str, str] = {
    "ink": "#1a2027", "quiet": "#545e69", "line": "#d8dde3", "edge": "#7b8692", "paper": "#ffffff",
    "full": "#0b4f9e", "half": "#7fa8d9", "none": "#e4e8ed", "rest": "#a7b1bc",
}  # fmt: skip
_TONES: Mapping[Tone, str] = {"full": "full", "half": "half", "none": "none", "quiet": "rest"}

_SIZE, _SMALL, _LEADING = 15, 13, 20
_TITLE, _TITLE_LEADING = 20, 27
_GAP = 8

Anchor = Literal["start", "middle", "end"]


@dataclass(slots=True)
class _Drawing:
    """What was drawn so far, and how far down."""

    width: float
    y: float = 0
    made: list[str] = field(default_factory=list)

    def rect(self, x: float, y: float, wide: float, high: float, colour: str, more: str = "") -> None:
        """A rectangle."""
        self.made.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(wide, 0):.1f}" height="{high:.1f}"'
            f' fill="{_colour(colour)}"{more}/>'
        )

    def line(self, x: float, y: float, to_x: float, to_y: float, colour: str, more: str = "") -> None:
        """A line."""
        self.made.append(
            f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{_colour(colour)}"{more}/>'
        )

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = _SIZE,
        colour: str = "ink",
        anchor: Anchor = "start",
        bold: bool = False,
    ) -> None:
        """A text on its base line."""
        weight = ' font-weight="600"' if bold else ""
        placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self.made.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{_colour(colour)}"{placed}{weight}>'
            f"{xml(words)}</text>"
        )

    def lines(
        self, words: str, size: float, leading: float, *, colour: str = "ink", bold: bool = False
    ) -> None:
        """A text over the whole width, broken into lines."""
        for one in wrapped(words, size, self.width, bold=bold) if words else ():
            self.text(0, self.y + size, one, size=size, colour=colour, bold=bold)
            self.y += leading


def svg(chart: Chart, wide: int = WIDE, *, whole: bool = False, margin: int = 0) -> str:
    """A chart as an SVG element; `whole`: with its title, whom it is about, and what is to be known."""
    drawing = _Drawing(wide)
    if whole:
        drawing.lines(chart.title, _TITLE, _TITLE_LEADING, bold=True)
        drawing.lines(chart.base, _SIZE, _LEADING, colour="quiet")
        drawing.y += _GAP
    match chart.body:
        case Bars():
            _bars(drawing, chart.body.bars)
        case Columns():
            _columns(drawing, chart.body.columns)
        case Line():
            _line(drawing, chart.body)
        case Stack():
            _stack(drawing, chart.body.parts)
        case None:
            pass
    if whole and chart.note:
        drawing.y += _GAP
        drawing.lines(chart.note, _SMALL, 18, colour="quiet")
    return _element(chart, drawing, margin)


def _element(chart: Chart, drawing: _Drawing, margin: int) -> str:
    name = f"{chart.id}-{drawing.width:.0f}"
    size = f"{drawing.width + 2 * margin:.0f}", f"{drawing.y + 2 * margin:.0f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-margin} {-margin} {size[0]} {size[1]}"'
        f' width="{size[0]}" height="{size[1]}" role="img"'
        f' aria-labelledby="{xml(name)}-title {xml(name)}-desc">'
        f'<title id="{xml(name)}-title">{xml(chart.title)}</title>'
        f'<desc id="{xml(name)}-desc">{xml(" ".join(filter(None, (chart.base, chart.note))))}</desc>'
        f"{''.join(drawing.made)}</svg>"
    )


def _colour(name: str) -> str:
    return f"var(--chart-{name}, {COLOURS[name]})"


# Bars that lie


def _bars(drawing: _Drawing, bars: Sequence[Bar]) -> None:
    widest = max(width(bar.label, _SIZE) for bar in bars)
    beside = drawing.width >= _LABELS_BESIDE or widest <= 0.3 * drawing.width
    most = tallest([bar.value for bar in bars])
    texts = max(width(bar.text, _SIZE, bold=True) for bar in bars)
    left = _label_room(drawing.width, bars) if beside else 0.0
    room = max(drawing.width - left - texts - _GAP, 40)
    top = drawing.y
    for bar in bars:
        if beside:
            _bar_beside(drawing, bar, left, room / most)
        else:
            _bar_below(drawing, bar, room / most)
    if beside:
        drawing.line(left, top, left, drawing.y, "edge")


def _label_room(wide: float, bars: Iterable[Bar]) -> float:
    """How much of the width the labels have: what they need, and at most two fifths."""
    return min(max(width(bar.label, _SIZE) for bar in bars) + 1, wide * 0.4) + 1.5 * _GAP


def _bar_beside(drawing: _Drawing, bar: Bar, left: float, scale: float) -> None:
    lines = wrapped(bar.label, _SIZE, left - 1.5 * _GAP)
    high = max(len(lines) * _LEADING + 8, 30)
    middle = drawing.y + high / 2
    for at, one in enumerate(lines):
        y = middle - len(lines) * _LEADING / 2 + at * _LEADING + _SIZE
        drawing.text(left - _GAP, y, one, anchor="end", colour="ink")
    _bar(drawing, bar, left, middle - 9, scale)
    drawing.y += high


def _bar_below(drawing: _Drawing, bar: Bar, scale: float) -> None:
    for one in wrapped(bar.label, _SIZE, drawing.width):
        drawing.text(0, drawing.y + _SIZE, one)
        drawing.y += _LEADING
    _bar(drawing, bar, 0, drawing.y + 3, scale)
    drawing.y += 21 + 12


def _bar(drawing: _Drawing, bar: Bar, x: float, y: float, scale: float) -> None:
    """The bar and its number; what may not be seen has words and no bar."""
    if bar.value is None:
        drawing.text(x + _GAP, y + 14, bar.text, colour="quiet")
        return
    long = max(bar.value * scale, 1.5) if bar.value else 0
    if long:
        drawing.rect(x, y, long, 18, _TONES[bar.tone])
    drawing.text(x + long + 6, y + 14, bar.text, bold=bar.tone == "full")


# Columns that stand


def _columns(drawing: _Drawing, columns: Sequence[Column]) -> None:
    slot = drawing.width / len(columns)
    seen = [width(one.text, _SMALL, bold=True) for one in columns if one.value is not None]
    if slot < max(seen, default=0) or slot < 20:
        _bars(drawing, list(_lying(columns)))
        return
    high, scale = 180.0, 150 / tallest([one.value for one in columns])
    slot = min(slot, 72)
    base = drawing.y + high
    for at, one in enumerate(columns):
        x = at * slot
        _column(drawing, one, x, slot, base, scale)
        drawing.text(x + slot / 2, base + 18, one.label, size=_SMALL, anchor="middle")
    for at, words in _groups(columns, slot):
        drawing.text(at * slot + slot * 0.12, base + 36, words, size=_SMALL, colour="quiet")
    drawing.line(0, base, len(columns) * slot, base, "edge")
    drawing.y = base + (44 if any(one.group for one in columns) else 26)


def _groups(columns: Sequence[Column], slot: float) -> Iterator[tuple[int, str]]:
    """Where groups begin, and their words where these end before the next group's."""
    begins = [at for at, one in enumerate(columns) if one.group]
    for at, after in zip_longest(begins, begins[1:]):
        words = columns[at].group
        if after is None or (after - at) * slot > width(words, _SMALL) + 4:
            yield at, words


def _column(drawing: _Drawing, one: Column, x: float, slot: float, base: float, scale: float) -> None:
    inset = slot * 0.12
    if one.value is None:
        dashes = f' stroke="{_colour("edge")}" stroke-dasharray="3 3"'
        drawing.rect(x + inset, base - 14, slot - 2 * inset, 14, "none", dashes)
        return
    tall = max(one.value * scale, 1.5)
    drawing.rect(x + inset, base - tall, slot - 2 * inset, tall, "full")
    drawing.text(x + slot / 2, base - tall - 6, one.text, size=_SMALL, anchor="middle", bold=True)


def _lying(columns: Iterable[Column]) -> Iterator[Bar]:
    """Columns that are too many to stand beside each other."""
    group = ""
    for one in columns:
        group = one.group or group
        yield Bar(f"{one.label} {group}".strip(), one.value, one.text)


# A line


def _line(drawing: _Drawing, body: Line) -> None:
    high = 220.0
    top, base = drawing.y + 24, drawing.y + high
    last = len(body.values) - 1
    due = (body.deadline - body.first).days if body.deadline else last
    days = max(last, due) + 1
    shows_target = body.values[-1] >= 0.2 * body.target > 0
    most = max(body.target if shows_target else 0, 1.15 * tallest(body.values))
    right = drawing.width - 6

    def x(at: int) -> float:
        return (at + 1) / days * right  # where a day ends

    def y(value: float) -> float:
        return base - value / most * (base - top)

    if shows_target:
        drawing.line(0, y(body.target), drawing.width, y(body.target), "edge", ' stroke-dasharray="2 4"')
        beside: tuple[float, Anchor] = (0, "start") if x(last) > drawing.width / 2 else (drawing.width, "end")
        where, anchor = beside
        drawing.text(where, y(body.target) - 7, body.target_text, size=_SMALL, colour="quiet", anchor=anchor)
    if due >= 0 and body.deadline:
        drawing.line(x(due), top, x(due), base, "ink", ' stroke-dasharray="5 4"')
    drawing.line(0, base, drawing.width, base, "edge")
    _path(drawing, [(0, base), *((x(at), y(value)) for at, value in enumerate(body.values))])
    _line_end(drawing, x(last), y(body.values[-1]), body.last_text, top)
    _line_days(drawing, body, x(max(due, 0)), base)


def _path(drawing: _Drawing, points: Sequence[tuple[float, float]]) -> None:
    """The line itself, from zero."""
    steps = f"M{points[0][0]:.1f} {points[0][1]:.1f}" + "".join(f"L{x:.1f} {y:.1f}" for x, y in points[1:])
    drawing.made.append(
        f'<path d="{steps}" fill="none" stroke="{_colour("full")}" stroke-width="3" stroke-linejoin="round"/>'
    )


def _line_end(drawing: _Drawing, x: float, y: float, words: str, top: float) -> None:
    drawing.made.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{_colour("full")}"/>')
    ends = x + 10 + width(words, _SIZE, bold=True) <= drawing.width
    if ends:
        drawing.text(x + 10, y + 5, words, bold=True)
    else:
        drawing.text(x - 8, max(y - 10, top + 2), words, anchor="end", bold=True)


def _line_days(drawing: _Drawing, body: Line, due: float, base: float) -> None:
    """The first day and the last; the deadline has its own words, below these where it is neither."""
    first, last = body.day_texts
    drawing.text(0, base + 20, first, size=_SMALL, colour="quiet")
    at_end = bool(body.deadline) and due >= drawing.width - 8
    shown = body.deadline_text if at_end else last
    drawing.text(
        drawing.width, base + 20, shown, size=_SMALL, colour="ink" if at_end else "quiet", anchor="end"
    )
    drawing.y = base + 28
    if body.deadline and not at_end:
        half = width(body.deadline_text, _SMALL) / 2
        middle = min(max(due, half), drawing.width - half)
        drawing.text(middle, base + 38, body.deadline_text, size=_SMALL, anchor="middle")
        drawing.y = base + 46


# Parts of a whole


def _stack(drawing: _Drawing, parts: Sequence[Part]) -> None:
    whole = sum(part.value for part in parts) or 1
    x = 0.0
    for part in parts:
        long = part.value / whole * drawing.width
        if part.value:
            drawing.rect(x, drawing.y, long, 36, _TONES[part.tone], f' stroke="{_colour("paper")}"')
        x += long
    drawing.y += 36 + 12
    _stack_words(drawing, parts)


def _stack_words(drawing: _Drawing, parts: Sequence[Part]) -> None:
    """What each part is, below it: side by side where there is room, else one below the other."""
    longest = [
        max(width(part.text, _SIZE, bold=True), width(part.label, _SMALL)) + 16 + 2 * _GAP for part in parts
    ]
    beside = sum(longest) <= drawing.width
    x = 0.0
    for part, long in zip(parts, longest, strict=True):
        edge = f' stroke="{_colour("edge")}"' if part.tone == "none" else ""
        drawing.rect(x + 0.5, drawing.y + 3.5, 12, 12, _TONES[part.tone], edge)
        drawing.text(x + 20, drawing.y + 15, part.text, bold=True)
        if beside:
            drawing.text(x + 20, drawing.y + 34, part.label, size=_SMALL, colour="quiet")
            x += long
        else:
            after = x + 20 + width(part.text, _SIZE, bold=True) + _GAP
            drawing.text(after, drawing.y + 15, part.label, size=_SMALL, colour="quiet")
            drawing.y += 26
    drawing.y += 42 if beside else 0
