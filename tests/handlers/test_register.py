"""Lists of enterprises: their letters, headings, values, places; what looks like one enterprise and what is."""

import shutil
import subprocess
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.register.importing import Lists
from content.everything import Content
from handlers.register.found import Candidate, Table
from handlers.register.headings import Headings
from handlers.register.planning import Known, Planner, changes_of
from handlers.register.rows import ListRead, ListReader
from handlers.register.spelling import Font, in_capitals
from handlers.register.twins import Named, where
from handlers.register.values import read_emails, read_employees, read_phones, read_tax_code
from handlers.register.words import Lexis
from tests.lists import messy
from tests.lists.messy import tax_code, texts


@pytest.fixture(scope="module")
def lexis(content: Content) -> Lexis:
    return Lexis(content.register, content.forms["demand_survey"])


@pytest.fixture(scope="module")
def reader(lexis: Lexis) -> ListReader:
    return ListReader(lexis)


def read(reader: ListReader, *rows: tuple[Any, ...], **more: Any) -> ListRead:
    found = reader.read(Table("sheet", rows, **more))
    assert found is not None
    return found


# The whole list, as each kind of file


@pytest.mark.parametrize("path", [messy.XLSX, messy.XLS, messy.CSV], ids=lambda path: path.suffix)
def test_every_row_of_a_messy_list_becomes_what_it_must(content: Content, path: Any) -> None:
    lists = Lists(content, lambda: b"k" * 32)
    found = lists.read(lists.open(path))
    plan = lists.compare(None, found)
    by_row = {one.row: one for one in found.candidates}
    held = {one.candidate.row: texts(one.faults) for one in plan.held}
    new = {one.row for one in plan.new}

    assert len(messy.numbered()) == len(by_row) >= 120
    for row, expected in messy.numbered():
        one = by_row[row]
        if expected.becomes == "new":
            assert row in new, (row, held.get(row))
        else:
            assert expected.becomes in held[row], row
        if expected.becomes != "text_lost":
            assert one.name.casefold() == expected.name.casefold()
        whole = {"nfc": "windows_1258", "eth": "windows_1258"} if path.suffix == ".csv" else {}
        assert {whole.get(why, why) for why in expected.repaired} <= set(texts(one.repairs)), row
        assert not expected.note or expected.note in texts(one.notes), row
        for name, value in (expected.what or {}).items():
            assert getattr(one, name) == value, row


def test_a_personal_number_is_nowhere_in_what_is_read(content: Content) -> None:
    lists = Lists(content, lambda: b"k" * 32)
    found = lists.read(lists.open(messy.XLSX))

    assert "052099001234" not in repr(found.candidates)


# Letters

WORDS = st.sampled_from(
    [
        "công",
        "ty",
        "cổ",
        "phần",
        "chế",
        "biến",
        "thủy",
        "sản",
        "gỗ",
        "đá",
        "xăng",
        "dầu",
        "hợp",
        "tác",
        "xã",
        "nông",
        "nghiệp",
        "phước",
        "hưng",
        "hoài",
        "nhơn",
        "tuy",
        "phước",
        "quy",
        "người",
        "đường",
        "trần",
        "hưng",
        "đạo",
        "nguyễn",
        "thị",
        "minh",
        "khuỷu",
        "ngoằn",
        "ngoèo",
        "giếng",
        "quỹ",
        "huỳnh",
        "bưởi",
        "ốp",
        "lát",
        "tiếng",
        "việt",
    ]
)
PHRASES = st.lists(WORDS, min_size=3, max_size=9).map(" ".join).filter(lambda text: not text.isascii())


def _marked(text: str) -> int:
    return sum(not word.isascii() for word in text.split())


@pytest.mark.parametrize("way", ["tcvn3", "vni", "windows_1258", "mojibake"])
@given(text=PHRASES)
@example(text="công ty gỗ hoài nhơn")
def test_a_text_in_an_old_encoding_is_read_as_it_was_or_not_at_all(lexis: Lexis, way: str, text: str) -> None:
    words = lexis.words
    spoilt = {
        "tcvn3": Font(words.tcvn3.pairs).write,
        "vni": Font(in_capitals(words.vni.pairs)).write,
        "windows_1258": lambda said: messy.bytes_1258(said).decode("cp1252", "western"),
        "mojibake": lambda said: said.encode().decode("cp1252", "western"),
    }[way](text)

    judged = lexis.speller.judge(spoilt)

    assert judged.clear is None or judged.clear.text == text
    if _marked(text) > 4:
        assert any(one.text == text for one in judged.readings) or judged.text == text


