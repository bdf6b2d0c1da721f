"""How a survey stands, told: titles and lines by table, the forecast only where there is one."""

from datetime import UTC, date, datetime, timedelta

import pytest

from content.model import Language
from handlers.figures.charts import Bars
from handlers.figures.hiding import FEWEST
from handlers.figures.progress import Forecast, Place, Standing, Telling, forecast
from tests.gallery import catalogue

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 17, 5, tzinfo=UTC)
HOAI_NHON, QUY_NHON, AN_NHON = (
    Place("Phường Hoài Nhơn", 40, 8, 12),
    Place("Phường Quy Nhơn", 60, 33, 10),
    Place("Phường An Nhơn", 20, 8, 0),
)


def days(*weeks: int) -> dict[date, int]:
    """So many answers in each week, the last one first, the same on every day."""
    found: dict[date, int] = {}
    for at, count in enumerate(weeks):
        for one in range(count):
            day = TODAY - timedelta(days=7 * at + one % 7)
            found[day] = found.get(day, 0) + 1
    found.setdefault(TODAY - timedelta(days=7 * len(weeks) - 1), 0)
    return found


def standing(
    *places: Place, weeks: tuple[int, ...] = (), deadline: int | None = None, **more: int
) -> Standing:
    due = None if deadline is None else TODAY + timedelta(days=deadline)
    return Standing(places, days(*weeks) if weeks else {}, TODAY, None, due, **more)


def telling(language: Language = "vi") -> Telling:
    return Telling(catalogue(), language)


TITLES = [
    ("nobody is invited", (), "Chưa mời đơn vị nào"),
    ("one place is lowest", (HOAI_NHON, QUY_NHON, AN_NHON), "41 % đã trả lời, thấp nhất ở Phường Hoài Nhơn"),
    ("all are alike", (QUY_NHON,), "55 % đã trả lời"),
    ("a place of few is not named", (QUY_NHON, Place("Xã Nhơn Châu", 9, 0)), "48 % đã trả lời"),
    ("everybody answered", (Place("Xã Nhơn Châu", 9, 9),), "Tất cả đơn vị được mời đã trả lời"),
    ("nobody answered", (Place("Xã Nhơn Châu", 90, 0), Place("Phường An Nhơn", 10, 0)), "0 % đã trả lời"),
    ("nearly all answered", (Place("Xã Nhơn Châu", 9000, 8999),), "99,9 % đã trả lời"),
    ("nobody knows where", (QUY_NHON, Place("", 40, 0)), "33 % đã trả lời"),
]  # fmt: skip


@pytest.mark.parametrize(("places", "title"), [row[1:] for row in TITLES], ids=[row[0] for row in TITLES])
def test_the_title_says_how_it_stands(places: tuple[Place, ...], title: str) -> None:
    assert telling().standing(standing(*places)).title.replace("\u00a0", " ") == title


def test_a_place_with_few_answers_goes_into_the_rest_with_another() -> None:
    few = Place("Xã Nhơn Châu", 30, 2)

    chart = telling().places(standing(HOAI_NHON, QUY_NHON, AN_NHON, few))

    assert isinstance(chart.body, Bars)
    assert [bar.label for bar in chart.body.bars] == ["Phường Quy Nhơn", "Các mục còn lại (3)"]
    assert chart.title.replace("\u00a0", " ") == (
        "Cao nhất ở Phường Quy Nhơn (55 %), thấp nhất ở Xã Nhơn Châu (dưới 5 phiếu)"
    )
    assert chart.table
    assert all(int(row[2]) >= FEWEST for row in chart.table.rows)


LINES = [
    ("the deadline is ahead", 11, "31 phiếu sau 14 ngày, còn 11 ngày đến hạn"),
    ("it is today", 0, "31 phiếu, hôm nay là hạn cuối"),
    ("it is over", -3, "31 phiếu, đã quá hạn 3 ngày"),
    ("there is none", None, "31 phiếu sau 14 ngày"),
]


