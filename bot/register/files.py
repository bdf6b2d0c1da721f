"""Opens files of lists as they really are: xlsx, xls and csv, whatever their names say; one sentence for each other.

Nothing in a file runs: a workbook with macros is read as the data in it.
"""

import codecs
import csv
import hashlib
import io
import subprocess
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Never

import orjson

from content.catalogue import Catalogue
from handlers.register.found import Row, Table
from handlers.register.headings import LOOKED_AT
from handlers.register.rows import MOST_ROWS, ListReader

MOST_BYTES = 64 << 20  # of a file
MOST_UNPACKED = 512 << 20  # of what a workbook unpacks to
MOST_MEMORY = 3 << 30  # address space of the process that reads a workbook
LONGEST_SECONDS = 120
_PIECE = 1 << 20
_ROWS_READ = MOST_ROWS + LOOKED_AT + 1000  # a title above, signatures below
_CHILD = Path(__file__).with_name("child.py")
_DELIMITERS = ";,\t|"


class ListError(Exception):
    """The list cannot be read, and this is why, in a sentence for people; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A list as it was found; `about` are sentences on how it was read."""

    file_name: str
    sha256: str
    table: Table
    about: tuple[str, ...]


def open_list(path: Path, reader: ListReader, say: Catalogue, sheet: str | None = None) -> Opened:
    """The sheet of a file that holds a list; raises ListError."""
    return _Opening(path, reader, say).open(sheet)


