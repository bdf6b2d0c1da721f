"""Opens what we write in LibreOffice, without a screen, and looks at the pages: `make prove WHAT=documents`.

Every maker writes a file of the same values. It becomes a PDF whose text must hold them, and a picture of each page
in build/documents/ for people to look at.
"""

import os
import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.exports import Format, Order, export_survey
from content.everything import load_content
from storage.database import open_database
from tests.papers import PAPERS
from tests.storage.answered import FORM, response, store_forms, store_personal, store_responses
from tests.world import Sqlite, settings_for

FOLDER = Path(__file__).parents[1] / "build" / "documents"
PACKAGES = {  # Debian's, by a program of each
    "localc": "libreoffice-calc",
    "lowriter": "libreoffice-writer",
    "pdftotext": "poppler-utils",
    "pdftoppm": "poppler-utils",
}
LONGEST = 180.0  # seconds for one document
DOTS = "70"  # an inch, of the pictures

FORMULA, NAME, TAX_CODE, LINES, EMOJI = "=1+1", "Nguyễn Đức", "0100109106", "dòng một\ndòng hai", "vui 😀"
VALUES = (FORMULA, NAME, TAX_CODE, *LINES.split("\n"), EMOJI)


@dataclass(frozen=True)
class Maker:
    """What writes a document, and the texts that must be readable on its pages."""

    name: str
    write: Callable[[Path], None]
    holds: tuple[str, ...] = VALUES
    opened_as: tuple[str, ...] = ()  # more arguments for LibreOffice


def _export(format: Format) -> Callable[[Path], None]:
    """`export survey` of one response that is finished and one that is not."""

    def write(path: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            database = open_database(Sqlite(Path(folder)).new())
            answers = {"tax_code": [TAX_CODE], "contact": ["", "p"], "remark": [LINES], "branch.1": [EMOJI]}
            store_forms(database)
            store_responses(
                database,
                [response(1, answers), response(2, {"remark": [FORMULA]}, status="partial", rival=True)],
            )
            store_personal(database, 1, {"contact": NAME})
            zone = settings_for("sqlite:///x.db").zone
            export_survey(database, load_content().say, zone, Order(FORM, format, path))
            database.close()

    return write


MAKERS: tuple[Maker, ...] = (
    Maker("survey.xlsx", _export(Format.XLSX), (*VALUES, "Phiếu đã gửi", "Phiếu làm dở", "Mã hóa")),
    # A spreadsheet reads the digits of CSV as a number: the zero before a tax code is in the file, not on the page.
    Maker(
        "survey.csv",
        _export(Format.CSV),
        tuple(text for text in VALUES if text != TAX_CODE),
        ("--infilter=CSV:44,34,76,1",),  # commas, quotes, UTF-8, which only a window asks for
    ),
    *(Maker(*paper) for paper in PAPERS),
)


def open_all() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Make and open every document: its name, and what could not be read on its pages."""
    install()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for maker in MAKERS:
        path = FOLDER / maker.name
        maker.write(path)
        shown = _plain(_text(_pdf(path, *maker.opened_as)))
        yield maker.name, tuple(text for text in maker.holds if _plain(text) not in shown)


def install() -> None:
    """Install what is missing as root; otherwise raises RuntimeError naming it."""
    missing = sorted({package for program, package in PACKAGES.items() if not shutil.which(program)})
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise RuntimeError(f"these Debian packages are needed: {' '.join(missing)}")
    quietly = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
    subprocess.run(["apt-get", "update", "-qq"], check=True, **quietly)  # type: ignore[call-overload]
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    subprocess.run(command, check=True, **quietly)  # type: ignore[call-overload]


def _pdf(path: Path, *opened_as: str) -> Path:
    """The document as LibreOffice prints it, and a picture of each page beside it."""
    made = path.with_name(f"{path.name}.pdf")
    with tempfile.TemporaryDirectory() as folder:
        # A profile of its own, so that nobody's settings or open window matter.
        own = f"-env:UserInstallation=file://{folder}/profile"
        _run("soffice", own, "--headless", *opened_as, "--convert-to", "pdf", "--outdir", folder, str(path))
        shutil.move(Path(folder) / f"{path.stem}.pdf", made)
    _run("pdftoppm", "-r", DOTS, "-png", str(made), str(path))
    return made


def _text(pdf: Path) -> str:
    return _run("pdftotext", "-enc", "UTF-8", str(pdf), "-")


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, timeout=LONGEST)
    return done.stdout.decode()


def _plain(text: str) -> str:
    """A text as it compares: composed letters, and no white space, which a page breaks as it likes."""
    return "".join(unicodedata.normalize("NFC", text).split())
