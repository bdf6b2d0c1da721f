"""The sentence above each chart, by table: it is true, says one thing, and never names a number that may not be seen."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from content.model import Language
from handlers.figures.charts import Bars, Chart, Columns
from handlers.figures.counting import Tally
from handlers.figures.drawn import Drawing
from handlers.figures.hiding import FEWEST
from handlers.figures.published import published
from handlers.figures.spoken import number, percent
from tests.figures import demand
from tests.gallery import catalogue, figures_of
from tests.handlers.test_figures import FORMS, tallied
from tests.storage.answered import NEW


def drawn(answers: Sequence[dict[str, list[Any]]], language: Language = "vi") -> dict[str, Chart]:
    tally = tallied([(NEW, one) for one in answers])
    return {one.id: one for one in Drawing(catalogue(), language).all(published(tally), FORMS[0])}


def said(text: str) -> str:
    return text.replace("\u00a0", " ")


def kinds(fuel: int, other: int, *more: list[Any]) -> list[dict[str, list[Any]]]:
    return (
        [{"kind": ["fuel"]}] * fuel
        + [{"kind": ["other", "", "Khác"]}] * other
        + [{"kind": one} for one in more]
    )


def needs(*chosen: tuple[int, str]) -> list[dict[str, list[Any]]]:
    return [{"needs": [names.split()]} for count, names in chosen for _ in range(count)]


SHARES = [
    ("one is ahead", kinds(30, 10), "kind", "Ngành: nhiều nhất là «Xăng dầu», 75 %"),
    ("both are alike", kinds(20, 20), "kind", "Ngành: nhiều nhất là «Xăng dầu» và «Khác», mỗi mục 50 %"),
    ("too few answered", kinds(4, 0), "kind", "Ngành: chưa đủ 5 đơn vị trả lời"),
    ("one of two is few", kinds(40, 3), "kind", "Ngành: chưa nêu được, vì có nhóm dưới 5 đơn vị"),
    ("all are alike", kinds(40, 0), "kind", "Ngành: chưa nêu được, vì có nhóm dưới 5 đơn vị"),
    ("several each", needs((12, "training checks"), (8, "checks"), (6, "none")), "needs", "Cần gì: nhiều nhất là «Kiểm định», 77 %"),
    ("nearly all", needs((30, "training"), (3, "checks")), "needs", "Cần gì: gần như tất cả chọn «Đào tạo»"),
    ("of few nothing is said", needs((8, "training")), "needs", "Cần gì: chưa nêu được, vì có nhóm dưới 5 đơn vị"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "name", "title"), [row[1:] for row in SHARES], ids=[row[0] for row in SHARES]
)
def test_the_title_of_a_choice(answers: list[dict[str, list[Any]]], name: str, title: str) -> None:
    assert said(drawn(answers)[name].title) == title


def test_who_gave_no_answer_is_told_apart_and_is_no_zero() -> None:
    more = [["", "?"]] * 7 + [["", "-"]] * 6 + [["", "n"]] * 2 + [["", "-"]]

    chart = drawn(kinds(20, 10, *more))["kind"]

    assert chart.base == "30 đơn vị trả lời, 7 không biết, 7 bỏ qua, 2 không trả lời vì lý do khác"
    assert isinstance(chart.body, Bars)
    assert [(bar.label, said(bar.text)) for bar in chart.body.bars] == [
        ("Xăng dầu", "67 % · 20"),
        ("Khác", "33 % · 10"),
    ]


def test_a_number_by_kind_says_who_did_not_know_it() -> None:
    scales = [{"devices": [["scale"]], "how_many.scale": [3]}] * 9
    unknown = [{"devices": [["scale"]], "how_many.scale": ["", "?"]}] * 6
    meters = [{"devices": [["scale", "meter"]], "how_many.scale": [1, "~"], "how_many.meter": [40]}] * 5

    chart = drawn([*scales, *unknown, *meters])["how_many"]

    assert chart.title == "each_device: nhiều nhất là «Đồng hồ nước», 200"
    assert chart.base == "20 đơn vị trả lời, cộng được 232"
    assert chart.table
    assert chart.table.rows == (
        ("Đồng hồ nước", "200", "5", ""),
        ("Cân", "32", "từ 16 trở lên", "6"),
    )
    assert "Có số ước chừng." in chart.note


def test_what_falls_due_is_told_by_month() -> None:
    months = ["2027-01"] * 9 + ["2027-02"] * 30 + ["2027-04"] * 12

    chart = drawn([{"due": [month]} for month in months])["due"]

    assert chart.title == "Tháng cần: nhiều nhất vào tháng 2/2027, 30 đơn vị"
    assert isinstance(chart.body, Columns)
    assert [(one.label, one.group, one.value) for one in chart.body.columns] == [
        ("T2", "2027", 30), ("T3", "", None), ("T4", "", 12),
    ]  # fmt: skip
    assert chart.note.startswith("9 đơn vị ở các khoảng không nêu riêng")


def test_how_much_falls_due_is_told_by_month() -> None:
    tally = Tally([demand()])
    for month, due, firms in (("2027-01", 2, 8), ("2027-02", 7, 6), ("2027-03", 1, 20)):
        for _ in range(firms):
            tally.add(demand().version, {"due_12_months": [due], "next_expiry": [month]})

    charts = {one.id: one for one in Drawing(catalogue(), "vi").all(published(tally), demand())}

    load = charts["next_expiry-load"]
    assert charts["next_expiry"].title == "Hạn kiểm định gần nhất: nhiều nhất vào tháng 3/2027, 20 đơn vị"
    assert load.title == "Cần kiểm định trong 12 tháng: nhiều nhất vào tháng 2/2027, 42"
    assert load.table
    assert load.table.rows == (
        ("tháng 1/2027", "16", "8"),
        ("tháng 2/2027", "42", "6"),
        ("tháng 3/2027", "20", "20"),
    )


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("count", [0, 3, 12, 40, 300])
def test_no_table_of_the_survey_has_a_count_below_five(language: Language, count: int) -> None:
    heads = {"vi": "Số đơn vị", "en": "Enterprises"}

    for chart in Drawing(catalogue(), language).all(figures_of(count), demand()):
        assert chart.title
        if chart.table and heads[language] in chart.table.heads:
            at = chart.table.heads.index(heads[language])
            shown = [row[at] for row in chart.table.rows]
            exact = [
                int(re.sub(r"[.,]", "", text)) for text in shown if text[:1].isdecimal() and "or" not in text
            ]
            assert all(firms >= FEWEST for firms in exact)


NUMBERS = [
    (0, "0", "0"),
    (1234.5, "1.234,5", "1,234.5"),
    (1_000_000, "1.000.000", "1,000,000"),
    (2.345, "2,35", "2.35"),
]


@pytest.mark.parametrize(("value", "vi", "en"), NUMBERS)
def test_numbers_are_written_as_each_language_does(value: float, vi: str, en: str) -> None:
    assert (number("vi", value), number("en", value)) == (vi, en)


PERCENTS = [(0, 9, "0 %"), (9, 9, "100 %"), (41, 100, "41 %"), (1, 30, "3,3 %"), (1, 20, "5 %"),
            (1, 90_000, "0,1 %"), (8_999, 9_000, "99,9 %"), (0, 0, "0 %"), (999, 10_000, "10 %")]  # fmt: skip


@pytest.mark.parametrize(("part", "whole", "text"), PERCENTS)
def test_a_share_is_never_rounded_to_all_or_nothing(part: int, whole: int, text: str) -> None:
    assert said(percent("vi", part, whole)) == text