def test_a_text_that_reads_in_two_ways_goes_back(reader: ListReader) -> None:
    rows = (("Tên", "MST"), ("công công công công xaÞ", "0100109106"))

    [found] = read(reader, *rows).candidates

    assert texts(found.faults) == ["text_unread"]


@given(text=PHRASES)
def test_a_text_in_unicode_stays_as_it_is(lexis: Lexis, text: str) -> None:
    for written in (text, text.upper(), text.title(), unicodedata.normalize("NFD", text)):
        assert lexis.speller.judge(written).clear is None


@pytest.mark.parametrize(
    "text",
    ["Công ty TNHH Müller", "Nestlé Việt Nam", "Café São Paulo", "«Gỗ» – Đá · Cát", "ABC 123", "50 m², 3 µm"],
)
def test_what_is_not_vietnamese_is_left_alone(lexis: Lexis, text: str) -> None:
    assert lexis.speller.judge(text).clear is None


def test_the_table_of_the_vn_fonts_is_that_of_iconv(content: Content) -> None:
    if shutil.which("iconv") is None:  # not everywhere: the table stands in our content all the same
        return
    for shown, meant in content.register.tcvn3.pairs.items():
        command = ["iconv", "-f", "TCVN5712-1", "-t", "UTF-8"]
        found = subprocess.run(command, input=shown.encode("latin-1"), capture_output=True, check=False)
        assert not found.stdout or unicodedata.normalize("NFC", found.stdout.decode()) == meant


# Tax codes, telephones, mail addresses, numbers


@pytest.mark.parametrize(
    ("cell", "value", "remarks"),
    [
        ("0100109106", "0100109106", []),
        (100109106.0, "0100109106", ["tax_code_lost_zero"]),
        ("'0100109106", "0100109106", []),
        ("0100109106.0", "0100109106", ["tax_code_number"]),
        ("1.00109106E+08", "0100109106", ["tax_code_scientific"]),
        ("9.05E+08", "", ["tax_code_scientific"]),
        ("0100109106001", "0100109106-001", ["tax_code_form"]),
        (100109106001.0, "0100109106-001", ["tax_code_lost_zero"]),
        ("052099001234", "", ["tax_code_personal"]),
        (52099001234.0, "", ["tax_code_personal"]),
        ("0100109107", "", ["tax_code_checksum"]),
        ("0100109106; 0100047516", "", ["tax_code_length"]),
        ("chưa có", "", []),
        (None, "", []),
    ],
)
def test_tax_codes(lexis: Lexis, cell: Any, value: str, remarks: list[str]) -> None:
    found = read_tax_code(cell, lexis)

    assert (found.value, texts(found.remarks)) == (value, remarks)


@given(number=st.integers(1, 9_998_000), lead=st.sampled_from(["41", "01", "59"]), branch=st.integers(0, 999))
def test_a_tax_code_survives_what_a_spreadsheet_does_to_it(
    lexis: Lexis, number: int, lead: str, branch: int
) -> None:
    code = tax_code(number, lead)
    whole = f"{code}-{branch:03d}" if branch else code
    bare = whole.replace("-", "")

    for cell in (whole, bare, int(bare), float(bare), f" {bare[:4]} {bare[4:]} ", f"{bare}.0"):
        found = read_tax_code(cell, lexis)
        assert found.value == whole, cell


@given(digits=st.text("0123456789", min_size=11, max_size=11))
def test_twelve_digits_that_begin_with_zero_are_never_kept(lexis: Lexis, digits: str) -> None:
    found = read_tax_code(f"0{digits}", lexis)

    assert found.values == []
    assert digits not in repr(found)


@pytest.mark.parametrize(
    ("cell", "values", "remarks"),
    [
        ("0912345678 / 0256.3822123", ["+84912345678", "+842563822123"], ["phone_two"]),
        ("0912 345 678 - 0905 123 456", ["+84912345678", "+84905123456"], ["phone_two"]),
        ("0912345678 hoặc 0905123456", ["+84912345678", "+84905123456"], ["phone_two"]),
        ("0256.3822123-3822124", ["+842563822123", "+842563822124"], ["phone_two"]),
        ("ĐT: 0912.345.678; Fax: 0256 3822123", ["+84912345678", "+842563822123"], ["phone_two"]),
        (912345678.0, ["+84912345678"], ["phone_lost_zero"]),
        ("01685 123 456", ["+84385123456"], ["phone_old"]),
        ("0912345678 (anh Nam)", ["+84912345678"], []),
        ("0256 3822 123/124", ["+842563822123"], ["phone_rest"]),
        ("3822123", [], ["phone_area"]),
        ("9.12E+08", [], ["phone_scientific"]),
        ("0912", [], ["phone"]),
        ("không có", [], []),
    ],
)
def test_telephones(lexis: Lexis, cell: Any, values: list[str], remarks: list[str]) -> None:
    found = read_phones(cell, lexis)

    assert (found.values, texts(found.remarks)) == (values, remarks)


