"""`export survey`: what stands in the file, and what is said when there is none."""

import csv
import errno
import io
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import sheets
from bot.exports import ExportError, Format, Order, export_survey
from content.everything import Content
from handlers.columns import Options
from storage.database import Database, open_database
from storage.exports import Counts, Snapshot
from tests.service import command
from tests.storage.answered import (
    FORM,
    NEW,
    OLD,
    response,
    small_form,
    store_forms,
    store_personal,
    store_responses,
)
from tests.world import Sqlite, settings_for

ZONE = settings_for("sqlite:///x.db").zone
TEXTS = ["=1+1", "Nguyễn Đức", "0100109106", "một\nhai", "rất vui 😀", "+84", "-", "@tên", "\tlùi", "_x0041_"]

FULL = {
    "tax_code": ["0100109106"],
    "contact": ["", "p"],
    "kind": ["other", "", "làm nước đá"],
    "needs": [["checks", "training"]],
    "devices": [["scale"]],
    "how_many.scale": [12, "~"],
    "branches": [2],
    "branch.1": ["Quy Nhơn"],
    "branch.2": ["", "-"],
    "cost": ["12.5"],
    "opened": ["2027-03-31"],
    "due": ["2027-03"],
    "doubled": [4],
    "remark": ["", "n"],
}


@pytest.fixture
def database(sqlite: Sqlite) -> Iterator[Database]:
    """A database that knows both versions of the small form."""
    opened = open_database(sqlite.new())
    store_forms(opened)
    yield opened
    opened.close()


class Office:
    """Somebody who exports, and reads what came."""

    def __init__(self, database: Database, content: Content, folder: Path) -> None:
        self.database, self.content, self.folder = database, content, folder
        self.said = ""

    def exports(self, format: str, *, file: str = "", **more: Any) -> Path:
        """Export to a file; `codes`, `split`, `anonymous`, `since`, `until`, `form_id` as on the command line."""
        options = Options(**{key: more.pop(key) for key in ("codes", "split", "anonymous") if key in more})
        path = self.folder / (file or f"out.{format}")
        order = Order(more.pop("form_id", FORM), Format(format), path, options=options, **more)
        self.said = export_survey(self.database, self.content.say, ZONE, order)
        return path

    def workbook(self, **more: Any) -> dict[str, list[dict[str, Any]]]:
        """The rows of each sheet by their headings, blank cells left out."""
        book = openpyxl.load_workbook(self.exports("xlsx", **more))
        return {sheet.title: _rows(sheet.iter_rows(values_only=True)) for sheet in book}

    def table(self, **more: Any) -> list[dict[str, Any]]:
        """The rows of a CSV file by their headings, blank cells left out."""
        return _rows(_read_csv(self.exports("csv", **more).read_bytes()))

    def objects(self, **more: Any) -> list[dict[str, Any]]:
        """The objects of a JSON Lines file."""
        return [orjson.loads(line) for line in self.exports("jsonl", **more).read_bytes().splitlines()]


