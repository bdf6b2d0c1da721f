"""What people type is read as the value it means, or refused with a reason that has a name."""

import unicodedata
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stdnum.vn import mst

from content.everything import Content, load_content
from handlers.values import (
    Number,
    Refusal,
    Values,
    email,
    person_name,
    phone,
    phone_or_email,
    tax_code,
)

CONTENT = load_content()
VALUES = Values(CONTENT.values)
TODAY = date(2026, 11, 25)
unhurried = settings(deadline=None)  # how fast it is, benchmarks say
FIELDS = ("Khối lượng", "Nhiệt độ", "Áp suất")


def said(found: object) -> str:
    """What was read, as short as a table needs it: «12», «~12», «?», «12 . ?», or the key of a refusal."""
    match found:
        case Refusal(key, _, suggestion):
            return f"{key} → {suggestion}" if suggestion else key
        case Number(None, _):
            return "?"
        case Number(value, approximate):
            return f"~{value:f}" if approximate else f"{value:f}"
        case tuple():
            return " ".join("." if number is None else said(number) for number in found)
        case _:
            return str(found)


def number(text: str, *, whole: bool = True, unknown: bool = True) -> str:
    return said(VALUES.number(text, whole=whole, unknown=unknown))


def line(text: str, labels: tuple[str, ...] = FIELDS, *, whole: bool = True, unknown: bool = True) -> str:
    return said(VALUES.line(text, labels, whole=whole, unknown=unknown))


# Numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", "12"),
        ("0", "0"),
        ("007", "7"),
        (" 12 ", "12"),
        ("12.", "12"),
        ("1.234", "1234"),
        ("1.234.567", "1234567"),
        ("1 234", "1234"),
        ("12 345 678", "12345678"),
        ("1\u00a0234", "1234"),  # a space that does not break
        ("1,234,567", "1234567"),
        ("12,0", "12"),
        ("１２", "12"),
        ("1\u200b2", "12"),
        ("5 cái", "5"),
        ("12 người", "12"),
        ("12 cân", "12"),
        ("12 nguoi", "12"),
        ("12kg", "12"),
        ("12%", "12"),
        ("12 độ C", "12"),
        ("12 phương tiện đo ạ", "12"),
        ("có 12 cái", "12"),
        ("dạ, bên em có tất cả 12 cái", "12"),
        ("Tổng số: 12", "12"),
        ("số lượng = 12", "12"),
        ("5k", "5000"),
        ("1tr5", "1500000"),
        ("1,2 triệu", "1200000"),
        ("2 triệu 500 nghìn", "2500000"),
        ("12 năm", "12"),
        ("12 instruments", "12"),
        ("we have 12 scales", "12"),
    ],
)
def test_whole_numbers(text: str, expected: str) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12,5", "12.5"),
        ("12.5", "12.5"),
        ("1.234,5", "1234.5"),
        ("1 234,5", "1234.5"),
        ("1,234.5", "1234.5"),
        ("1234.567", "1234.567"),  # four digits before it: no thousands
        ("0.125", "0.125"),  # thousands never begin with 0
        ("1.125", "1125"),
        ("1,125", "1.125"),
        ("12,50", "12.5"),
        ("-5", "-5"),
        ("−5,5", "-5.5"),
        ("âm 5", "-5"),
        ("5 rưỡi", "5.5"),
        ("hai phẩy năm", "2.5"),
        ("hai phẩy hai mươi lăm", "2.25"),
    ],
)
def test_decimals(text: str, expected: str) -> None:
    """A dot before exactly three digits groups; any other is a decimal point, and so is a comma."""
    assert number(text, whole=False) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("không", "0"),
        ("một", "1"),
        ("năm", "5"),
        ("mười", "10"),
        ("mười hai", "12"),
        ("muoi hai", "12"),
        ("mười lăm", "15"),
        ("hai mươi", "20"),
        ("hai mươi mốt", "21"),
        ("hai mốt", "21"),
        ("hai mươi tư", "24"),
        ("hai tư", "24"),
        ("hai mươi lăm", "25"),
        ("hai lăm", "25"),
        ("hăm lăm", "25"),
        ("năm mươi", "50"),
        ("tám mươi", "80"),
        ("tam muoi", "80"),
        ("chín mươi chín", "99"),
        ("một trăm", "100"),
        ("trăm", "100"),
        ("một trăm linh năm", "105"),
        ("một trăm lẻ năm", "105"),
        ("một trăm mười", "110"),
        ("trăm hai", "120"),
        ("trăm rưỡi", "150"),
        ("một trăm năm mươi", "150"),
        ("hai trăm ba mươi tư", "234"),
        ("nghìn hai", "1200"),
        ("một nghìn không trăm linh năm", "1005"),
        ("hai ngàn không trăm hai mươi bảy", "2027"),
        ("một trăm hai mươi ba nghìn bốn trăm năm mươi sáu", "123456"),
        ("hai triệu rưỡi", "2500000"),
        ("ba tỷ", "3000000000"),
        ("hai chục", "20"),
        ("một chục cái", "10"),
        ("twelve", "12"),
        ("twenty-five", "25"),
        ("one hundred and five", "105"),
        ("two thousand five hundred", "2500"),
    ],
)
def test_numbers_in_words(text: str, expected: str) -> None:
    assert number(text) == expected
    assert number(text.upper()) == expected
    assert number(unicodedata.normalize("NFD", text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("~12", "~12"),
        ("~ 12", "~12"),
        ("khoảng 12", "~12"),
        ("khoang 12", "~12"),
        ("chừng 12", "~12"),
        ("trên dưới 12", "~12"),
        ("tầm 12 cái", "~12"),
        ("tam 12 cai", "~12"),
        ("độ 12", "~12"),
        ("hơn 10", "~10"),
        ("gần 10", "~10"),
        (">10", "~10"),
        ("10 trở lên", "~10"),
        ("12 gì đó", "~12"),
        ("chắc khoảng mười hai", "~12"),
        ("12?", "~12"),
        ("không rõ lắm, khoảng 12", "~12"),
        ("about 12", "~12"),
    ],
)
def test_about_so_much(text: str, expected: str) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    "text",
    ["?", "??", "không biết", "Không biết ạ", "ko biết", "k biết", "kb", "không rõ", "khong ro", "k rõ", "chưa rõ",
     "không nhớ", "chưa thống kê", "I don't know", "not sure"],
)  # fmt: skip
def test_not_known(text: str) -> None:
    """«I do not know» is an answer where the question allows it, and is never 0."""
    assert number(text) == "?"
    assert number(text, unknown=False) == "value_number_required"
    assert VALUES.says_unknown(text)


@pytest.mark.parametrize(
    "text", ["không", "ko", "không có", "k có", "chưa có", "không có cái nào", "none", "0 cái"]
)
def test_none_is_zero(text: str) -> None:
    assert number(text) == "0"
    assert number(text, unknown=False) == "0"
    assert not VALUES.says_unknown(text)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("", "value_number"),
        ("cân", "value_number"),
        ("😀", "value_number"),
        ("12 thùng", "value_number → 12"),
        ("khối 12 xe ABC", "value_number → 12"),
        ("hai chục thùng", "value_number → 20"),
        ("1.2.3", "value_number_unclear"),
        ("12,34,5", "value_number_unclear"),
        ("1.23,4", "value_number_unclear"),
        ("12,5", "value_number_whole"),
        ("hai phẩy năm", "value_number_whole"),
        ("1,234", "value_number_thousands → 1234"),
        ("-5", "value_number_negative"),
        ("âm năm", "value_number_negative"),
        ("9" * 16, "value_number_large"),
        ("10-12", "value_number_one"),
        ("10 - 12", "value_number_one"),
        ("10 đến 12", "value_number_one"),
        ("từ 10 tới 12 cái", "value_number_one"),
        ("10 hoặc 12", "value_number_one"),
        ("12 3", "value_number_one"),
        ("1/2", "value_number_one"),
        ("1e5", "value_number_one"),
        ("0 phẩy 0.0", "value_number_one"),
        ("năm sáu cái", "value_number_one"),
        ("hai ba người", "value_number_one"),
        ("hai năm", "value_number_one"),  # two years, or five-and-twenty misspelt
        ("vài cái", "value_number_vague"),
        ("mấy chục", "value_number_vague"),
        ("dưới 10", "value_number_vague"),
        ("không quá 10", "value_number_vague"),
        ("x" * 4000, "value_number"),
    ],
)
def test_what_is_no_number(text: str, refused: str) -> None:
    assert number(text) == refused