@pytest.mark.parametrize(
    ("cell", "values", "remarks"),
    [
        ("a@vidu.vn; b@vidu.vn", ["a@vidu.vn", "b@vidu.vn"], ["email_two"]),
        ("a@vidu.vn / b@vidu.vn", ["a@vidu.vn", "b@vidu.vn"], ["email_two"]),
        ("A@ViDu.VN (kế toán)", ["A@vidu.vn"], []),
        ("lien he@vidu.vn", ["lienhe@vidu.vn"], ["email_form"]),
        ("vidu.vn", [], ["email"]),
        ("0912345678", ["+84912345678"], []),
    ],
)
def test_mail_addresses(lexis: Lexis, cell: Any, values: list[str], remarks: list[str]) -> None:
    found = read_emails(cell, lexis)

    assert (found.values, texts(found.remarks)) == (values, remarks)


@pytest.mark.parametrize(
    ("cell", "number"),
    [(120.0, 120), ("1.200", 1200), ("khoảng 50 người", 50), ("10-50", None), (">200", None)],
)
def test_employees(lexis: Lexis, cell: Any, number: int | None) -> None:
    assert read_employees(cell, lexis)[0] == number


# Headings

ROW = ("Công ty TNHH Gỗ Hoài Nhơn", "0100109106", "0912345678")


@pytest.mark.parametrize(
    ("above", "fields"),
    [
        ([("Tên doanh nghiệp", "MST", "Điện thoại")], ["name", "tax_code", "phone"]),
        ([("TÊN ĐƠN VỊ", "Mã số thuế/Mã số DN", "ĐT liên hệ")], ["name", "tax_code", "phone"]),
        ([("Tªn doanh nghiÖp", "M· sè thuÕ", "§iÖn tho¹i")], ["name", "tax_code", "phone"]),
        ([("Teân ñôn vò", "MST", "Ñieän thoaïi")], ["name", "tax_code", "phone"]),
        ([("DANH SÁCH",), (), ("Tên cơ sở", "MST", "SĐT")], ["name", "tax_code", "phone"]),
        ([("Tên", "MST", "Liên hệ"), (None, None, "Số điện thoại")], ["name", "tax_code", "phone"]),
        ([("Company name", "Tax code", "Tel")], ["name", "tax_code", "phone"]),
        ([("Tên doanh nghiệp", "MST", "SĐT"), ("(1)", "(2)", "(3)")], ["name", "tax_code", "phone"]),
    ],
)
def test_headings(reader: ListReader, above: list[tuple[Any, ...]], fields: list[str]) -> None:
    found = read(reader, *above, ROW)

    assert [one.field for one in found.headings.columns] == fields
    assert [one.name for one in found.candidates] == [ROW[0]]


@pytest.mark.parametrize(
    "rows", [[], [("Bìa",)], [("Tên", "Tuổi"), ("Nam", 30)], [("MST",), ("0100109106",)]]
)
def test_a_sheet_that_is_no_list_has_no_headings(reader: ListReader, rows: list[tuple[Any, ...]]) -> None:
    assert reader.headings(Table("sheet", rows)) is None


def test_headings_are_the_best_row_and_not_the_first(reader: ListReader) -> None:
    found: Headings | None = reader.headings(
        Table(
            "sheet",
            [("Đơn vị", "Điện thoại"), ("Sở", "0256"), ("Tên doanh nghiệp", "MST", "Địa chỉ", "Email")],
        )
    )

    assert found is not None
    assert found.row == 2


# Places