def _read_csv(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def _rows(lines: Any) -> list[dict[str, Any]]:
    head, *rows = list(lines)
    pairs = [dict(zip(head, row, strict=True)) for row in rows]
    return [found for row in pairs if (found := {k: v for k, v in row.items() if v not in (None, "")})]


@pytest.fixture
def office(database: Database, content: Content, tmp_path: Path) -> Office:
    """The office with an empty folder."""
    return Office(database, content, tmp_path)


# What stands in the file


def test_a_workbook_shows_answers_in_words(office: Office) -> None:
    store_responses(office.database, [response(1, FULL, rival=True)])
    store_personal(office.database, 1, {"contact": "Nguyễn Đức"})

    [row] = office.workbook()["Phiếu đã gửi"]

    assert row == {
        "Mã phiếu": "7KQ4MXW20001",
        "Năm": 2026,
        "Phiên bản": NEW,
        "Trạng thái": "Đã gửi",
        "Bắt đầu": "20/11/2026 09:00",
        "Cập nhật": "20/11/2026 09:00",
        "Gửi lúc": "20/11/2026 09:00",
        "Có phiếu khác cùng mã số thuế": "Có",
        "tax_code": "0100109106",
        "contact": "Nguyễn Đức",
        "kind": "Khác",
        "kind.other": "làm nước đá",
        "needs": "Kiểm định; Đào tạo",
        "devices": "Cân",
        "how_many.scale": 12,
        "branches": 2,
        "branch.1": "Quy Nhơn",
        "branch.2": "Bỏ qua",
        "cost": 12.5,
        "opened": "31/03/2027",
        "due": "03/2027",
        "doubled": 4,
        "remark": "Không áp dụng",
        "Số ước lượng": "how_many.scale",
    }


def test_a_table_by_codes_for_programs(office: Office) -> None:
    store_responses(office.database, [response(1, {**FULL, "cost": ["", "?"]})])
    store_personal(office.database, 1, {"contact": "Nguyễn Đức"})

    [row] = office.table(codes=True)

    assert row == {
        "code": "7KQ4MXW20001",
        "year": "2026",
        "version": NEW,
        "status": "submitted",
        "started": "20/11/2026 09:00",
        "updated": "20/11/2026 09:00",
        "submitted": "20/11/2026 09:00",
        "rival": "0",
        "tax_code": "0100109106",
        "contact": "Nguyễn Đức",
        "kind": "other",
        "kind.other": "làm nước đá",
        "needs": "checks training",
        "devices": "scale",
        "how_many.scale": "12",
        "branches": "2",
        "branch.1": "Quy Nhơn",
        "branch.2": "skipped",
        "cost": "unknown",
        "opened": "2027-03-31",
        "due": "2027-03",
        "doubled": "4",
        "remark": "not_applicable",
        "approximate": "how_many.scale",
    }


def test_an_object_for_each_response(office: Office) -> None:
    store_responses(
        office.database,
        [response(1, {**FULL, "cost": ["", "?"]}), response(2, {"cost": ["0.10"]}, status="partial")],
    )
    store_personal(office.database, 1, {"contact": "Nguyễn Đức"})

    first, second = office.objects()

    assert first == {
        "code": "7KQ4MXW20001",
        "form": FORM,
        "version": NEW,
        "year": 2026,
        "status": "submitted",
        "last_question": "",
        "answers": {
            "tax_code": "0100109106",
            "contact": "Nguyễn Đức",
            "kind": {"value": "other", "other": "làm nước đá"},
            "needs": ["checks", "training"],
            "devices": ["scale"],
            "how_many": {"scale": {"value": 12, "approximate": True}},
            "branches": 2,
            "branch": {"1": "Quy Nhơn", "2": {"state": "skipped"}},
            "cost": {"state": "unknown"},
            "opened": "2027-03-31",
            "due": "2027-03",
            "doubled": 4,
            "remark": {"state": "not_applicable"},
        },
    }
    assert list(first["answers"]) == [name for name in _asked(NEW) if name in first["answers"]]
    assert (second["status"], second["answers"]) == ("partial", {"cost": 0.1})


def _asked(version: str) -> list[str]:
    return [row.name or "" for row in small_form(version).survey]


def test_unfinished_responses_have_their_own_sheet(office: Office) -> None:
    store_responses(
        office.database,
        [response(1), response(2, status="partial", last_question="kind"), response(3, status="cancelled")],
    )

    book = office.workbook()

    assert list(book) == ["Phiếu đã gửi", "Phiếu làm dở", "Mã hóa"]
    assert [row["Mã phiếu"] for row in book["Phiếu đã gửi"]] == ["7KQ4MXW20001"]
    [partial] = book["Phiếu làm dở"]
    assert (partial["Mã phiếu"], partial["Câu đang dừng"]) == ("7KQ4MXW20002", "Ngành")
    assert "Gửi lúc" not in partial
    assert office.said == f"Đã xuất 2 phiếu (1 đã gửi, 1 làm dở) vào {office.folder / 'out.xlsx'}"


def test_a_sent_response_that_an_edit_opened_again_shows_where(office: Office) -> None:
    store_responses(office.database, [response(1), response(2, last_question="kind")])

    rows = office.workbook()["Phiếu đã gửi"]

    assert [row.get("Câu đang dừng") for row in rows] == [None, "Ngành"]
    assert [one["last_question"] for one in office.objects()] == ["", "kind"]


def test_versions_share_a_column_by_name_and_older_questions_come_last(office: Office) -> None:
    store_responses(
        office.database,
        [
            response(1, {"tax_code": ["0100109106"], "needs": [["training"]]}),
            response(2, {"fax": ["256"], "needs": [["fax"]], "tax_code": ["0100109107"]}, version=OLD),
        ],
    )

    head = _read_csv(office.exports("csv").read_bytes())[0]
    new, old = office.table()

    assert (new["tax_code"], old["tax_code"]) == ("0100109106", "0100109107")
    assert (new["needs"], old["needs"]) == ("Đào tạo", "Máy fax")
    assert old["fax"] == "256"
    assert head[9:] == [
        "tax_code", "contact", "kind", "kind.other", "needs", "devices", "how_many.scale", "how_many.meter",
        "branches", "cost", "opened", "due", "doubled", "remark", "fax", "Số ước lượng",
    ]  # fmt: skip


def test_a_column_for_each_of_several_choices(office: Office) -> None:
    """A choice that a version did not offer is blank, not 0; where nothing was answered, each says why."""
    store_responses(
        office.database,
        [
            response(1, {"needs": [["checks"]]}),
            response(2, {"needs": [["fax"]]}, version=OLD),
            response(3, {"needs": ["", "?"]}),
            response(4, {"needs": ["", "-"]}),
            response(5, {"needs": ["", "n"]}, version=OLD),
            response(6),
        ],
    )

    rows = [
        {name: cell for name, cell in row.items() if name.startswith("needs")}
        for row in office.table(split=True)
    ]

    assert rows == [
        {"needs/training": "0", "needs/checks": "1", "needs/none": "0"},
        {"needs/training": "0", "needs/none": "0", "needs/fax": "1"},
        dict.fromkeys(("needs/training", "needs/checks", "needs/none"), "Không biết"),
        dict.fromkeys(("needs/training", "needs/checks", "needs/none"), "Bỏ qua"),
        dict.fromkeys(("needs/training", "needs/none", "needs/fax"), "Không áp dụng"),
        {},
    ]


@pytest.mark.parametrize("format", ["xlsx", "csv", "jsonl"])
def test_nothing_personal_where_it_is_not_wanted(office: Office, format: str) -> None:
    store_responses(office.database, [response(1, FULL)])
    store_personal(office.database, 1, {"contact": "Nguyễn Đức"})

    read = {"xlsx": office.workbook, "csv": office.table, "jsonl": office.objects}[format]
    found = str(read(anonymous=True))

    assert "0100109106" in found
    assert "Nguyễn Đức" not in found
    assert "contact" not in found


DEMAND = "demand_survey"
HOUSEHOLD = {
    "enterprise": ["Hộ kinh doanh Lê Văn Tám"],
    "legal_form": ["household"],
    "suggestions": ["Gọi 0905 333 444, gặp Tám."],
    "provider": [["other"], "", "nơi cũ"],
    "contact": ["", "p"],
}


def demand(
    office: Office, *answered: dict[str, Any], codes: bool = False, **more: Any
) -> list[dict[str, Any]]:
    """Rows of the demand survey as a table."""
    form = office.content.forms[DEMAND]
    store_forms(office.database, form.file)
    about = {"form_id": DEMAND, "version": form.version, "status": "partial"}
    store_responses(office.database, [response(n, one, **about) for n, one in enumerate(answered, 1)])
    return office.table(form_id=DEMAND, codes=codes, **more)


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        (HOUSEHOLD, "Không nêu tên"),
        ({**HOUSEHOLD, "legal_form": ["llc"]}, "Hộ kinh doanh Lê Văn Tám"),
        ({"enterprise": ["Hộ kinh doanh Lê Văn Tám"]}, "Không nêu tên"),
        ({**HOUSEHOLD, "enterprise": ["", "p"], "legal_form": ["llc"]}, "Không nêu tên"),
    ],
)
def test_without_names_a_household_has_none_and_nobody_writes_freely(
    office: Office, answers: dict[str, Any], shown: str
) -> None:
    """As long as nobody said what the firm is, its name may be a household's."""
    [row] = demand(office, answers, anonymous=True)
    [one] = office.objects(form_id=DEMAND, anonymous=True)

    given = {"state": "withheld"} if shown == "Không nêu tên" else shown
    assert (row["enterprise"], one["answers"]["enterprise"]) == (shown, given)
    assert "0905" not in str(row) + str(one)
    assert not {"suggestions", "contact", "unmet_measurement"} & (row.keys() | one["answers"].keys())


