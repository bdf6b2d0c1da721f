"""Paper as an official text looks: A4, its margins, Times New Roman 13, page numbers in the header from page 2.

Source: NĐ 30/2020/NĐ-CP, Annex I.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from io import BytesIO
from typing import TYPE_CHECKING, Any

from bot.workbook import printable

if TYPE_CHECKING:
    from docx.section import Section
    from docx.table import Table, _Cell, _Row
    from docx.text.paragraph import Paragraph

FONT = "Times New Roman"
SIZE = 13  # points
WIDTH = 165  # millimetres between the margins
ROOM_TO_SIGN = 4  # empty lines


class Paper:
    """A document that is written from its top to its end."""

    def __init__(self, title: str, author: str, foot: str, made_on: date) -> None:
        """`foot` stands at the foot of each page; the title is the document's name, not yet on the paper."""
        from docx import Document

        self._document = Document()
        self._last: _Row | None = None  # of the last table
        self._set_page()
        self._set_styles()
        self._number_pages(self._document.sections[0], printable(foot))
        about = self._document.core_properties
        about.title, about.author, about.comments = printable(title), author, ""
        about.created = about.modified = datetime.combine(made_on, time(), UTC)
        about.last_modified_by, about.language = "", "vi-VN"

    @property
    def made(self) -> bytes:
        """The bytes of the file."""
        file = BytesIO()
        self._document.save(file)
        return file.getvalue()

    def centred(self, text: str, *, bold: bool = False, italic: bool = False, size: float = SIZE) -> None:
        """A line in the middle."""
        _centre(_write(self._document.add_paragraph(), text, bold=bold, italic=italic, size=size))

    def line(self, text: str, *, before_table: bool = False) -> None:
        """A paragraph; one before a table stays on its page."""
        paragraph = _write(self._document.add_paragraph(), text)
        paragraph.paragraph_format.keep_with_next = before_table

    def heading(self, text: str) -> None:
        """The heading of a section."""
        self._document.add_heading(printable(text), level=1)

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[float]) -> None:
        """A table whose head comes again on each page; `widths` in millimetres."""
        table = self._document.add_table(rows=1, cols=len(heads), style="Table Grid")
        for cell, head in zip(table.rows[0].cells, heads, strict=True):
            _shade(cell)
            _centre(_write(cell.paragraphs[0], head, bold=True, tight=True))
        for row in rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                _write(cell.paragraphs[0], text, tight=True)
        _finish(table, widths)
        self._last = table.rows[-1]
        self._space()

    def signature(self, place_and_date: str, who: str, how: str) -> None:
        """On the right and on one page: place and date, who signs, room to sign and stamp.

        The row before it comes along, so that nobody signs a page with nothing else on it.
        """
        if self._last:
            for cell in self._last.cells:
                cell.paragraphs[0].paragraph_format.keep_with_next = True
            self._document.paragraphs[-1].paragraph_format.keep_with_next = True
        table = self._document.add_table(rows=1, cols=2)
        right = table.rows[0].cells[1]
        _centre(_write(right.paragraphs[0], place_and_date, italic=True))
        _centre(_write(right.add_paragraph(), who, bold=True))
        _centre(_write(right.add_paragraph(), how, italic=True))
        for _ in range(ROOM_TO_SIGN):
            right.add_paragraph()
        _finish(table, (60, WIDTH - 60))

    def _space(self) -> None:
        """A small gap: without it two tables would be one."""
        from docx.shared import Pt

        gap = self._document.add_paragraph().paragraph_format
        gap.space_after, gap.line_spacing = Pt(0), Pt(9)

    def _set_page(self) -> None:
        from docx.shared import Mm

        page = self._document.sections[0]
        page.page_width, page.page_height = Mm(210), Mm(297)
        page.top_margin = page.bottom_margin = Mm(20)
        page.left_margin, page.right_margin = Mm(30), Mm(210 - 30 - WIDTH)
        page.header_distance = page.footer_distance = Mm(10)

    def _set_styles(self) -> None:
        from docx.shared import Pt, RGBColor

        for name, before in (("Normal", 0), ("Heading 1", 12)):
            style: Any = self._document.styles[name]
            style.font.size, style.font.color.rgb = Pt(SIZE), RGBColor(0, 0, 0)
            style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(6)
            _set_typeface(style)

    def _number_pages(self, page: "Section", foot: str) -> None:
        """The number in the header of every page but the first; the foot on each."""
        page.different_first_page_header_footer = True
        _put_page_number(page.header.paragraphs[0])
        for footer in (page.first_page_footer, page.footer):
            _write(footer.paragraphs[0], foot, size=10)


def _set_typeface(style: Any) -> None:
    """Name the font for every kind of letter; a theme's font would win over it."""
    from docx.oxml.ns import qn

    style.font.name = FONT
    fonts = style.element.rPr.rFonts
    for kind in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.attrib.pop(qn(f"w:{'cstheme' if kind == 'cs' else kind + 'Theme'}"), None)
        fonts.set(qn(f"w:{kind}"), FONT)


def _put_page_number(paragraph: "Paragraph") -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    field: Any = OxmlElement("w:fldSimple")  # python-docx knows no fields
    field.set(qn("w:instr"), "PAGE")
    run: Any = OxmlElement("w:r")
    number: Any = OxmlElement("w:t")
    number.text = "2"
    run.append(number)
    field.append(run)
    _centre(paragraph)._p.append(field)  # noqa: SLF001


def _finish(table: "Table", widths: Sequence[float]) -> None:
    """Widths on every cell, as Word wants them; a row stays on one page, the head comes on each."""
    from docx.oxml import OxmlElement
    from docx.shared import Mm

    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    for number, row in enumerate(table.rows):
        properties = row._tr.get_or_add_trPr()  # noqa: SLF001  python-docx knows no such settings
        properties.append(OxmlElement("w:cantSplit"))
        if number == 0:
            properties.append(OxmlElement("w:tblHeader"))
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(width)


def _shade(cell: "_Cell") -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    shade: Any = OxmlElement("w:shd")  # python-docx knows no shading
    shade.set(qn("w:val"), "clear")
    shade.set(qn("w:fill"), "EDEDED")
    cell._tc.get_or_add_tcPr().append(shade)  # noqa: SLF001


def _write(
    paragraph: "Paragraph",
    text: str,
    *,
    bold: bool = False,
    italic: bool = False,
    size: float = SIZE,
    tight: bool = False,
) -> "Paragraph":
    """Only what differs from the style is said: each property costs a search in the document's schema."""
    from docx.shared import Pt

    run = paragraph.add_run(printable(text))
    if bold:
        run.bold = True
    if italic:
        run.italic = True
    if size != SIZE:
        run.font.size = Pt(size)
    if tight:
        paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
    return paragraph


def _centre(paragraph: "Paragraph") -> "Paragraph":
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    return paragraph