@pytest.mark.parametrize(
    ("commune", "district", "address", "code", "offered"),
    [
        ("Phường Quy Nhơn", "", "", "quy_nhon", 0),
        ("P. Quy Nhơn Đông", "", "", "quy_nhon_dong", 0),
        ("Quy Nhơn Đông", "", "", "quy_nhon_dong", 0),
        ("Quy Nhơn", "", "", None, 6),
        ("", "", "1 Lê Lợi, TP. Quy Nhơn, tỉnh Bình Định", None, 6),
        ("", "", "1 Lê Lợi, P. Tam Quan", "tam_quan", 0),
        ("Bình Định", "", "", None, 0),
        ("Phường Bình Định", "", "", "binh_dinh", 0),
        ("", "", "An Nhơn, Bình Định", None, 6),
        ("Phước Sơn", "Tuy Phước", "", None, 4),
        ("Xã Cát Hanh", "Phù Cát", "", None, 0),
        ("TT Bồng Sơn", "Hoài Nhơn", "", "bong_son", 0),
        ("", "", "", None, 0),
    ],
)
def test_places(
    reader: ListReader, commune: str, district: str, address: str, code: str | None, offered: int
) -> None:
    rows = (
        ("Tên", "MST", "Xã/phường", "Huyện", "Địa chỉ"),
        ("Công ty TNHH A", "0100109106", commune, district, address),
    )

    [found] = read(reader, *rows).candidates

    assert (found.commune, len(found.offers)) == (code, offered)
    assert found.faults == ()


# The register

KNOWN = Known(
    1,
    "Công ty TNHH Gỗ Hoài Nhơn",
    "0100109106",
    commune="hoai_nhon",
    address="1 Trần Phú",
    phones=("+84912345678",),
)
HOUSE = Known(2, "Hộ kinh doanh Bún Chả Cá Ngọc Liên", None, commune="bong_son")


def planned(lexis: Lexis, *rows: Candidate) -> Any:
    every = {one.id: one for one in (KNOWN, HOUSE)}
    names = [
        Named(one.id, one.name, one.tax_code, where(one.commune, one.commune_text)) for one in every.values()
    ]
    return Planner(lexis, names, lambda ids: {number: every[number] for number in ids}).plan(rows)


@pytest.mark.parametrize(
    ("candidate", "becomes"),
    [
        (Candidate(5, "Cty TNHH gỗ Hoài Nhơn", "0100109106", address="2 Trần Phú"), "updates"),
        (Candidate(5, "Công ty TNHH Gỗ Hoài Nhơn", "0100109106"), "same"),
        (Candidate(5, "Công ty TNHH Gỗ Hoài Nhơn", "0100109106", phones=("+84912345678",)), "same"),
        (Candidate(5, "Công ty CP Xăng dầu", "0100109106"), "held"),
        (Candidate(5, "Công ty CP Xăng dầu", "0100109106", confirm="same"), "updates"),
        (Candidate(5, "Công ty TNHH Gỗ Hoài Nhơn", "0100047516", commune="hoai_nhon"), "new"),
        (
            Candidate(5, "Công ty TNHH gỗ Hoài Nhơn", None, commune="hoai_nhon", phones=("+84905123456",)),
            "held",
        ),
        (
            Candidate(5, "HKD bún chả cá Ngọc Liên", None, commune="bong_son", phones=("+84905123456",)),
            "held",
        ),
        (
            Candidate(
                5,
                "HKD bún chả cá Ngọc Liên",
                None,
                commune="bong_son",
                phones=("+84905123456",),
                confirm="new",
            ),
            "new",
        ),
        (Candidate(5, "HKD bún chả cá Ngọc Liên", None, commune="bong_son", confirm="same"), "updates"),
        (Candidate(5, "Hộ kinh doanh Bún Chả Cá Ngọc Liên", None, commune="bong_son"), "same"),
        (Candidate(5, "Hộ kinh doanh Bún Chả Cá Ngọc Liên", None, commune="an_nhon"), "new"),
    ],
)
def test_a_row_against_the_register(lexis: Lexis, candidate: Candidate, becomes: str) -> None:
    plan = planned(lexis, candidate)

    assert {name for name in ("new", "updates", "same", "held") if getattr(plan, name)} == {becomes}


def test_an_empty_cell_changes_nothing_and_contacts_are_only_added() -> None:
    row = Candidate(5, KNOWN.name, "0100109106", address="2 Trần Phú", phones=("+84905123456",))

    changes = {one.field: (one.before, one.after) for one in changes_of(row, KNOWN)}

    assert changes == {"address": ("1 Trần Phú", "2 Trần Phú"), "phone": ("+84912345678", "+84905123456")}


def test_two_rows_never_change_one_enterprise(lexis: Lexis) -> None:
    row = Candidate(5, HOUSE.name, None, commune="bong_son", confirm="same", address="1")

    plan = planned(lexis, row, replace(row, row=6, address="2"))

    assert [one.candidate.row for one in plan.updates] == [5]
    assert [one.candidate.row for one in plan.held] == [6]