def test_with_names_everything_stays(office: Office) -> None:
    [row] = demand(office, HOUSEHOLD)

    assert (row["enterprise"], row["suggestions"]) == (
        HOUSEHOLD["enterprise"][0],
        HOUSEHOLD["suggestions"][0],
    )


def test_what_was_computed_is_shown_in_words(office: Office) -> None:
    computed = {
        "size": ["unknown"],
        "size_group": ["trade"],
        "vsic2025_section": ["C"],
        "vsic2025_division": ["d16"],
        "uses_instruments": ["yes"],
        "measuring_fields": ["mass pressure other "],
        "group2_kinds": [3],
        "instruments_total": ["", "?"],
    }
    more = {
        "size": ["medium"],
        "vsic2025_division": ["d14"],
        "vsic2025_section": ["unknown"],
        "uses_instruments": ["no"],
    }

    one, two = demand(office, computed, more)

    assert {name: one[name] for name in computed} == {
        "size": "Chưa xác định",
        "size_group": "Thương mại, dịch vụ",
        "vsic2025_section": "C",
        "vsic2025_division": "Gỗ và sản phẩm từ gỗ, tre, nứa",
        "uses_instruments": "Có",
        "measuring_fields": "Khối lượng; Áp suất; Lĩnh vực khác",
        "group2_kinds": "3",
        "instruments_total": "Không biết",
    }
    assert [two[name] for name in more] == ["Vừa", "May mặc", "Chưa xác định", "Không"]