def test_a_refusal_repeats_what_it_is_about() -> None:
    assert VALUES.number("1.2.3 cái", whole=True, unknown=True) == Refusal(
        "value_number_unclear", (("input", "1.2.3"),)
    )


def written(value: Decimal) -> str:
    """A number as one writes it in Vietnamese: 1.234,5."""
    return f"{value:,f}".translate(str.maketrans(",.", ".,"))


@unhurried
@given(st.integers(0, 10**15 - 1))
def test_any_whole_number_is_read_as_it_is_written(value: int) -> None:
    expected = Number(Decimal(value))

    assert VALUES.number(written(Decimal(value)), whole=True, unknown=False) == expected
    assert VALUES.number(str(value), whole=True, unknown=False) == expected
    assert VALUES.number(f"{value:,}".replace(",", " "), whole=True, unknown=False) == expected


@unhurried
@given(st.decimals(-(10**9), 10**9, places=3))
def test_any_decimal_is_read_as_it_is_written(value: Decimal) -> None:
    assert VALUES.number(written(value), whole=False, unknown=False) == Number(value)


ONES = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")


def spoken(value: int) -> str:
    """A number below a billion as one says it in full."""
    for scale, word in ((10**6, "triệu"), (1000, "nghìn")):
        if value >= scale:
            head, rest = divmod(value, scale)
            filled = "" if rest >= 100 or not rest else "không trăm " if rest >= 10 else "không trăm linh "
            return f"{spoken(head)} {word} {filled + spoken(rest) if rest else ''}".strip()
    if value >= 100:
        head, rest = divmod(value, 100)
        return f"{ONES[head]} trăm {('linh ' if rest < 10 else '') + spoken(rest) if rest else ''}".strip()
    tens, one = divmod(value, 10)
    if tens == 0:
        return ONES[one]
    after = {0: "", 1: "mốt" if tens > 1 else "một", 5: "lăm"}.get(one, ONES[one])
    return f"{'mười' if tens == 1 else f'{ONES[tens]} mươi'} {after}".strip()


@unhurried
@given(st.integers(0, 10**9 - 1))
@example(1_000_005)
def test_any_number_is_read_as_it_is_said(value: int) -> None:
    assert VALUES.number(spoken(value), whole=True, unknown=False) == Number(Decimal(value))


