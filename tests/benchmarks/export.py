"""An export of many responses beside the usual writers of the same rows: XlsxWriter, and csv by itself.

Each row has nine columns about the response and forty answers. The whole export reads the database, lays out and
writes, in the process of the command itself; the writers alone get rows from memory, as their peers do. Memory is the
most the command ever held.
"""

import csv
import itertools
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from bot.sheets import Heading, Sheet, write_csv, write_xlsx
from content.everything import load_content
from content.forms import FormFile, stored_form
from handlers.columns import Answered, Cell, Column, Layout, Options
from storage.database import open_database
from storage.exports import Wanted, snapshot
from tests.benchmarks.report import Measure, alone, beside_peer, interleaved
from tests.storage.answered import response, store_forms, store_responses
from tests.world import START, Sqlite, settings_for

FORM = "forty_answers"
FEW, MANY = 10_000, 100_000
WRITTEN = 20_000  # rows that the writers alone write; a row costs them the same however many there are
ROUNDS = {"xlsx": 3, "csv": 11}
AT_ONCE = 5_000  # responses stored in one transaction
KIB_TO_MB = 1024 / 1_000_000

# Twelve choices among labels, fifteen numbers, three decimals, eight texts, two dates.
KINDS = ("select_one words",) * 12 + ("integer",) * 15 + ("decimal",) * 3 + ("text",) * 8 + ("date",) * 2
WORDS = ("Có", "Không", "Kinh doanh xăng dầu", "Hiệu chuẩn và kiểm định", "Chế biến gỗ, giấy", "Khác")


def measure() -> Iterator[Measure]:
    """The writers alone, then the whole command on few and on many responses."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, many = (_stored(Sqlite(_made(folder / str(count))).new(), count) for count in (FEW, MANY))
        layout, rows = _rows(few)
        yield from _writers(folder, layout.columns, rows)
        yield from _command(folder, few, many)


def _writers(folder: Path, columns: Sequence[Column], rows: Sequence[list[Cell]]) -> Iterator[Measure]:
    headings = [Heading(column.heading, is_text=column.is_text) for column in columns]
    names = [column.heading for column in columns]
    ours, theirs = folder / "ours", folder / "theirs"

    def workbook() -> None:
        write_xlsx(ours, [Sheet("Phiếu", headings, _repeated(rows), WRITTEN)], cut="")

    pairs = interleaved(
        ROUNDS["xlsx"], lambda: [_timed(workbook), _timed(lambda: _xlsxwriter(theirs, names, rows))]
    )
    yield beside_peer("xlsx writer", "µs CPU a row", "XlsxWriter, constant_memory", pairs, 1 / 3)
    pairs = interleaved(
        ROUNDS["csv"],
        lambda: [
            _timed(lambda: write_csv(ours, names, _repeated(rows))),
            _timed(lambda: _bare_csv(theirs, names, rows)),
        ],
    )
    yield beside_peer("csv writer, guarded", "µs CPU a row", "csv.writer", pairs, 1 / 0.8)


def _command(folder: Path, few: str, many: str) -> Iterator[Measure]:
    """The command as an officer gives it: the most it ever held, and its CPU from reading to the written file."""
    for kind in ("xlsx", "csv", "jsonl"):
        small, large = _exported(folder, few, kind), _exported(folder, many, kind)
        what, peer = f"memory of the export, {kind}, {MANY:,} responses", f"{FEW:,} responses"
        yield beside_peer(what, "MB at most", peer, [(large[1], small[1])], 1.1)
        each = (large[0] - small[0]) / (MANY - FEW) * 1e6  # without what a start costs
        yield alone(f"whole export, {kind}", "µs CPU a response", [each])


def _exported(folder: Path, url: str, kind: str) -> tuple[float, float]:
    """CPU seconds and the most megabytes of one command."""
    command = [sys.executable, "-m", "bot", "export", "survey", "--form", FORM, "--format", kind]
    started = subprocess.Popen(
        [*command, "--out", str(folder / "exported")],
        env={**os.environ, "DOLUONG_DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0.0
    # What the system reports in the end begins with the memory of the process that started it: so it is watched.
    while not (found := os.wait4(started.pid, os.WNOHANG))[0]:
        peak = max(peak, _peak(started.pid))
        time.sleep(0.02)
    _, status, used = found
    started.returncode = os.waitstatus_to_exitcode(status)
    assert started.returncode == 0
    return used.ru_utime + used.ru_stime, peak


def _peak(process: int) -> float:
    """The most megabytes a process has held since its program began; 0 when it just ended."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * KIB_TO_MB if found else 0.0