def test_what_was_computed_keeps_its_codes_and_the_codebook_tells_them(office: Office) -> None:
    [row] = demand(office, {"size": ["micro"], "uses_instruments": ["yes"]}, codes=True)
    book = office.workbook(form_id=DEMAND)["Mã hóa"]

    assert (row["size"], row["uses_instruments"]) == ("micro", "yes")
    told = [(one.get("Mã lựa chọn"), one.get("Lựa chọn")) for one in book if one["Cột"] == "size"]
    assert ("micro", "Siêu nhỏ") in told


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("+84912345678", "0912345678"),
        ("+842563822464", "02563822464"),
        ("+33612345678", "'+33612345678"),
        ("an@congty.vn", "an@congty.vn"),
    ],
)
def test_a_telephone_is_written_as_people_write_it(office: Office, kept: str, shown: str) -> None:
    """Only a foreign number still begins like a formula and is guarded in CSV."""
    store_responses(office.database, [response(1, {"contact": ["", "p"]})])
    store_personal(office.database, 1, {"contact": kept})

    assert office.table()[0]["contact"] == shown
    assert office.workbook()["Phiếu đã gửi"][0]["contact"] == shown.removeprefix("'")
    assert office.objects()[0]["answers"]["contact"] == kept


def test_what_was_erased_says_so(office: Office) -> None:
    store_responses(office.database, [response(1, FULL)])

    assert office.table()[0]["contact"] == "Đã xóa theo yêu cầu"
    assert office.objects()[0]["answers"]["contact"] == {"state": "erased"}