# Several numbers in one message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 3 ?", "12 3 ?"),
        ("12, 3, 5", "12 3 5"),
        ("12,3,5", "12 3 5"),
        ("12; 3; 5", "12 3 5"),
        ("12/3/5", "12 3 5"),
        ("12 - 3 - 5", "12 3 5"),
        ("12-3-5", "12 3 5"),
        ("12\n3\n5", "12 3 5"),
        ("12 và 3 và 5", "12 3 5"),
        ("12 cái, 3 cái, 5 cái", "12 3 5"),
        ("mười hai, ba, năm", "12 3 5"),
        ("12 3 không biết", "12 3 ?"),
        ("12 không 3", "12 0 3"),
        ("khoảng 12, 3, 5", "~12 3 5"),
        ("12 ~3 5", "12 ~3 5"),
        ("12 3 khoảng 5", "12 3 ~5"),
        ("1 234, 5 000, 6", "1234 5000 6"),
        ("1.234 5 6", "1234 5 6"),
        ("100,200,300", "100 200 300"),
        ("không biết", "? ? ?"),
        ("không có", "0 0 0"),
    ],
)
def test_a_line_in_order(text: str, expected: str) -> None:
    assert line(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nhiệt độ 3", ". 3 ."),
        ("nhiet do 3", ". 3 ."),
        ("nhiệt độ: khoảng 3", ". ~3 ."),
        ("nhiệt độ ?", ". ? ."),
        ("nhiệt độ không có", ". 0 ."),
        ("Khối lượng 12; áp suất 3", "12 . 3"),
        ("áp suất 3, khối lượng 12", "12 . 3"),
        ("khối lượng: 12\nnhiệt độ: 3\náp suất: 5", "12 3 5"),
        ("khối lượng 12 nhiệt độ 3 áp suất 5", "12 3 5"),
        ("khối lượng - 12, nhiệt độ - 3", "12 3 ."),
        ("12 khối lượng, 3 áp suất", "12 . 3"),
        ("12 khối lượng 3 áp suất", "12 . 3"),
        ("12, 3, áp suất 5", "12 3 5"),
        ("khối lượng 1 234", "1234 . ."),
        ("suất 3", "value_line_count"),  # a unit like any other word for «place»
    ],
)
def test_a_line_by_names(text: str, expected: str) -> None:
    assert line(text) == expected


@pytest.mark.parametrize(
    ("labels", "text", "expected"),
    [
        (("Điện", "Điện từ"), "điện 3, điện từ 4", "3 4"),
        (("Điện", "Điện từ"), "dien tu 4", ". 4"),
        (("Hóa lý - Môi trường", "Quang"), "môi trường 4", "4 ."),
        (("Cân bàn, cân đĩa", "Cân ô tô"), "cân bàn 5, cân ô tô 1", "5 1"),
        (("Cân bàn, cân đĩa", "Cân ô tô"), "5 can ban 1 can o to", "5 1"),
        (("Cân bàn, cân đĩa", "Cân ô tô"), "5 cân, 1 cân", "5 1"),
        (("Cột bơm xăng dầu", "Áp kế (đồng hồ áp suất)"), "cột xăng 2", "2 ."),
        (("Cột bơm xăng dầu", "Áp kế (đồng hồ áp suất)"), "xăng dầu 2, ap ke 3", "2 3"),
        (("Tổng số phương tiện đo", "Trong đó nhóm 2"), "12 phương tiện đo, trong đó 3", "12 3"),
        (("Tổng số phương tiện đo", "Trong đó nhóm 2"), "nhóm 2: 5", ". 5"),
        (("Người làm đo lường", "Đã đào tạo trong 3 năm"), "5 người, đã đào tạo 3", "5 3"),
        (("Người làm đo lường", "Đã đào tạo trong 3 năm"), "5 người, chưa ai", "5 0"),
        (
            ("Người làm đo lường", "Đã đào tạo trong 3 năm"),
            "tầm 5 người làm, 3 người được học",
            "value_line_unread → ~5 3",
        ),
        (("Khối lượng",), "12 cái", "12"),
        (("Khối lượng",), "khối lượng 12", "12"),
        (("Khối lượng",), "1 234", "1234"),
    ],
)
def test_a_line_with_the_labels_of_real_questions(labels: tuple[str, ...], text: str, expected: str) -> None:
    assert line(text, labels) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12,5 3", "12.5 3"),
        ("12,5", "12 5"),  # one number would leave a place empty
        ("1,5 2,5", "1.5 2.5"),
    ],
)
def test_a_comma_means_what_fits_the_places(text: str, expected: str) -> None:
    assert line(text, ("Dài", "Rộng"), whole=False) == expected


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("12 3", "value_line_count"),
        ("12 3 4 5", "value_line_count"),
        ("", "value_line_count"),
        ("4,000 3", "value_line_count"),
        ("abc", "value_line_unread"),
        ("độ ẩm 3", "value_line_unread"),
        ("nhiệt độ", "value_line_pairs"),
        ("nhiệt độ 3 4", "value_line_pairs"),
        ("nhiệt độ 3, nhiệt độ 4", "value_line_twice"),
        ("nhiệt độ 10-12", "value_number_one"),
        ("10-12 3 4", "value_number_one"),
        ("1,5 2 3", "value_number_whole"),
        ("-1 2 3", "value_number_negative"),
        ("1.2.3 4 5", "value_number_unclear"),
        ("vài 3 4", "value_number_vague"),
        ("1 " * 2000, "value_line_long"),
    ],
)
def test_what_is_no_line(text: str, refused: str) -> None:
    assert line(text) == refused