@pytest.mark.parametrize(("deadline", "title"), [row[1:] for row in LINES], ids=[row[0] for row in LINES])
def test_the_line_is_told_against_the_deadline(deadline: int | None, title: str) -> None:
    assert telling().line(standing(QUY_NHON, weeks=(15, 16), deadline=deadline)).title == title


FORECASTS = [
    ("a steady pace", (20, 16), 14, Forecast(33 + 32, 33 + 40)),
    ("never more than were invited", (40, 40), 30, Forecast(100, 100)),
    ("no deadline", (20, 16), None, None),
    ("the deadline is today", (20, 16), 0, None),
    ("a deadline too far off", (20, 16), 60, None),
    ("one week only", (30,), 14, None),
    ("too few lately", (5, 6), 14, None),
    ("a pace that is none", (30, 3), 14, None),
]


@pytest.mark.parametrize(
    ("weeks", "deadline", "found"), [row[1:] for row in FORECASTS], ids=[row[0] for row in FORECASTS]
)
def test_a_forecast_is_made_only_where_it_is_sound(
    weeks: tuple[int, ...], deadline: int | None, found: Forecast | None
) -> None:
    place = Place("Phường Quy Nhơn", 100, 33)
    one = standing(place, weeks=(*weeks, 1) if len(weeks) > 1 else weeks, deadline=deadline)

    assert forecast(one) == found


def test_the_text_for_the_boss_can_be_pasted() -> None:
    one = standing(HOAI_NHON, QUY_NHON, AN_NHON, weeks=(20, 16, 13), deadline=10, twins=2)

    text = telling().text(one, "Khảo sát nhu cầu đo lường", 2026, NOW).replace("\u00a0", " ")

    assert text == (
        "Khảo sát nhu cầu đo lường năm 2026, đến 17:05 ngày 20/11/2026:\n"
        "- Đã trả lời: 49/120 đơn vị (41 %), thêm 20 so với một tuần trước.\n"
        "- Đã mở, chưa xong: 22. Chưa mở: 49.\n"
        "- Thấp nhất: Phường Hoài Nhơn (20 %) và Phường An Nhơn (40 %).\n"
        "- Hạn: 30/11/2026, còn 10 ngày.\n"
        "- Nếu giữ nhịp hai tuần qua, đến hạn có khoảng 72 đến 78 phiếu.\n"
        "- 2 mã số thuế có hơn một phiếu, chờ cán bộ chọn; mỗi mã tính một phiếu."
    )


@pytest.mark.parametrize(
    ("one", "lines"),
    [
        (standing(), ["- Chưa mời đơn vị nào."]),
        (standing(QUY_NHON, weeks=(3,)), ["- Đã trả lời: 33/60 đơn vị (55 %).", "- Đã mở, chưa xong: 10. Chưa mở: 17."]),
        (
            standing(Place("a", 9, 9), weeks=(0, 9), deadline=-1),
            [
                "- Đã trả lời: 9/9 đơn vị (100 %), không thêm phiếu nào trong một tuần qua.",
                "- Hạn: 19/11/2026, đã quá 1 ngày.",
            ],
        ),
        (
            standing(QUY_NHON, Place("Xã Nhơn Châu", 30, 2), weeks=(0,), deadline=0),
            [
                "- Đã trả lời: 35/90 đơn vị (39 %).",
                "- Đã mở, chưa xong: 10. Chưa mở: 45.",
                "- Thấp nhất: Xã Nhơn Châu (dưới 5 phiếu).",
                "- Hạn: hôm nay, 20/11/2026.",
            ],
        ),
    ],
    ids=["nobody is invited", "the first week", "all is done", "a place with few"],
)  # fmt: skip
def test_what_is_not_known_is_left_out(one: Standing, lines: list[str]) -> None:
    text = telling().text(one, "Khảo sát", 2026, NOW).replace("\u00a0", " ")

    assert text.split("\n")[1:] == lines


def test_english_has_its_own_numbers() -> None:
    title = telling("en").standing(standing(Place("Quy Nhơn", 3000, 1234), Place("An Nhơn", 10, 1))).title

    assert title == "41% answered, fewest in An Nhơn"