def test_numbers_that_a_spreadsheet_cannot_keep_stay_text(office: Office) -> None:
    store_responses(
        office.database, [response(1, {"branches": [1234567890123456], "cost": ["0.1234567890123456789"]})]
    )

    [row] = office.workbook()["Phiếu đã gửi"]

    assert (row["branches"], row["cost"]) == ("1234567890123456", "0.1234567890123456789")
    assert office.objects()[0]["answers"]["branches"] == 1234567890123456


def test_the_codebook_tells_what_columns_and_codes_mean(office: Office) -> None:
    rows = office.workbook()["Mã hóa"]

    assert [row for row in rows if row["Cột"] in ("tax_code", "needs", "how_many.meter")] == [
        {
            "Cột": "tax_code",
            "Câu hỏi": "1. Mã số thuế",
            "Kiểu": "chữ",
            "Phiên bản có câu này": f"{NEW}, {OLD}",
        },
        {
            "Cột": "needs",
            "Câu hỏi": "Cần gì",
            "Kiểu": "chọn nhiều",
            "Phiên bản có câu này": f"{NEW}, {OLD}",
        },
        _choice("needs", "training", "Đào tạo", f"{NEW}, {OLD}"),
        _choice("needs", "checks", "Kiểm định", NEW),
        _choice("needs", "none", "Không cần", f"{NEW}, {OLD}"),
        _choice("needs", "fax", "Máy fax", OLD),
        {
            "Cột": "how_many.meter",
            "Câu hỏi": "Bao nhiêu [Đồng hồ nước]",
            "Kiểu": "số nguyên",
            "Phiên bản có câu này": NEW,
        },
    ]


def _choice(column: str, name: str, label: str, versions: str) -> dict[str, str]:
    return {"Cột": column, "Mã lựa chọn": name, "Lựa chọn": label, "Phiên bản có câu này": versions}


def test_only_the_days_asked_for(office: Office) -> None:
    """Days are those of the office: 23:30 UTC is the next morning there."""
    store_responses(
        office.database, [response(1), response(2, at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))]
    )

    def codes(**days: date) -> list[str]:
        return [row["code"][-1] for row in office.objects(**days)]

    assert codes(until=date(2026, 11, 20)) == ["1"]
    assert codes(since=date(2026, 11, 21), until=date(2026, 11, 21)) == ["2"]
    with pytest.raises(ExportError, match="Ngày bắt đầu"):
        codes(since=date(2026, 11, 21), until=date(2026, 11, 20))


def test_no_response_is_an_empty_table(office: Office) -> None:
    book = office.workbook()

    assert (book["Phiếu đã gửi"], book["Phiếu làm dở"]) == ([], [])
    assert office.said.startswith("Đã xuất 0 phiếu (0 đã gửi, 0 làm dở)")
    assert office.table() == []
    assert office.objects() == []


# Texts stay texts


@pytest.mark.parametrize("text", TEXTS)
def test_a_workbook_gives_back_the_text_itself(office: Office, text: str) -> None:
    store_responses(office.database, [response(1, {"remark": [text], "tax_code": [text]})])

    sheet = openpyxl.load_workbook(office.exports("xlsx"))["Phiếu đã gửi"]
    cells = [cell for cell in sheet[2] if sheet.cell(1, cell.column).value in ("remark", "tax_code")]

    # Excel reads _x005F_ as the underscore it stands for; openpyxl does not.
    assert [str(cell.value).replace("_x005F_", "_") for cell in cells] == [text, text]
    assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+84 256", "'+84 256"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\x00=1+1", "'=1+1"),
        ("0100109106", "0100109106"),
        ('một, "hai"\nba 😀', 'một, "hai"\nba 😀'),
        ("a\x00b\x1bc", "abc"),
        ("1-2", "1-2"),
        ("", ""),
    ],
)  # fmt: skip
def test_no_cell_of_a_csv_file_begins_like_a_formula(tmp_path: Path, text: str, written: str) -> None:
    path = tmp_path / "out.csv"

    sheets.write_csv(path, ["remark", "=head"], [[text, -5], [None, 0.5]])

    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.endswith(b"0.5\r\n")
    assert _read_csv(raw) == [["remark", "'=head"], [written, "-5"], ["", "0.5"]]