def _timed(write: Callable[[], None]) -> Callable[[], float]:
    def run() -> float:
        began = time.process_time()
        write()
        return (time.process_time() - began) / WRITTEN * 1e6

    return run


def _repeated(rows: Sequence[list[Cell]]) -> Iterator[list[Cell]]:
    """The rows again and again, until they are enough."""
    return itertools.islice(itertools.cycle(rows), WRITTEN)


# The peers, as their documentation has them


def _xlsxwriter(path: Path, names: Sequence[str], rows: Sequence[list[Cell]]) -> None:
    import xlsxwriter

    safe = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(str(path), safe)
    sheet = book.add_worksheet("Phiếu")
    sheet.write_row(0, 0, names)
    for number, row in enumerate(_repeated(rows), 1):
        sheet.write_row(number, 0, row)
    book.close()


def _bare_csv(path: Path, names: Sequence[str], rows: Sequence[list[Cell]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(_repeated(rows))


# The responses


def _form() -> FormFile:
    words = [{"name": f"w{at}", "label": {"vi": word, "en": word}} for at, word in enumerate(WORDS)]
    survey = [
        {"type": kind, "name": f"q{at:02}", "label": {"vi": f"Câu hỏi {at}", "en": f"Question {at}"}}
        for at, kind in enumerate(KINDS)
    ]
    settings = {"form_id": FORM, "version": "2026010101", "title": {"vi": "Phiếu", "en": "Form"}}
    return FormFile.model_validate({"settings": settings, "survey": survey, "choices": {"words": words}})


def _answers(number: int, chance: random.Random) -> dict[str, list[object]]:
    """Forty answers; the texts are each response's own, and one in a hundred is a formula."""
    made: dict[str, Callable[[int], object]] = {
        "select_one words": lambda _at: f"w{chance.randrange(len(WORDS))}",
        "integer": lambda _at: chance.randrange(1_000),
        "decimal": lambda _at: f"{chance.randrange(10_000) / 8}",
        "text": lambda at: f"{'=' * (number % 100 == 0)}Công ty TNHH số {number}, đường {at}",
        "date": lambda _at: f"2027-{chance.randrange(1, 13):02}-15",
    }
    found: dict[str, list[object]] = {f"q{at:02}": [made[kind](at)] for at, kind in enumerate(KINDS)}
    found["q12"] = ["", "?"] if number % 7 == 0 else found["q12"]
    found["q13"] = [*found["q13"], "~"] if number % 9 == 0 else found["q13"]
    return found


def _stored(url: str, count: int) -> str:
    database = open_database(url)
    store_forms(database, _form())
    chance = random.Random(996)
    for first in range(1, count + 1, AT_ONCE):
        store_responses(
            database,
            [
                response(
                    number,
                    _answers(number, chance),
                    code=f"{number:012}",
                    form_id=FORM,
                    version="2026010101",
                    at=START + timedelta(seconds=number),
                )
                for number in range(first, first + AT_ONCE)
            ],
        )
    database.close()
    return url


def _rows(url: str) -> tuple[Layout, list[list[Cell]]]:
    """The layout and the rows of every response that is stored there."""
    database = open_database(url)
    form = stored_form(_form().dump())
    layout = Layout([form], load_content().say, Options(), settings_for(url).zone)
    with snapshot(database) as found:
        responses: Iterator[Answered] = found.responses(Wanted(FORM), personal=False)
        rows = [layout.cells(one) for one in responses]
    database.close()
    return layout, rows


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