def test_not_knowing_a_place_must_be_allowed() -> None:
    assert line("12 3 ?", unknown=False) == "value_number_required"


def test_a_count_that_is_wrong_says_how_many() -> None:
    found = VALUES.line("12 3", FIELDS, whole=True, unknown=True)

    assert found == Refusal("value_line_count", (("expected", "3"), ("got", "2")))


@unhurried
@given(st.lists(st.integers(0, 10**6) | st.none(), min_size=2, max_size=12))
def test_any_line_is_read_as_it_is_written(numbers: list[int | None]) -> None:
    labels = [f"Loại {chr(ord('a') + place)}" for place in range(len(numbers))]
    typed = ["?" if value is None else str(value) for value in numbers]
    expected = tuple(Number(None if value is None else Decimal(value)) for value in numbers)

    for between in (" ", ", ", "; ", "\n"):
        assert VALUES.line(between.join(typed), labels, whole=True, unknown=True) == expected


@unhurried
@given(st.lists(st.tuples(st.booleans(), st.decimals(0, 1000, places=2)), min_size=2, max_size=6))
def test_what_a_line_offers_reads_as_offered(numbers: list[tuple[bool, Decimal]]) -> None:
    labels = [f"Loại {chr(ord('a') + place)}" for place in range(len(numbers))]
    text = "; ".join(f"{'~' if about else ''}{written(value)} xyz" for about, value in numbers)

    found = VALUES.line(text, labels, whole=False, unknown=False)

    assert isinstance(found, Refusal)
    assert found.suggestion
    assert VALUES.line(found.suggestion, labels, whole=False, unknown=False) == tuple(
        Number(value, about) for about, value in numbers
    )


