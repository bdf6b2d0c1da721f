"""A list as an office keeps it, made up: every trap of such lists, and what must become of each row.

`python -m tests.lists.messy` writes the files beside this one anew; the xls wants LibreOffice. Nobody in it exists.
"""

import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from content.load import HERE, read
from content.register import RegisterWords
from handlers.register.spelling import Font, in_capitals

FOLDER = Path(__file__).parent
XLSX, XLS, CSV = FOLDER / "doanh-nghiep.xlsx", FOLDER / "doanh-nghiep.xls", FOLDER / "doanh-nghiep.csv"
SHEET = "DN 2024"
MOTTO = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
TITLE = "DANH SÁCH DOANH NGHIỆP SỬ DỤNG PHƯƠNG TIỆN ĐO NĂM 2024"
UPPER = (
    "STT", "Tên doanh nghiệp", "MST", "Loại hình", "Địa chỉ", "Xã/phường", "Thông tin liên hệ", None, None,
    "CCCD người đại diện", "Ngành nghề", "Số LĐ", "Vốn (tỷ đồng)", "Ghi chú",
)  # fmt: skip
LOWER = (None, None, None, None, None, None, "Điện thoại", "Email", "Người đại diện", *[None] * 5)
NUMBERS = tuple(f"({number})" for number in range(1, 15))
TOP = 8  # rows above the list: motto, title, headings in two rows, their numbers

_words = read(HERE / "register.yaml", RegisterWords)
_tcvn3, _vni = Font(_words.tcvn3.pairs), Font(in_capitals(_words.vni.pairs))


@dataclass(frozen=True)
class Line:
    """A row of the list: its cells after the number, and what must become of it.

    `becomes`: new, or the reason why it goes back; `repaired`: what must have been repaired; `name`: as it must read.
    """

    cells: tuple[Any, ...]
    becomes: str = "new"
    repaired: tuple[str, ...] = ()
    name: str = ""
    note: str = ""
    what: dict[str, Any] | None = None


@dataclass(frozen=True)
class Aside:
    """A row that is no enterprise."""

    cells: tuple[Any, ...]


def tax_code(number: int, lead: str = "41") -> str:
    """A made-up tax code that passes its check digit; the next number's where this one has none."""
    while True:
        nine = f"{lead}{number:0{9 - len(lead)}d}"
        weights = (31, 29, 23, 19, 17, 13, 7, 5, 3)
        check = 10 - sum(int(digit) * weight for digit, weight in zip(nine, weights, strict=True)) % 11
        if check < 10:
            return f"{nine}{check}"
        number += 1


def line(
    name: str,
    code: Any = None,
    *,
    kind: str | None = None,
    address: str | None = None,
    commune: str | None = None,
    phone: Any = None,
    email: str | None = None,
    person: str | None = None,
    personal: Any = None,
    sector: str | None = None,
    employees: Any = None,
    more: Any = None,
    remark: str | None = None,
    **expected: Any,
) -> Line:
    """A row by its columns."""
    cells = (
        name, code, kind, address, commune, phone, email, person, personal, sector, employees, more, remark,
    )  # fmt: skip
    return Line(cells, **{"name": name, **expected})


TRADES = (
    "Chế biến gỗ", "Thủy sản", "Xăng dầu", "Đá ốp lát", "May mặc", "Cơ khí", "Nước mắm", "Vật liệu xây dựng",
    "Bao bì", "Dược phẩm", "Vận tải", "Thức ăn chăn nuôi",
)  # fmt: skip
OWN = ("Ánh Dương", "Bảo Tín", "Cát Tường", "Đại Thịnh", "Gia Phúc", "Hưng Vượng", "Khánh Nguyên", "Mỹ Quyên")
COMMUNES = ("Phường Quy Nhơn Bắc", "Phường An Nhơn Đông", "Phường Hoài Nhơn Tây", "Xã Tuy Phước Bắc")


def plain(number: int) -> Line:
    """A row without a trap."""
    name = f"Công ty TNHH {TRADES[number % 12]} {OWN[number % 8]}" + (
        f" {number // 24 + 1}" if number > 23 else ""
    )
    return line(
        name,
        tax_code(1000 + 7 * number),
        kind="Công ty TNHH",
        address=f"{number + 3} Nguyễn Huệ",
        commune=COMMUNES[number % 4],
        phone=f"0912{number:06d}",
        email=f"lienhe{number}@vidu.vn",
        person="Nguyễn Văn Bình",
        sector=TRADES[number % 12],
        employees=10 + number,
        more=number / 2,
    )