class _Opening:
    """One file being opened."""

    def __init__(self, path: Path, reader: ListReader, say: Catalogue) -> None:
        self._path, self._reader, self._say = path, reader, say
        self._about: list[str] = []

    def open(self, wanted: str | None) -> Opened:
        """Tell what the file is, read it, pick the sheet."""
        data = self._bytes()
        kind = _kind(data)
        if kind in ("xlsx", "xls"):
            sheets = self._workbook(data, kind)
        elif kind == "text":
            sheets = [self._text(data)]
            wanted = None
        else:
            self._fail(f"register_file_{kind}")
        picked = self._pick(sheets, wanted)
        return Opened(self._path.name, hashlib.sha256(data).hexdigest(), picked.table, tuple(self._about))

    def _bytes(self) -> bytes:
        try:
            if not self._path.is_file():
                self._fail("register_file_missing")
            if self._path.stat().st_size > MOST_BYTES:
                self._fail("register_file_large", most=MOST_BYTES >> 20)
            data = self._path.read_bytes()
        except OSError as error:
            self._fail("register_file_unreadable", problem=error.strerror or str(error))
        if not data.strip(b"\0\r\n\t ;,\xef\xbb\xbf\xff\xfe"):
            self._fail("register_file_empty")
        return data

    # Workbooks

    def _workbook(self, data: bytes, kind: str) -> "list[_Sheet]":
        if kind == "xlsx":
            self._check_size(data)
        answer = self._answer()
        if error := answer.get("error"):
            self._fail(f"register_file_{error}")
        sheets = [
            _Sheet(one["name"], one["rows"], _pairs(one["merged"]), one["is_hidden"], one["height"])
            for one in answer["sheets"]
        ]
        filled = [one for one in sheets if one.height]
        if not filled:
            self._fail("register_file_empty")
        return filled

    def _check_size(self, data: bytes) -> None:
        """That a workbook unpacks to what it says, and to no more than is read; before anything reads it."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                if sum(one.file_size for one in packed.infolist()) > MOST_UNPACKED:
                    self._fail("register_file_bomb", most=MOST_UNPACKED >> 20)
                for one in packed.infolist():
                    with packed.open(one) as file:
                        while file.read(_PIECE):  # its length and checksum are compared on the way
                            pass
                if any(one.filename.lower().endswith("vbaproject.bin") for one in packed.infolist()):
                    self._about.append(self._say("vi", "register_file_macros"))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
            self._fail("register_file_broken")

    def _answer(self) -> dict[str, Any]:
        command = [
            sys.executable,
            "-I",
            str(_CHILD),
            str(self._path.resolve()),
            str(_ROWS_READ),
            str(MOST_MEMORY),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=LONGEST_SECONDS, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            self._fail("register_file_too_much")
        if done.returncode or not done.stdout:
            self._fail("register_file_too_much")
        answer: dict[str, Any] = orjson.loads(done.stdout)
        return answer

    # Text

    def _text(self, data: bytes) -> "_Sheet":
        text, encoding = decoded(data)
        lines = [line for line in text.splitlines()[:200] if line.strip()]
        delimiter, lines_kept = _delimiter(lines), text
        if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:
            delimiter = lines[0].strip()[4]
            lines_kept = text[text.index(lines[0]) + len(lines[0]) :].lstrip("\r\n")
        shown = self._say("vi", f"register_delimiter_{_NAMES.get(delimiter, 'other')}")
        self._about.append(self._say("vi", f"register_encoding_{encoding}", delimiter=shown))
        csv.field_size_limit(1 << 20)
        rows: list[Row] = []
        try:
            for row in csv.reader(io.StringIO(lines_kept, newline=""), delimiter=delimiter):
                rows.append([cell or None for cell in row[:200]])
                if len(rows) > _ROWS_READ:
                    break
        except csv.Error:
            self._fail("register_file_broken")
        return _Sheet(self._path.stem[:80], rows, way="windows_1258" if encoding == "windows" else None)

    # Sheets

    def _pick(self, sheets: "Sequence[_Sheet]", wanted: str | None) -> "_Sheet":
        """The sheet that is wanted, or the one that is most of a list; says which and why."""
        names = ", ".join(f"«{one.name}»" for one in sheets)
        if wanted is not None:
            found = [one for one in sheets if one.name.strip().casefold() == wanted.strip().casefold()]
            if not found:
                self._fail("register_sheet_unknown", sheet=wanted, sheets=names)
            [picked, *_] = found
            self._check_list(picked)
        else:
            picked = self._likeliest(sheets, names)
        self._check_rows(picked)
        return picked

    def _likeliest(self, sheets: "Sequence[_Sheet]", names: str) -> "_Sheet":
        shown = [one for one in sheets if not one.is_hidden] or list(sheets)
        scored = [(self._fields(one), one) for one in shown]
        best = max(score for score, _ in scored)
        if not best:
            self._fail("register_no_headings", sheets=names)
        [picked, *others] = [one for score, one in scored if score == best]
        if len(sheets) > 1:
            key = "register_sheet_first" if others else "register_sheet_best"
            self._about.append(self._say("vi", key, sheet=picked.name, sheets=names))
        return picked

    def _fields(self, sheet: "_Sheet") -> int:
        found = self._reader.headings(sheet.table)
        return found.fields if found else 0

    def _check_list(self, sheet: "_Sheet") -> None:
        if not self._fields(sheet):
            self._fail("register_no_headings", sheets=f"«{sheet.name}»")

    def _check_rows(self, sheet: "_Sheet") -> None:
        found = self._reader.headings(sheet.table)
        rows = max(len(sheet.rows), sheet.height) - (found.first if found else 0)
        if rows > MOST_ROWS:
            self._fail("register_file_long", rows=_thousands(rows), most=_thousands(MOST_ROWS))

    def _fail(self, key: str, **values: object) -> Never:
        raise ListError(self._say("vi", key, file=self._path.name, **values))


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    rows: Sequence[Row]
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()
    is_hidden: bool = False
    height: int = 0
    way: str | None = None

    @property
    def table(self) -> Table:
        return Table(self.name, self.rows, self.merged, self.way)


def _pairs(merged: Iterable[Sequence[Sequence[int]]]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return [((top, left), (bottom, right)) for (top, left), (bottom, right) in merged]


def _thousands(number: int) -> str:
    return f"{number:,}".replace(",", ".")


# What a file is

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADS = ((b"%PDF-", "pdf"), (b"\x89PNG", "picture"), (b"\xff\xd8\xff", "picture"), (b"GIF8", "picture"))


def _kind(data: bytes) -> str:
    """What a file holds, whatever it is called: xlsx, xls, text, or what it is instead."""
    if data.startswith(b"PK\x03\x04"):
        return _packed_kind(data)
    if data.startswith(_OLE):
        return _ole_kind(data)
    for head, kind in _HEADS:
        if data.startswith(head):
            return kind
    begins = data[:2000].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if begins.startswith((b"<html", b"<!doctype html", b"<table")) or b"<html" in begins:
        return "web_page"
    if begins.startswith(b"<?xml"):
        return "xml"
    is_wide = data.startswith((b"\xff\xfe", b"\xfe\xff")) or _wide(data) is not None
    return "unknown" if b"\0" in data[:100_000] and not is_wide else "text"


def _packed_kind(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = set(packed.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return "broken"
    if names & {"xl/workbook.xml", "xl/workbook.bin"}:
        return "xlsx"
    if any(name.startswith("word/") for name in names):
        return "document"
    return "other_workbook" if {"content.xml", "mimetype"} <= names else "archive"


def _ole_kind(data: bytes) -> str:
    def has(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if has("EncryptedPackage"):
        return "password"
    if has("Workbook") or has("Book"):
        return "xls"
    return "document" if has("WordDocument") else "unknown"


# What a text says

_NAMES = {";": "semicolon", ",": "comma", "\t": "tab", "|": "bar"}


def decoded(data: bytes) -> tuple[str, str]:
    """A file's text and its encoding, by evidence: its mark, its zeros, whether it is UTF-8 throughout.

    What is none of these is bytes of a Windows code page, shown as Western Europe's: Vietnamese code pages and old
    fonts are told apart word by word, by what then reads.
    """
    for mark, codec, name in (
        (b"\xef\xbb\xbf", "utf-8-sig", "utf8"),
        (b"\xff\xfe", "utf-16", "utf16"),
        (b"\xfe\xff", "utf-16", "utf16"),
    ):
        if data.startswith(mark):
            return data.decode(codec, "replace"), name
    if wide := _wide(data):
        return data.decode(wide, "replace"), "utf16"
    try:
        return data.decode("utf-8"), "utf8"
    except UnicodeDecodeError:
        return _western(data), "windows"


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of plain text is zero."""
    begins = data[:4000]
    zeros = Counter(place % 2 for place, byte in enumerate(begins) if byte == 0)
    for odd, codec in ((1, "utf-16-le"), (0, "utf-16-be")):
        if zeros[odd] > len(begins) / 5 and zeros[1 - odd] < len(begins) / 100:
            return codec
    return None


def _western(data: bytes) -> str:
    return data.decode("cp1252", "western")


def _as_latin(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("western", _as_latin)


def _delimiter(lines: Sequence[str]) -> str:
    """What stands between cells: the sign that cuts most lines into the same number of cells."""

    def agreement(sign: str) -> tuple[int, int]:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=sign) if len(row) > 1)
        [(width, times)] = widths.most_common(1) or [(1, 0)]
        return times, width

    try:
        return max(_DELIMITERS, key=agreement)
    except csv.Error:
        return ","
