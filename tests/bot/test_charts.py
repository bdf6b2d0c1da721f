"""Charts as text: well-formed whatever stands in them, in the given width, and in one's own colours."""

import re
from functools import partial
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.charts import figure, svg
from bot.charts.picture import NARROW, WIDE
from bot.charts.text import width, wrapped
from handlers.figures.charts import Bar, Bars, Chart, Column, Columns, Table
from tests.gallery import LONG, catalogue, charts

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_chart_is_well_formed_named_and_coloured_by_properties(language: str) -> None:
    for chart in charts(language):  # type: ignore[arg-type]
        for wide in (WIDE, NARROW):
            drawn = svg(chart, wide, whole=True)
            root = ET.fromstring(drawn)

            assert root.get("role") == "img"
            assert root.get("viewBox", "").startswith(f"0 0 {wide} ")
            assert root.findtext(f"{SVG}title")
            colours = {one.get("fill") or "" for one in root.iter() if one.tag != f"{SVG}path"} - {""}
            assert all(re.fullmatch(r"var\(--chart-[a-z]+, #[0-9a-f]{6}\)", colour) for colour in colours)
            assert "style=" not in drawn  # the policy of the pages allows none


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_leaves_its_place_in_the_markup(label: str, text: str) -> None:
    chart = Chart("x", label, text, Bars((Bar(label, 3, text),)), Table((label,), ((text, label),)), label)

    shown = figure(chart, catalogue(), "vi")

    assert ET.fromstring(svg(chart, whole=True)) is not None
    assert ET.fromstring(f"<main>{shown}</main>") is not None


def test_a_label_keeps_its_words_and_fits() -> None:
    lines = wrapped(LONG, 15, 200)

    assert " ".join(lines) == LONG
    assert all(width(line, 15) <= 200 for line in lines)
    assert wrapped("", 15, 200) == [""]
    assert wrapped("nghiêng" * 9, 15, 100) != ["nghiêng" * 9]


def test_marks_above_a_letter_have_no_width() -> None:
    assert width("ễỢữ", 15) == width("eOu", 15)


def test_a_table_stands_open_where_nothing_is_drawn() -> None:
    table = Table(("Cái gì", "Số"), (("Cân", "7"),))

    assert "<details>" in figure(Chart("x", "Cân", "", Bars((Bar("Cân", 7, "7"),)), table), catalogue(), "vi")
    assert "<details>" not in figure(Chart("x", "Cân", "", None, table), catalogue(), "vi")


def test_a_picture_is_the_whole_chart_on_white() -> None:
    pytest.importorskip("resvg_py")
    from bot.charts.png import png

    for chart in charts():
        picture = png(chart)

        assert picture.startswith(b"\x89PNG\r\n")
        assert int.from_bytes(picture[16:20]) == 2 * (WIDE + 48)


def test_a_machine_without_fonts_gives_no_empty_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    resvg = pytest.importorskip("resvg_py")
    from bot.charts import png

    without = partial(resvg.svg_to_bytes, skip_system_fonts=True)
    monkeypatch.setattr(resvg, "svg_to_bytes", without)
    png._writes.cache_clear()

    with pytest.raises(png.NoFaceError, match="fonts-"):
        png.png(Chart("x", "Cân", "", None))

    png._writes.cache_clear()


@pytest.mark.parametrize("labels", [[""], ["", ""], ["2026"], ["2026", "", "2027"]])
def test_columns_may_have_groups_below_them_or_none(labels: list[str]) -> None:
    columns = tuple(Column(f"T{at}", label, at + 5, "5") for at, label in enumerate(labels))

    drawn = svg(Chart("x", "t", "", Columns(columns)), whole=True)

    assert [label for label in labels if label and f">{label}<" not in drawn] == []