def in_font(font: Font, one: Line, way: str) -> Line:
    """The same row typed in an old font."""
    cells = tuple(font.write(cell) if isinstance(cell, str) else cell for cell in one.cells)
    return Line(cells, one.becomes, (way, *one.repaired), one.name, one.note, one.what)


def spoilt(one: Line, way: str) -> Line:
    """The same row after something read or wrote it wrongly."""
    spoil = {
        "mojibake": lambda text: text.encode().decode("latin-1"),
        "windows_1258": lambda text: bytes_1258(text).decode("latin-1"),
        "nfc": lambda text: unicodedata.normalize("NFD", text),
        "eth": lambda text: text.replace("Đ", "Ð").replace("đ", "ð"),
    }[way]
    cells = (spoil(one.cells[0]), *one.cells[1:])
    return Line(cells, one.becomes, (way, *one.repaired), one.name, one.note, one.what)


def bytes_1258(text: str) -> bytes:
    """A text in Windows-1258, which writes tones as letters of their own."""
    made = bytearray()
    for sign in unicodedata.normalize("NFC", text):
        try:
            made += sign.encode("cp1258")
        except UnicodeEncodeError:
            tones = [
                mark
                for mark in unicodedata.normalize("NFD", sign)
                if mark in "\u0300\u0301\u0303\u0309\u0323"
            ]
            base = "".join(mark for mark in unicodedata.normalize("NFD", sign) if mark not in tones)
            made += unicodedata.normalize("NFC", base).encode("cp1258") + "".join(tones).encode("cp1258")
    return bytes(made)


ZERO = tax_code(77, "01")
BRANCH = f"{tax_code(88, '01')}-001"
TWICE, TWO_NAMES, AGAIN = tax_code(5001), tax_code(5011), tax_code(5021)