# Months and days


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3/2027", "2027-03"),
        ("03/2027", "2027-03"),
        ("3-2027", "2027-03"),
        ("3.2027", "2027-03"),
        ("3 2027", "2027-03"),
        ("3/27", "2027-03"),
        ("t3/27", "2027-03"),
        ("T3 27", "2027-03"),
        ("2027-03", "2027-03"),
        ("2027/3", "2027-03"),
        ("tháng 3 năm 2027", "2027-03"),
        ("thang 3 nam 2027", "2027-03"),
        ("tháng 3/2027", "2027-03"),
        ("tháng ba, năm 2027", "2027-03"),
        ("tháng năm 2027", "2027-05"),
        ("tháng mười hai năm 2027", "2027-12"),
        ("tháng 3", "2027-03"),
        ("3", "2027-03"),
        ("tháng 11", "2026-11"),  # this month is still to come
        ("tháng 12", "2026-12"),
        ("tháng này", "2026-11"),
        ("tháng sau", "2026-12"),
        ("tháng 3 năm sau", "2027-03"),
        ("hết tháng 3/2027", "2027-03"),
        ("khoảng tháng 3 năm 2027 ạ", "2027-03"),
        ("hạn đến 3/2027.", "2027-03"),
        ("15/3/2027", "2027-03"),
        ("ngày 15 tháng 3 năm 2027", "2027-03"),
        ("March 2027", "2027-03"),
        ("Sept 2027", "2027-09"),
        ("12/11", "value_month_full_year"),  # of 2011, or the 12th of November
        ("2027", "value_month_only_year"),
        ("năm 2027", "value_month_only_year"),
        ("13/2027", "value_no_such_month"),
        ("0/2027", "value_no_such_month"),
        ("3/1850", "value_no_such_year"),
        ("31/02/2027", "value_no_such_day"),
        ("quý 3", "value_month"),
        ("123", "value_month"),
        ("không biết", "value_month"),
        ("", "value_month"),
    ],
)
def test_months(text: str, expected: str) -> None:
    assert said(VALUES.month(text, TODAY)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("05/03/2027", "2027-03-05"),
        ("5-3-27", "2027-03-05"),
        ("5.3.2027", "2027-03-05"),
        ("5–3–2027", "2027-03-05"),
        ("2027-03-05", "2027-03-05"),
        ("ngày 5 tháng 3 năm 2027", "2027-03-05"),
        ("ngay 5 thang 3 nam 2027", "2027-03-05"),
        ("mùng 5 tháng ba năm 2027", "2027-03-05"),
        ("5 thg 3, 2027", "2027-03-05"),
        ("ngày 5/3 năm sau", "2027-03-05"),
        ("March 5, 2027", "2027-03-05"),
        ("5th of March 2027", "2027-03-05"),
        ("29/2/2028", "2028-02-29"),
        ("1/1/99", "1999-01-01"),
        ("hôm nay", "2026-11-25"),
        ("ngày mai", "2026-11-26"),
        ("hôm qua", "2026-11-24"),
        ("5/3", "value_day_year"),
        ("ngày 5 tháng 3", "value_day_year"),
        ("31/02", "value_no_such_day"),
        ("31/4/2027", "value_no_such_day"),
        ("29/2/2027", "value_no_such_day"),
        ("0/3/2027", "value_no_such_day"),
        ("03/25/2027", "value_no_such_month"),
        ("5/3/1027", "value_no_such_year"),
        ("3/2027", "value_day"),
        ("05032027", "value_day"),
        ("5", "value_day"),
        ("", "value_day"),
    ],
)
def test_days(text: str, expected: str) -> None:
    assert said(VALUES.day(text, TODAY)) == expected


def test_a_day_that_does_not_exist_is_named() -> None:
    assert VALUES.day("29/02/2027", TODAY) == Refusal(
        "value_no_such_day", (("day", "29"), ("month", "2/2027"))
    )


@unhurried
@given(st.dates(date(1950, 1, 1), date(2075, 12, 31)))
def test_any_day_is_read_as_it_is_written(day: date) -> None:
    forms = (
        f"{day:%d/%m/%Y}",
        f"{day.day}-{day.month}-{day.year}",
        f"ngày {day.day} tháng {day.month} năm {day.year}",
    )

    for form in (day.isoformat(), *forms):
        assert VALUES.day(form, TODAY) == day.isoformat()
        assert VALUES.month(form, TODAY) == f"{day:%Y-%m}"


# Tax codes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0100109106", "0100109106"),
        ("0100047516", "0100047516"),
        (" 01 001 091 06 ", "0100109106"),
        ("01.00.109.106", "0100109106"),
        ("MST: 0100109106", "0100109106"),
        ("０１００１０９１０６", "0100109106"),
        ("0100109106-001", "0100109106-001"),
        ("0100109106 – 001", "0100109106-001"),
        ("0100109106001", "0100109106-001"),
        ("0100109107", "tax_code_checksum → 0100109107"),
        ("0100109107001", "tax_code_checksum → 0100109107-001"),
        ("0100109106-000", "tax_code_checksum → 0100109106-000"),
        ("100109106", "tax_code_lost_zero → 0100109106"),
        ("100109106-001", "tax_code_lost_zero → 0100109106-001"),
        ("100109105", "tax_code_length"),
        ("12345", "tax_code_length"),
        ("01001091060", "tax_code_length"),
        ("012345678901", "tax_code_personal"),
        ("0123 4567 8901", "tax_code_personal"),
        ("CCCD 012345678901", "tax_code_personal"),
        ("O1OO1O91O6", "tax_code_letters → 0100109106"),
        ("không có", "tax_code_letters"),
        ("", "tax_code_letters"),
    ],
)
def test_tax_codes(text: str, expected: str) -> None:
    assert said(tax_code(text)) == expected


