"""What else people say in the middle of a form, and what others change in it meanwhile."""

import pytest

from bot.app import App
from tests.bot.test_survey import OWN, SHORT, TO_COUNTS, answers, talk
from tests.world import Visitor

COUNTED = (*TO_COUNTS, "1 1 1", "đúng")

# What is asked, and how far somebody has come with it.
PLACES = {
    "a name": SHORT[:2],
    "one of a list": SHORT[:3],
    "what «other» is": (*SHORT[:3], "loại hình khác"),
    "a tax code": SHORT[:4],
    "a tax code in doubt": (*SHORT[:4], "0100109107"),
    "a place": SHORT[:5],
    "several of a list": SHORT[:8],
    "a line of numbers": TO_COUNTS,
    "a line read back": (*TO_COUNTS, "12 3 4"),
    "a line half said": (*TO_COUNTS, "nhiệt kế 3"),
    "a number": COUNTED,
    "a month": (*COUNTED, "5"),
    "a free text": SHORT[:11],
    "the person's name": SHORT,
    "the person's position": (*SHORT, OWN[0]),
    "the person's contact": (*SHORT, *OWN[:2]),
    "the review": (*SHORT, *OWN),
    "what comes after": (*SHORT, *OWN, "gửi"),
    "a sent response": (*SHORT, *OWN, "gửi", "không, vậy là đủ", "khảo sát"),
    "whether to stop": (*SHORT[:6], "dừng"),
    "whether to give up": (*SHORT[:6], "hủy"),
    "the card": (*SHORT[:6], "để sau", "khảo sát"),
}


# One's own data, at any question


@pytest.mark.parametrize("said", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("dữ liệu của tôi", "trợ lý đang giữ"),
        ("xóa dữ liệu", "chắc chứ"),
        ("rút đồng ý", "chắc chứ"),
    ],
)
async def test_ones_own_data_is_asked_for_at_any_question(
    visitor: Visitor, app: App, said: tuple[str, ...], command: str, told: str
) -> None:
    await talk(visitor, *said)
    kept = answers(app)
    seen = await talk(visitor, command)

    assert told in seen.text
    assert answers(app) == kept


async def test_a_name_that_sounds_like_such_a_wish_is_a_name(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT[:2], "Công ty TNHH Dữ Liệu Của Tôi")

    assert answers(app)["enterprise"] == ["Công ty TNHH Dữ Liệu Của Tôi"]