TRAPS: tuple[Line | Aside, ...] = (
    # Tax codes
    line("Công ty TNHH Mất Số Không", int(ZERO), repaired=("tax_code_lost_zero",), what={"tax_code": ZERO}),
    line("Công ty CP Mất Số Không Chữ", tax_code(78, "01")[1:], repaired=("tax_code_lost_zero",)),
    line("Công ty TNHH Viết Rời", "41 0000-2003".replace("41 0000-2003", f"{tax_code(201)[:4]} {tax_code(201)[4:]}"), repaired=("tax_code_form",)),
    line("Chi nhánh Công ty TNHH Có Gạch", BRANCH, what={"tax_code": BRANCH}),
    line("Chi nhánh Công ty TNHH Viết Liền", tax_code(89, "01") + "002", repaired=("tax_code_form",)),
    line("Chi nhánh Công ty TNHH Thành Số", int(tax_code(90, "01") + "003"), repaired=("tax_code_lost_zero",)),
    line("Công ty TNHH Rút Gọn", "9.05E+08", becomes="tax_code_scientific"),
    line("Công ty TNHH Số Thực", 905000000.0, becomes="tax_code_length"),
    line("Công ty TNHH Gõ Nhầm", tax_code(301)[:9] + str((int(tax_code(301)[9]) + 1) % 10), becomes="tax_code_checksum"),
    line("Công ty TNHH Thiếu Số", "41012345", becomes="tax_code_length"),
    line("Hộ kinh doanh Trần Thị Định Danh", "052099001234", becomes="tax_code_personal"),
    line("Công ty TNHH Chữ Ô", tax_code(310).replace("0", "O"), repaired=("tax_code_letters",)),
    line("Hộ kinh doanh Không Mã", "không có", commune="Phường Tam Quan", what={"tax_code": None, "kind": "household"}),
    # Telephones and addresses
    line("Công ty TNHH Hai Số", tax_code(401), phone="0912345678 / 0256.3822123", repaired=("phone_two",),
         what={"phones": ("+84912345678", "+842563822123")}),
    line("Công ty TNHH Hai Dòng", tax_code(411), phone="0912 345 678\n0905 123 456", repaired=("phone_two",)),
    line("Công ty TNHH Số Mất Không", tax_code(421), phone=912345679, repaired=("phone_lost_zero",), what={"phones": ("+84912345679",)}),
    line("Công ty TNHH Đầu Số Cũ", tax_code(431), phone="01685 123 456", repaired=("phone_old",), what={"phones": ("+84385123456",)}),
    line("Công ty TNHH Thiếu Mã Vùng", tax_code(441), phone="3822123", becomes="phone_area"),
    line("Công ty TNHH Số Sai", tax_code(451), phone="09123", becomes="phone"),
    line("Công ty TNHH Thư Trong Ô Số", tax_code(461), phone="0912345670 thu@vidu.vn", what={"emails": ("thu@vidu.vn",)}),
    line("Công ty TNHH Hai Thư", tax_code(471), email="a@vidu.vn; b@vidu.vn", repaired=("email_two",)),
    line("Công ty TNHH Thư Sai", tax_code(481), email="vidu.vn", becomes="email"),
    # Places
    line("Công ty TNHH Phường Nay", tax_code(501), commune="P. Quy Nhơn Đông", repaired=("commune_name",), what={"commune": "quy_nhon_dong"}),
    line("Công ty TNHH Thành Phố Cũ", tax_code(511), address="12 Lê Lợi, TP. Quy Nhơn, Bình Định", note="commune_choose",
         what={"commune": None}),
    line("Công ty TNHH Xã Cũ", tax_code(521), commune="Xã Phước Sơn", address="Phước Sơn, huyện Tuy Phước", note="commune_choose"),
    line("Công ty TNHH Trùng Tên Cũ", tax_code(531), commune="TT Bồng Sơn", address="TX Hoài Nhơn", repaired=("commune_same_name",),
         what={"commune": "bong_son"}),
    line("Công ty TNHH Tỉnh Hay Phường", tax_code(541), commune="Bình Định", note="commune_unconfirmed", what={"commune": None}),
    line("Công ty TNHH Chưa Xác Minh", tax_code(551), commune="Xã Cát Hanh", note="commune_unconfirmed", what={"commune_text": "Xã Cát Hanh"}),
    line("Công ty TNHH Theo Địa Chỉ", tax_code(561), address="45 Tăng Bạt Hổ, P. Tam Quan", repaired=("commune_from_address",),
         what={"commune": "tam_quan"}),
    # Texts
    spoilt(line("Công ty Cổ phần Đá Hoa Cương Phú Tài", tax_code(601)), "mojibake"),
    spoilt(line("Hợp tác xã Nông nghiệp Phước Hưng", tax_code(611)), "windows_1258"),
    spoilt(line("Doanh nghiệp tư nhân Xăng dầu Mỹ Thọ", tax_code(621)), "nfc"),
    spoilt(line("Công ty TNHH Đúc Đồng Bằng Châu", tax_code(631)), "eth"),
    line("C?ng ty TNHH Ph? C?t", tax_code(641), becomes="text_lost"),
    line("Công ty TNHH Müller Việt Nam", tax_code(651)),
    in_font(_tcvn3, line("CÔNG TY CỔ PHẦN GẠCH TUY NEN BÌNH NGHI", tax_code(661)), "tcvn3"),
    # One enterprise twice, and what looks like it
    line("Công ty TNHH Gỗ Lặp Lại", TWICE, phone="0912345671"),
    line("Công ty TNHH Gỗ Lặp Lại", TWICE, phone="0912345671", becomes="tax_code_repeated"),
    line("Công ty TNHH Một Mã", TWO_NAMES, becomes="tax_code_two_names"),
    line("HTX Vận tải Hai Tên", TWO_NAMES, becomes="tax_code_two_names"),
    line("Công ty CP Khác Nội Dung", AGAIN, address="1 Trần Phú"),
    line("Cty CP Khác Nội Dung", AGAIN, address="2 Trần Phú", becomes="tax_code_again"),
    line("Hộ kinh doanh Bún Chả Cá Ngọc Liên", None, commune="Phường Bồng Sơn", phone="0912345672"),
    line("HKD Bún chả cá Ngọc Liên", None, commune="P. Bồng Sơn", phone="0912345673", becomes="twin_in_list"),
    line("Hộ kinh doanh Bún Chả Cá Ngọc Liên", None, commune="Phường An Nhơn"),
    # What is no value
    line("Công ty TNHH Riêng Tư", tax_code(701), personal="052099001234", note="personal_left_out", what={"other": ()}),
    line("Công ty TNHH Lao Động Chữ", tax_code(711), employees="khoảng 120 người", what={"employees": 120}),
    line("Công ty TNHH Lao Động Khoảng", tax_code(721), employees="50-100", note="employees", what={"employees": None}),
    line("", tax_code(731), becomes="name_missing"),
    line('=HYPERLINK("http://a","b")', "4100", becomes="tax_code_length"),
    line("<script>alert(1)</script>", tax_code(741)),
    line("A" * 250, tax_code(751), becomes="too_long"),
    Aside(("Tổng cộng", None, None, None, None, None, None, None, None, None, 4321)),
)  # fmt: skip