def test_tax_code_refusals_say_what_their_sentences_need() -> None:
    assert tax_code("12345") == Refusal("tax_code_length", (("n", "5"),))
    assert tax_code("100109106") == Refusal("tax_code_lost_zero", (("input", "100109106"),), "0100109106")


@unhurried
@given(st.from_regex(r"[0-9]{12}", fullmatch=True))
def test_a_personal_number_is_never_repeated(digits: str) -> None:
    assert tax_code(digits) == Refusal("tax_code_personal")
    assert tax_code(f"cccd của tôi là {digits}") == Refusal("tax_code_personal")


@unhurried
@given(st.from_regex(r"[0-9]{10}([0-9]{3})?", fullmatch=True))
def test_a_tax_code_is_taken_exactly_if_its_check_digit_fits(digits: str) -> None:
    found = tax_code(digits)

    assert (found == mst.format(digits)) is mst.is_valid(digits)


@unhurried
@given(st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_codes_with_their_check_digit_are_taken(prefix: str) -> None:
    digits = prefix + mst.calc_check_digit(prefix)
    is_code = len(digits) == 10 and prefix[2:] != "0000000"

    assert (tax_code(digits) == digits) is is_code


# How to reach somebody


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0905123456", "+84905123456"),
        ("0905 123 456", "+84905123456"),
        ("0905.123.456", "+84905123456"),
        ("+84 905 123 456", "+84905123456"),
        ("84905123456", "+84905123456"),
        ("0084905123456", "+84905123456"),
        ("+84 (0)905 123 456", "+84905123456"),
        ("SĐT: 0905123456", "+84905123456"),
        ("(0256) 3822 849", "+842563822849"),
        ("0269 3824 404", "+842693824404"),
        ("+1 415 555 2671", "+14155552671"),
        ("0905123456 / 0906123456", "value_phone_two"),
        ("0905123456/457", "value_phone_two"),
        ("0905123456 hoặc 0906123456", "value_phone_two"),
        ("01681234567", "value_phone_old → +84381234567"),
        ("+84 168 123 4567", "value_phone_old → +84381234567"),
        ("01991234567", "value_phone_old → +84591234567"),
        ("905123456", "value_phone_lost_zero → +84905123456"),
        ("090512345", "value_phone_length"),
        ("09051234567", "value_phone_length"),
        ("113", "value_phone_length"),
        ("0111234567", "value_phone_unknown"),
        ("gọi lễ tân", "value_phone_letters"),
        ("anh Ba 0905123456", "value_phone_letters → +84905123456"),
        ("...", "value_phone_letters"),
        ("", "value_phone_letters"),
    ],
)
def test_telephones(text: str, expected: str) -> None:
    assert said(phone(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lan.Nguyen@CongTy.VN", "Lan.Nguyen@congty.vn"),
        (" lan@congty.vn. ", "lan@congty.vn"),
        ("<lan@congty.vn>", "lan@congty.vn"),
        ("mailto:lan@congty.vn", "lan@congty.vn"),
        ("Email: lan@congty.vn", "lan@congty.vn"),
        ("lan+do@congty.com.vn", "lan+do@congty.com.vn"),
        ("lan @ congty.vn", "value_email_spaces → lan@congty.vn"),
        ("lan@congty.vn, binh@congty.vn", "value_email_two"),
        ("lan.congty.vn", "value_email_at"),
        ("", "value_email_at"),
        ("lan@congty", "value_email_domain"),
        ("lán@congty.vn", "value_email_marks → lan@congty.vn"),
        ("lan@congty..vn", "value_email"),
        ("@congty.vn", "value_email"),
        ("x" * 300 + "@congty.vn", "value_email"),
    ],
)
def test_mail_addresses(text: str, expected: str) -> None:
    assert said(email(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0905 123 456", "+84905123456"),
        ("lan@congty.vn", "lan@congty.vn"),
        ("0905123456 hoặc lan@congty.vn", "value_contact_one"),
        ("lan@gmail", "value_email_domain"),
        ("0905", "value_phone_length"),
        ("zalo", "value_contact"),
        ("", "value_contact"),
    ],
)
def test_a_telephone_or_a_mail_address(text: str, expected: str) -> None:
    assert said(phone_or_email(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nguyễn Văn An", "Nguyễn Văn An"),
        ("  nguyễn   văn an ", "nguyễn văn an"),
        ("NGUYỄN THỊ Ý", "NGUYỄN THỊ Ý"),
        (unicodedata.normalize("NFD", "Nguyễn Văn Ẩn"), "Nguyễn Văn Ẩn"),
        ("H'Hen Niê", "H'Hen Niê"),
        ("TS. Nguyễn Văn An", "TS. Nguyễn Văn An"),
        ("Y", "value_name_short"),
        ("", "value_name_short"),
        ("--", "value_name_short"),
        ("An" * 41, "value_name_long"),
        ("Nguyễn Văn An 2", "value_name_digits"),
        ("0905123456", "value_name_phone"),
        ("Nguyễn Văn An 0905 123 456", "value_name_phone"),
        ("lan@congty.vn", "value_name_email"),
        ("Nguyễn Văn An, giám đốc", "value_name_letters"),
        ("😀😀", "value_name_letters"),
    ],
)
def test_names(text: str, expected: str) -> None:
    assert said(person_name(text)) == expected