_BEGINS = st.sampled_from(["", *"=+-@\t\r\n\x00\x1b\"', 09:;Az", "=", "đ", "😀"])
_CELLS = st.one_of(
    st.none(),
    st.integers(),
    st.builds(str.__add__, _BEGINS, st.text(st.characters(exclude_categories=["Cs"]))),
)


@given(rows=st.lists(st.lists(_CELLS, min_size=3, max_size=3)))
def test_a_csv_file_gives_back_every_text_and_no_formula(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[Any]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"

    sheets.write_csv(path, ["a", "b", "c"], rows)
    found = _read_csv(path.read_bytes())[1:]

    assert len(found) == len(rows)
    for given_row, found_row in zip(rows, found, strict=True):
        for cell, text in zip(given_row, found_row, strict=True):
            kept = "".join(letter for letter in str(cell) if letter >= " " or letter in "\t\r\n")
            if isinstance(cell, str) and kept[:1] in {*"=+-@\t\r\n"}:
                kept = f"'{kept}"
            assert text == ("" if cell is None else kept)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\x00b\x0bc", "abc"),
        ("một\r\nhai\rba", "một\nhai\nba"),
        ("\ud83d", "?"),
        ("x" * 32_767, "x" * 32_767),
        ("x" * 32_768, "x" * 32_762 + " cut."),
        ("😀" * 16_384, "😀" * 16_381 + " cut."),
    ],
)
def test_a_workbook_holds_what_a_cell_can(tmp_path: Path, text: str, written: str) -> None:
    path = tmp_path / "out.xlsx"

    sheets.write_xlsx(path, [sheets.Sheet("s", [sheets.Heading("a")], [[text]], 1)], cut=" cut.")

    assert openpyxl.load_workbook(path)["s"]["A2"].value == written


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    path = tmp_path / "out.xlsx"
    rows = ([number] for number in range(5))

    sheets.write_xlsx(path, [sheets.Sheet("Phiếu đã gửi", [sheets.Heading("n")], rows, 5)], cut="")

    book = openpyxl.load_workbook(path)
    assert {sheet.title: [cell.value for cell in sheet["A"]] for sheet in book} == {
        "Phiếu đã gửi": ["n", 0, 1],
        "Phiếu đã gửi (2)": ["n", 2, 3],
        "Phiếu đã gửi (3)": ["n", 4],
    }


def test_a_sheet_is_ready_to_be_worked_with(office: Office) -> None:
    """Frozen, filtered, wide enough; each heading tells what was asked."""
    store_responses(office.database, [response(1, FULL)])

    sheet = openpyxl.load_workbook(office.exports("xlsx"))["Phiếu đã gửi"]
    heading = next(cell for cell in sheet[1] if cell.value == "tax_code")

    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == sheet.dimensions
    assert heading.font.b
    assert heading.comment
    assert heading.comment.text == "tax_code:\n1. Mã số thuế"
    assert sheet.column_dimensions[heading.column_letter].width > 20


# Whole or not at all


def test_a_file_is_replaced_only_by_a_whole_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    store_responses(office.database, [response(1)])
    old = office.exports("jsonl")
    before = old.read_bytes()
    monkeypatch.setattr(Snapshot, "counts", lambda _self, _wanted: Counts(submitted=2))

    with pytest.raises(ExportError, match="có 2 phiếu nhưng ghi được 1"):
        office.exports("jsonl")

    assert old.read_bytes() == before
    assert list(office.folder.iterdir()) == [old]


def test_only_its_owner_may_read_the_file(office: Office) -> None:
    assert office.exports("csv").stat().st_mode & 0o077 == 0