def lines() -> list[Line | Aside]:
    """Every row of the list, in order."""
    plains = [plain(number) for number in range(72)]
    in_tcvn3 = [in_font(_tcvn3, one, "tcvn3") for one in plains[24:48]]
    in_vni = [in_font(_vni, one, "vni") for one in plains[48:72]]
    return [
        Aside(("I. Thành phố Quy Nhơn",)),
        *plains[:24],
        Aside(("II. Thị xã An Nhơn",)),
        *in_tcvn3,
        Aside(("III. Huyện Tuy Phước",)),
        *in_vni,
        Aside(("IV. Còn lại",)),
        *TRAPS,
    ]


def rows() -> list[tuple[Any, ...]]:
    """The sheet, cell by cell."""
    above = [(None, MOTTO), (None, TITLE), (None, "(Kèm theo Công văn số …)"), (), (), UPPER, LOWER, NUMBERS]
    found: list[tuple[Any, ...]] = list(above)
    number = 0
    for one in lines():
        number += isinstance(one, Line)
        found.append((number if isinstance(one, Line) else None, *one.cells))
    return [*found, (), (None,) * 9 + ("Người lập biểu",), (None,) * 9 + ("(Ký, ghi rõ họ tên)",)]


def numbered() -> list[tuple[int, Line]]:
    """The enterprises with their rows in the sheet, from 1."""
    return [(TOP + 1 + place, one) for place, one in enumerate(lines()) if isinstance(one, Line)]


# Files


def write_xlsx(path: Path) -> None:
    """The list with a cover, a hidden sheet, and merged cells."""
    from openpyxl import Workbook

    book = Workbook()
    cover = book.active
    assert cover is not None
    cover.title = "Bìa"
    cover["B3"] = "BÁO CÁO NĂM 2024"
    sheet = book.create_sheet(SHEET)
    for row, cells in enumerate(rows(), start=1):
        for column, cell in enumerate(cells, start=1):
            if cell is not None:
                place = sheet.cell(row, column, cell)
                if isinstance(cell, str):
                    place.data_type = "s"  # an equals sign is a letter here
    for merged in ("B1:N1", "B2:N2", "B3:N3", "G6:I6", *(f"{letter}6:{letter}7" for letter in "ABCDEFJKLMN")):
        sheet.merge_cells(merged)
    hidden = book.create_sheet("Tạm")
    hidden.sheet_state = "hidden"
    hidden.append(["Tên doanh nghiệp", "MST", "Địa chỉ", "Điện thoại", "Email", "Ghi chú", "Ngành nghề"])
    hidden.append(["Công ty ẩn", tax_code(9001)])
    book.save(path)


def write_xls(path: Path, xlsx: Path) -> None:
    """The same as an old workbook, by LibreOffice."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "soffice",
            f"-env:UserInstallation=file://{folder}/own",
            "--headless",
            "--convert-to",
            "xls",
        ]
        subprocess.run([*command, "--outdir", folder, str(xlsx)], check=True, capture_output=True)
        shutil.copyfile(Path(folder) / f"{xlsx.stem}.xls", path)


def write_csv(path: Path) -> None:
    """The same as Excel saves it on a Vietnamese Windows: semicolons, Windows-1258, old fonts byte for byte."""
    as_bytes = {place for place, one in numbered() if BYTES & set(one.repaired)}
    lines = [
        b";".join(_csv_cell(cell, as_bytes=place in as_bytes) for cell in row)
        for place, row in enumerate(rows(), start=1)
    ]
    path.write_bytes(b"\r\n".join(lines) + b"\r\n")


BYTES = {"tcvn3", "vni", "mojibake", "windows_1258"}  # texts that are bytes already


def _csv_cell(cell: Any, *, as_bytes: bool) -> bytes:
    text = (
        "" if cell is None else str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    )
    if any(sign in text for sign in ';"\n'):
        text = '"' + text.replace('"', '""') + '"'
    return text.encode("latin-1") if as_bytes else bytes_1258(text.translate({ord("Ð"): "Đ", ord("ð"): "đ"}))


def main() -> None:
    """Write the files."""
    write_xlsx(XLSX)
    write_xls(XLS, XLSX)
    write_csv(CSV)


if __name__ == "__main__":
    main()


def texts(found: Sequence[Any]) -> list[str]:
    """The keys of remarks."""
    return [getattr(one, "why", None) or one.reason for one in found]