# Whatever is typed

WORDS = st.sampled_from(
    ["12", "1.234", "1,5", "khoảng", "hai", "mươi", "mười", "trăm", "nghìn", "rưỡi", "linh", "năm", "phẩy", "k", "tr", "không",
     "biết", "?", "-", "~", ",", ";", "\n", "nhiệt độ", "áp suất", "tháng", "ngày", "3/2027", "31/2", "đến", "và", "âm",
     "cái", "@", "a@b.vn", "0905123456", "012345678901", "00", ".", "/"]
)  # fmt: skip
TYPED = (
    st.text(max_size=200)
    | st.lists(WORDS, max_size=20).map(" ".join)
    | st.lists(WORDS, max_size=20).map("".join)
)


@unhurried
@given(TYPED, st.booleans(), st.booleans())
def test_nothing_typed_ever_fails(text: str, whole: bool, unknown: bool) -> None:
    """Whatever is typed gives a value or a refusal that has its sentence."""
    found: list[object] = [
        VALUES.number(text, whole=whole, unknown=unknown),
        VALUES.line(text, FIELDS, whole=whole, unknown=unknown),
        VALUES.line(text, FIELDS[:1], whole=whole, unknown=unknown),
        VALUES.month(text, TODAY),
        VALUES.day(text, TODAY),
        *(read(text) for read in (tax_code, phone, email, phone_or_email, person_name)),
    ]

    for refusal in found:
        if isinstance(refusal, Refusal):
            assert CONTENT.say("vi", refusal.key, **dict(refusal.values))
            assert CONTENT.say("en", refusal.key, **dict(refusal.values))


@unhurried
@given(st.lists(TYPED, min_size=1, max_size=5), TYPED)
def test_no_label_ever_fails(labels: list[str], text: str) -> None:
    found = VALUES.line(text, labels, whole=True, unknown=True)

    assert isinstance(found, Refusal) or len(found) == len(labels)


@unhurried
@given(TYPED, st.booleans())
def test_a_number_says_so_if_it_is_not_whole(text: str, unknown: bool) -> None:
    found = VALUES.number(text, whole=True, unknown=unknown)

    if isinstance(found, Number) and found.value is not None:
        assert found.value >= 0
        assert found.value == int(found.value)
    if found == Number(None):
        assert unknown


def test_the_words_do_not_contradict_each_other(content: Content) -> None:
    """A word is not both «I do not know» and «none», and dates' months are in order."""
    words = content.values

    assert not set(words.unknown) & set(words.nothing)
    assert all(not set(one) & set(other) for one, other in pairwise(words.dates.months))