def _raises(number: int, text: str | None = None) -> Any:
    def write(*_given: Any, **_more: Any) -> None:
        raise OSError(text) if text else OSError(number, os.strerror(number))

    return write


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (_raises(errno.ENOSPC), "Ổ đĩa đã đầy"),
        (_raises(0, "Failed to save workbook: i/o error: … (os error 28)"), "Ổ đĩa đã đầy"),
        (_raises(errno.EACCES), "đang được mở ở chương trình khác"),
        (_raises(errno.EIO), "Input/output error"),
        (_raises(0, "no number at all"), "no number at all"),
    ],
)
def test_a_fault_is_one_sentence_and_leaves_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch, fault: Any, sentence: str
) -> None:
    monkeypatch.setattr("bot.exports.write_xlsx", fault)

    with pytest.raises(ExportError, match=sentence):
        office.exports("xlsx")

    assert list(office.folder.iterdir()) == []


def test_a_folder_that_is_not_there(office: Office) -> None:
    with pytest.raises(ExportError, match=r"Không có thư mục .*missing để ghi tệp out\.csv"):
        office.exports("csv", file="missing/out.csv")


def test_a_folder_is_no_file(office: Office) -> None:
    with pytest.raises(ExportError, match="không phải là tệp"):
        office.exports("csv", file=".")


def test_a_form_nobody_knows(office: Office) -> None:
    with pytest.raises(ExportError, match=f"chưa có biểu mẫu other; đang có: {FORM}"):
        office.exports("csv", form_id="other")


def test_a_form_this_program_cannot_read(office: Office) -> None:
    broken = small_form().model_copy(update={"survey": small_form().survey[:6]})
    settings = broken.settings.model_copy(update={"version": "2026070101"})
    store_forms(office.database, broken.model_copy(update={"settings": settings}))

    with pytest.raises(ExportError, match=f"{FORM}, phiên bản 2026070101"):
        office.exports("csv", form_id=FORM)


# As a command


def _stamped(url: str, version: str) -> str:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.close()
    return url


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda new, folder: f"sqlite:///{folder}/never.db", "Cơ sở dữ liệu này chưa có gì để xuất"),
        (lambda new, _folder: new(migrated=False), "Cơ sở dữ liệu này chưa có gì để xuất"),
        (lambda new, _folder: new(), "Cơ sở dữ liệu chưa có biểu mẫu nào, nên chưa có phiếu để xuất"),
        (lambda new, _folder: _stamped(new(), "0001"), "the database wants: python -m bot migrate"),
        (lambda new, _folder: _stamped(new(), "9999"), "later version"),
        (lambda new, _folder: "mysql://x/y", "DOLUONG_DATABASE_URL"),
    ],
)
def test_a_database_without_responses_is_told_in_one_sentence(
    sqlite: Sqlite, tmp_path: Path, make: Any, sentence: str
) -> None:
    url = make(sqlite.new, tmp_path)

    shown = command("export", "survey", "--out", str(tmp_path / "out.xlsx"), url=url)

    assert (shown.returncode, len(shown.stderr.splitlines())) == (1, 1)
    assert sentence in shown.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote(office: Office) -> None:
    store_responses(office.database, [response(1, FULL), response(2, status="partial")])
    out = office.folder / "out.csv"
    arguments = ["--form", FORM, "--format", "csv", "--out", str(out), "--since", "20/11/2026", "--codes"]

    shown = command("export", "survey", *arguments, url=office.database.url.render_as_string())

    assert shown.stdout == f"Đã xuất 2 phiếu (1 đã gửi, 1 làm dở) vào {out}\n"
    assert shown.stderr == "Đang xuất 2 phiếu\n"
    assert [row["status"] for row in _rows(_read_csv(out.read_bytes()))] == ["submitted", "partial"]


def test_a_terminal_sees_a_bar(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    store_responses(office.database, [response(number) for number in range(1, 301)])
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr", screen)

    office.exports("jsonl")

    assert "Đang xuất 300 phiếu" in screen.getvalue()
