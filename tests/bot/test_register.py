"""`import enterprises` and `export enterprises`: which files are read, what is said of the others, what stays whole."""

import csv
import io
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import orjson
import pytest

from bot.register import files
from bot.register.files import ListError
from bot.register.importing import Lists
from content.everything import Content
from tests.lists import messy
from tests.world import Sqlite

HEADS = ["Tên doanh nghiệp", "MST", "Điện thoại", "Ghi chú"]
ROW = ["Công ty TNHH Gỗ Hoài Nhơn", "0100109106", "0912345678", "tốt"]


@pytest.fixture(scope="module")
def lists(content: Content) -> Lists:
    return Lists(content, lambda: b"k" * 32)


def workbook(path: Path, *sheets: tuple[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def packed(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, text in members.items():
            file.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return path


# Text as it really comes

LINES = [HEADS, ROW]


def as_text(delimiter: str) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows(LINES)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "about"),
    [
        (as_text(",").encode(), "UTF-8"),
        (as_text(";").encode("utf-8-sig"), "dấu chấm phẩy"),
        (as_text("\t").encode("utf-16"), "UTF-16"),
        (as_text("\t").encode("utf-16-le"), "dấu tab"),
        (as_text("|").encode(), "dấu gạch đứng"),
        (("sep=;\r\n" + as_text(";")).encode("utf-8-sig"), "dấu chấm phẩy"),
        (messy.bytes_1258(as_text(";")), "bảng mã cũ"),
    ],
)
def test_text_is_read_in_whatever_it_is_written(
    tmp_path: Path, lists: Lists, data: bytes, about: str
) -> None:
    path = tmp_path / "ds.csv"
    path.write_bytes(data)

    opened = lists.open(path)
    [one] = lists.read(opened).candidates

    assert about in opened.about[0]
    assert (one.name, one.tax_code, one.phones, one.note) == (ROW[0], ROW[1], ("+84912345678",), "tốt")


def test_a_name_says_nothing_of_a_file(tmp_path: Path, lists: Lists) -> None:
    for source, name in ((messy.XLSX, "a.xls"), (messy.XLS, "b.xlsx"), (messy.CSV, "c.xlsx")):
        shutil.copyfile(source, tmp_path / name)

        assert len(lists.read(lists.open(tmp_path / name)).candidates) == len(messy.numbered())


# Sheets


def test_the_sheet_that_is_a_list_is_read_and_said(tmp_path: Path, lists: Lists) -> None:
    path = workbook(
        tmp_path / "a.xlsx", ("Bìa", [["BÁO CÁO"]]), ("DS", LINES), ("Khác", [["Tên", "MST"], ["x", "1"]])
    )

    opened = lists.open(path)

    assert opened.table.name == "DS"
    assert "«Bìa», «DS», «Khác»" in opened.about[0]
    assert lists.open(path, "khác").table.name == "Khác"
    with pytest.raises(ListError, match="không có trang «Nope»; đang có: «Bìa», «DS», «Khác»"):
        lists.open(path, "Nope")


# What is no list, in one sentence each


def _bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
        with file.open("xl/worksheets/sheet1.xml", "w") as member:
            for _ in range(600):
                member.write(b"0" * (1 << 20))
    return path


def _lying_bomb(path: Path) -> Path:
    """A member that unpacks to more than it says."""
    data = bytearray(packed(path, xl__workbook_xml="<workbook>" + " " * 5000).read_bytes())
    place = data.rfind(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 20)
    path.write_bytes(data)
    return path


def _locked_xls(path: Path) -> Path:
    data = bytearray(messy.XLS.read_bytes())
    place = data.find(struct.pack("<HH", 0x0809, 16)) + 20  # the record after the stream's first
    data[place : place + 2] = struct.pack("<H", 0x2F)  # FILEPASS
    path.write_bytes(data)
    return path


def _far(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in LINES:
        sheet.append(row)
    sheet.cell(1_048_576, 16_384, "far")
    book.save(path)
    return path


def _long(path: Path) -> Path:
    lines = [",".join(HEADS), *(f"Cong ty {number},,," for number in range(50_001))]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _bytes(data: bytes):
    def write(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return write


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_bytes(b""), "trống"),
        (_bytes(b"\xef\xbb\xbf\r\n\r\n"), "trống"),
        (lambda path: workbook(path, ("Trống", [])), "trống"),
        (lambda path: packed(path, word__document_xml="<w/>"), "Word"),
        (_bytes(OLE + "WordDocument".encode("utf-16-le")), "Word"),
        (_bytes(OLE + "EncryptedPackage".encode("utf-16-le")), "mật khẩu"),
        (_locked_xls, "mật khẩu"),
        (_bytes(b"%PDF-1.7 \x00\x01"), "PDF"),
        (_bytes(b"\x89PNG\r\n\x1a\n\0\0"), "hình ảnh"),
        (_bytes(b"<html><body><table><tr><td>MST</td></tr></table>"), "trang web"),
        (_bytes(b"<?xml version='1.0'?><Workbook/>"), "XML"),
        (lambda path: packed(path, a_xml="1"), "nén"),
        (_bytes(b"PK\x03\x04" + b"broken" * 50), "hỏng"),
        (_bytes(messy.XLSX.read_bytes()[:9000]), "hỏng"),
        (_bytes(messy.XLS.read_bytes()[:3000]), "không phải xlsx, xls hay csv"),
        (_bytes(bytes(range(256)) * 20), "không phải xlsx, xls hay csv"),
        (_bytes("Xin chào\nđây là thư".encode()), "dòng tiêu đề"),
        (lambda path: workbook(path, ("Bìa", [["BÁO CÁO"]])), "dòng tiêu đề"),
        (lambda path: workbook(path, ("DS", [HEADS])), "chưa có đơn vị nào"),
        (_bomb, "bung ra lớn quá 512 MB"),
        (_lying_bomb, "hỏng"),
        (_far, "bộ nhớ"),
        (_long, "50.001 dòng; mỗi lần nhập nhiều nhất 50.000"),
    ],
)
def test_what_is_no_list_gets_one_sentence(tmp_path: Path, lists: Lists, make, says: str) -> None:
    path = make(tmp_path / "ds.xlsx")

    with pytest.raises(ListError) as raised:
        lists.read(lists.open(path))

    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_missing_or_too_large(
    tmp_path: Path, lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ListError, match="Không có tệp"):
        lists.open(tmp_path / "none.xlsx")
    monkeypatch.setattr(files, "MOST_BYTES", 10)
    with pytest.raises(ListError, match="lớn quá"):
        lists.open(messy.CSV)


