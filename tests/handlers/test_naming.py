"""What names a person, and what only looks like it."""

from typing import Any

import pytest

from content.everything import Content
from handlers.naming import Naming, household_names, names_household, without

OWN = (("respondent_name", "Trần Thị Hạnh"), ("respondent_role", "Kế toán"), ("contact", "+84905333444"))


def naming(content: Content, own: tuple[tuple[str, str], ...] = OWN, *whole: str) -> Naming:
    asked = content.forms["demand_survey"].by_name
    return Naming([(asked[name], value) for name, value in own], whole)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Xin gọi 0905 333 444 nhé.", True),
        ("sđt 0905.333.444", True),
        ("+84 (0) 905-333-444", True),
        ("84905333444", True),
        ("0905 333 445", False),
        ("Liên hệ TRẦN THỊ HẠNH", True),
        ("goi chi tran thi hanh", True),
        ("gặp chị Hạnh", True),
        ("Gặp Hanh trước.", True),
        ("gặp Thị Hạnh", True),
        ("Hành chính công chậm.", False),
        ("ở phường Đức Hạnh", False),
        ("Cần đào tạo kế toán.", False),
        ("", False),
    ],
)
def test_a_text_names_the_person_however_it_is_written(content: Content, text: str, names: bool) -> None:
    assert naming(content).stands_in(text, loosely=True) is names


@pytest.mark.parametrize(
    ("own", "text", "names"),
    [
        ((("respondent_name", "Kỳ"),), "gặp Ky nhé", True),
        ((("respondent_name", "Kỳ"),), "Chưa hiệu chuẩn định kỳ.", False),
        ((("respondent_name", "Lê Thị Nhơn"),), "Cân ở Quy Nhơn hỏng.", False),
        ((("contact", "An.Le@congty.vn"),), "thư về an.le@CONGTY.vn", True),
        ((("contact", "+33612345678"),), "06 12 34 56 78", True),
        ((), "Hạnh 0905 333 444", False),
    ],
)
def test_short_names_places_and_addresses(
    content: Content, own: tuple[tuple[str, str], ...], text: str, names: bool
) -> None:
    assert naming(content, own).stands_in(text, loosely=True) is names


@pytest.mark.parametrize(
    ("place", "fill", "kept"),
    [
        ("suggestions", ["gọi 0905 333 444"], ["", "p"]),
        ("suggestions", ["Mở lớp ở Bồng Sơn."], ["Mở lớp ở Bồng Sơn."]),
        ("provider", [["other"], "", "chị Hạnh làm"], [["other"]]),
        ("sector", ["other", "", "làm nước đá"], ["other", "", "làm nước đá"]),
        ("enterprise", ["Công ty TNHH Hạnh"], ["Công ty TNHH Hạnh"]),
        ("enterprise", ["Hộ kinh doanh Trần Thị Hạnh"], ["", "p"]),
        ("contact", ["", "p"], ["", "p"]),
        ("instrument_count.tank", [3, "~"], [3, "~"]),
        ("no_longer_asked", ["Trần Thị Hạnh"], ["", "p"]),
    ],
)
def test_what_stays_of_an_answer(content: Content, place: str, fill: list[Any], kept: list[Any]) -> None:
    assert without(content.forms["demand_survey"], place, fill, naming(content)) == kept


NAME, OTHER = "Hộ kinh doanh Lê Văn Tám", "Công ty TNHH Tám Lê"


@pytest.mark.parametrize(
    ("history", "names"),
    [
        ([("enterprise", [NAME]), ("legal_form", ["household"])], [NAME]),
        ([("enterprise", [NAME])], [NAME]),
        ([("enterprise", [OTHER]), ("legal_form", ["llc"])], []),
        (
            [
                ("enterprise", [NAME]),
                ("legal_form", ["household"]),
                ("legal_form", ["llc"]),
                ("enterprise", [OTHER]),
            ],
            [NAME],
        ),
        ([("enterprise", [OTHER]), ("legal_form", ["llc"]), ("enterprise", None)], []),
        ([("sector", ["wood"])], []),
    ],
)
def test_the_names_of_a_household_are_known_from_its_history(
    content: Content, history: list[tuple[str, list[Any] | None]], names: list[str]
) -> None:
    assert list(household_names(content.forms["demand_survey"], history)) == names


@pytest.mark.parametrize(
    ("legal_form", "names"), [(["household"], True), (None, True), (["", "-"], True), (["llc"], False)]
)
def test_a_name_may_be_a_households_until_it_is_said_what_the_firm_is(
    content: Content, legal_form: list[Any] | None, names: bool
) -> None:
    answers = {"enterprise": [NAME], **({"legal_form": legal_form} if legal_form else {})}

    assert names_household(content.forms["demand_survey"], answers) is names