def test_macros_are_data(tmp_path: Path, lists: Lists) -> None:
    path = tmp_path / "ds.xlsm"
    shutil.copyfile(workbook(tmp_path / "ds.xlsx", ("DS", LINES)), path)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("xl/vbaProject.bin", b"\0macro")

    opened = lists.open(path)

    assert opened.about == ("Tệp có macro; chỉ dữ liệu được đọc, macro không chạy",)
    assert len(lists.read(opened).candidates) == 1


# The command


class Office:
    """Somebody at a terminal with a folder and a database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def run(self, *arguments: str, answer: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        own = {"DOLUONG_DATABASE_URL": self.url, "DOLUONG_SECRET_KEY": "k" * 32, "PYTHONUTF8": "1"}
        command = [sys.executable, "-m", "bot", *arguments]
        return subprocess.run(
            command, env={**os.environ, **own}, capture_output=True, text=True, input=answer, check=False
        )

    def counts(self) -> tuple[int, int]:
        """Enterprises, and imports that are done."""
        database = sqlite3.connect(self.url.removeprefix("sqlite:///"))
        found = database.execute(
            "SELECT (SELECT count(*) FROM enterprises), (SELECT count(*) FROM imports WHERE status = 'done')"
        ).fetchone()
        database.close()
        return found


@pytest.fixture
def office(tmp_path: Path, sqlite: Sqlite) -> Office:
    shutil.copyfile(messy.XLSX, tmp_path / "ds.xlsx")
    return Office(tmp_path, sqlite.new())


def test_the_right_rows_are_taken_and_the_others_come_back(office: Office) -> None:
    """Dry first, then for good, then again, then undone."""
    path = str(office.folder / "ds.xlsx")

    dry = office.run("import", "enterprises", path, "--dry-run")
    assert dry.returncode == 0
    assert "107 đơn vị mới, 0 cập nhật, 0 đã có và không đổi, 17 trả lại; bỏ qua 7 dòng" in dry.stdout
    for shown in (
        ".VnTime (TCVN3)",
        "VNI",
        "UTF-8 bị đọc sai",
        "Có thể trùng",
        "Số định danh",
        "+84912345678",
    ):
        assert shown.casefold() in dry.stdout.casefold(), shown
    assert office.counts() == (0, 0)
    assert sorted(one.name for one in office.folder.glob("*")) == ["ds.xlsx"]

    silent = office.run("import", "enterprises", path, answer="")
    assert (silent.returncode, office.counts()) == (1, (0, 0))
    assert "--yes" in silent.stderr

    done = office.run("import", "enterprises", path, "--yes")
    assert done.returncode == 0, done.stderr
    assert "Đã nhập 107 dòng" in done.stdout
    assert office.counts() == (107, 1)
    again = office.run("import", "enterprises", path, "--yes")
    assert (again.returncode, office.counts()) == (0, (107, 1))
    assert "đã được nhập" in again.stdout

    sheet = openpyxl.load_workbook(office.folder / "ds-chua-nhap.xlsx").worksheets[0]
    rows = list(sheet.iter_rows())
    assert [cell.value for cell in rows[0][:4]] == ["Lý do", "Xác nhận", "STT", "Tên doanh nghiệp"]
    assert len(rows) == 1 + 17
    assert all(cell.data_type != "f" for row in rows for cell in row)
    assert any(str(row[3].value).startswith("=HYPERLINK") for row in rows)

    undone = office.run("import", "enterprises", path, "--undo")
    assert "bỏ 107 đơn vị" in undone.stdout
    assert office.counts() == (0, 0)


def test_what_came_back_can_be_corrected_and_taken(office: Office) -> None:
    office.run("import", "enterprises", str(office.folder / "ds.xlsx"), "--yes")
    path = office.folder / "ds-chua-nhap.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    for row in sheet.iter_rows(min_row=2):
        if "thiếu mã vùng" in str(row[0].value):
            next(cell for cell in row if cell.value == "3822123").value = "0256 3822123"
        if "Có thể trùng với dòng" in str(row[0].value):
            row[1].value = "mới"
    book.save(path)

    done = office.run("import", "enterprises", str(path), "--yes")

    assert "Đã nhập 4 dòng (2 mới, 1 cập nhật, 1 không đổi)" in done.stdout, done.stdout + done.stderr
    assert office.counts() == (109, 2)
    assert (office.folder / "ds-chua-nhap-chua-nhap.xlsx").exists()


def test_an_import_that_is_killed_leaves_nothing(office: Office) -> None:
    """Kill -9 after the first of several chunks, inside the transaction."""
    script = (
        "import os, signal, storage.imports as imports\n"
        "imports.AT_ONCE = 20\n"
        "write, seen = imports.Importer._write_rows, []\n"
        "def dying(self, *more):\n"
        "    write(self, *more)\n"
        "    seen.append(1)\n"
        "    if len(seen) == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "imports.Importer._write_rows = dying\n"
        "from bot.cli import main; main()\n"
    )
    own = {"DOLUONG_DATABASE_URL": office.url, "DOLUONG_SECRET_KEY": "k" * 32}
    command = [sys.executable, "-c", script, "import", "enterprises", str(office.folder / "ds.xlsx"), "--yes"]
    killed = subprocess.run(command, env={**os.environ, **own}, capture_output=True, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert office.counts() == (0, 0)
    assert not (office.folder / "ds-chua-nhap.xlsx").exists()
    assert (
        "Đã nhập 107" in office.run("import", "enterprises", str(office.folder / "ds.xlsx"), "--yes").stdout
    )


def test_a_dry_run_makes_no_database(tmp_path: Path) -> None:
    office = Office(tmp_path, f"sqlite:///{tmp_path / 'none.db'}")

    done = office.run("import", "enterprises", str(messy.XLSX), "--dry-run")

    assert "107 đơn vị mới" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_register_is_exported_and_nothing_is_a_formula(office: Office) -> None:
    path = office.folder / "xau.csv"
    rows = [HEADS, ["=1+1 Công ty TNHH Gỗ", "0100109106", "0912345678", "@SUM(A1)"]]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    office.run("import", "enterprises", str(path), "--yes")
    made = {kind: office.folder / f"so.{kind}" for kind in ("xlsx", "csv", "jsonl")}

    for kind, out in made.items():
        done = office.run("export", "enterprises", "--format", kind, "--out", str(out))
        assert (done.returncode, "Đã xuất 1 đơn vị" in done.stdout) == (0, True), done.stderr

    [heads, row] = openpyxl.load_workbook(made["xlsx"]).worksheets[0].iter_rows()
    told = {head.value: cell for head, cell in zip(heads, row, strict=True)}
    assert (told["Tên"].value, told["Tên"].data_type) == ("=1+1 Công ty TNHH Gỗ", "s")
    assert (told["Mã số thuế"].value, told["Điện thoại"].value) == ("0100109106", "0912345678")
    assert "'=1+1 Công ty TNHH Gỗ" in made["csv"].read_text(encoding="utf-8-sig")
    one = orjson.loads(made["jsonl"].read_bytes())
    assert (one["tax_code"], one["phones"], one["note"]) == ("0100109106", ["+84912345678"], "@SUM(A1)")


def test_a_hostile_name_is_only_shown(
    tmp_path: Path, lists: Lists, capsys: pytest.CaptureFixture[str]
) -> None:
    from bot.register.preview import Preview

    rows = [HEADS, ["[red]Công ty[/red] \x1b[31mTNHH Gỗ", "123", "", ""]]
    path = tmp_path / "ds.csv"
    path.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    opened = lists.open(path)
    read = lists.read(opened)
    Preview(lists._say).show(opened, read, lists.compare(None, read))

    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert read.candidates[0].name == "[red]Công ty[/red] [31mTNHH Gỗ"
