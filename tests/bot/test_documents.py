"""What people take away as files, read back as others' programs read it."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date

import docx
import openpyxl
import pytest
import yaml
from docx.shared import Pt

from bot.documents import counts_instruments, form_docx, instruments_xlsx, my_data_xlsx
from bot.workbook import LONGEST, fitting
from content.everything import Content
from content.forms import Form, FormFile, load_form, stored_form
from content.load import HERE
from handlers.fills import KEPT_APART, NOT_KNOWN, NOTHING, PASSED, Fill
from handlers.responses import Draft, Held, HeldConsent, HeldValue

TODAY = date(2026, 11, 25)
CODE = "KQ7MXW29RTB4"
AWKWARD = ["=1+1", "Nguyễn Đức", "0100109106", "dòng một\ndòng hai", "cân 👍 tốt"]
LONG = (
    "Công ty trách nhiệm hữu hạn một thành viên chế biến và xuất khẩu thủy sản, lâm sản Hoài Nhơn Bình Định "
    * 2
)

FORM = """
settings: {form_id: demo, version: "2026112501", title: {vi: Khảo sát nhu cầu, en: Survey of needs}}
choices:
  yes_no:
    - {name: "yes", label: {vi: Có, en: "Yes"}}
    - {name: "no", label: {vi: Không, en: "No"}}
  kinds:
    - {name: llc, label: {vi: Công ty TNHH, en: LLC}}
    - {name: other, label: {vi: Loại hình khác, en: Another}, specify: true}
  instruments:
    - {name: truck_scale, label: {vi: Cân ô tô, en: Truck scales}, filter: {group2: possible}}
    - {name: moisture, label: {vi: Máy đo độ ẩm gỗ, en: Moisture meters}, filter: {group2: "no"}}
    - {name: other, label: {vi: Loại khác, en: Another}, specify: true, filter: {group2: "no"}}
    - {name: none, label: {vi: Không dùng, en: None}, exclusive: true, filter: {group2: "no"}}
  topics:
    - {name: law, label: {vi: Pháp luật đo lường, en: Law}}
  news:
    - {name: courses, label: {vi: Tin khóa học, en: Courses}}
survey:
  - {type: select_one yes_no, name: consent, consent: survey, label: {vi: "Đồng ý không?", en: "Agree?"}, short: {vi: Đồng ý khảo sát, en: Consent}}
  - {type: begin_group, name: unit, appearance: confirm, label: {vi: Thông tin đơn vị, en: Enterprise}}
  - {type: text, name: enterprise, label: {vi: "Tên đơn vị?", en: "Name?"}}
  - {type: select_one kinds, name: kind, label: {vi: "Loại hình?", en: "Kind?"}}
  - {type: text, name: tax_code, relevant: "${kind} != 'none'", label: {vi: "Mã số thuế?", en: "Tax code?"}}
  - {type: end_group}
  - {type: select_multiple topics, name: topics, label: {vi: "Học gì?", en: "Topics?"}, short: {vi: Nội dung, en: Topic}}
  - {type: begin_repeat, name: trainees, repeat_count: "count-selected(${topics})", label: {vi: "Bao nhiêu người học?", en: "How many?"}}
  - {type: integer, name: trainee_count, label: {vi: "Mấy người?", en: "How many?"}}
  - {type: end_repeat}
  - {type: select_multiple instruments, name: instruments, label: {vi: "Dùng gì?", en: "Which?"}, short: {vi: Loại, en: Kind}}
  - {type: begin_group, name: measuring, relevant: "not(selected(${instruments}, 'none'))", label: {vi: Phương tiện đo, en: Instruments}}
  - {type: begin_repeat, name: counts, appearance: one-line, repeat_count: "count-selected(${instruments})", label: {vi: "Mỗi loại bao nhiêu cái?", en: "How many of each?"}}
  - {type: integer, name: count, unknown: true, label: {vi: "Bao nhiêu?", en: "How many?"}, short: {vi: Số lượng, en: Number}}
  - {type: end_repeat}
  - {type: integer, name: due, label: {vi: "Sắp đến hạn?", en: "Due?"}}
  - {type: date, name: expiry, appearance: month-year, label: {vi: "Trong ${due} cái, hạn nào gần nhất?", en: "Next?"}}
  - {type: end_group}
  - {type: begin_group, name: laboratory, relevant: "${kind} = 'laboratory'", label: {vi: Phòng thử nghiệm, en: Laboratory}}
  - {type: text, name: certificate, label: {vi: "Số chứng nhận?", en: "Certificate?"}}
  - {type: end_group}
  - {type: text, name: wish, label: {vi: "Kiến nghị?", en: "Wishes?"}}
  - {type: select_one yes_no, name: sells, relevant: "${kind} = 'shop'", label: {vi: "Có bán lẻ không?", en: "Retail?"}}
  - {type: text, name: person, personal: true, label: {vi: "Họ tên?", en: "Your name?"}}
  - {type: text, name: contact, personal: true, label: {vi: "Liên hệ?", en: "Contact?"}}
  - {type: select_multiple news, name: news, consent: each, label: {vi: "Nhận tin?", en: "News?"}}
"""
ANSWERED: Mapping[str, Fill] = {
    "consent": Fill("yes"),
    "enterprise": Fill(LONG),
    "kind": Fill("other", "", "Hội quán <nghề> & gỗ"),
    "tax_code": Fill("0100109106"),
    "topics": PASSED,
    "instruments": Fill(("truck_scale", "moisture", "other"), "", "Máy đo bụi"),
    "count.truck_scale": Fill(1200),
    "count.moisture": Fill(3, "~"),
    "count.other": NOT_KNOWN,
    "due": Fill(4),
    "expiry": Fill("2027-03"),
    "certificate": NOTHING,
    "wish": Fill("=1+1"),
    "person": KEPT_APART,
    "contact": KEPT_APART,
}


@pytest.fixture(scope="module")
def survey() -> Form:
    """Everything a form may have, in little."""
    return stored_form(FormFile.model_validate(yaml.safe_load(FORM)).dump())


def draft(form: Form, fills: Mapping[str, Fill], status: str = "submitted") -> Draft:
    return Draft(CODE, form, 2026, status, fills)  # type: ignore[arg-type]


def tables(data: bytes) -> list[list[list[str]]]:
    """The tables of a document as text."""
    read = docx.Document(io.BytesIO(data))
    return [[[cell.text for cell in row.cells] for row in table.rows] for table in read.tables]


def answers(data: bytes) -> dict[str, str]:
    """What is answered, by question."""
    return {row[1]: row[2] for table in tables(data) for row in table if len(row) == 3}


def lines(data: bytes) -> list[str]:
    return [paragraph.text for paragraph in docx.Document(io.BytesIO(data)).paragraphs if paragraph.text]


def rows(data: bytes, sheet: int = 0, top: int = 1) -> list[tuple[object, ...]]:
    """The rows of a sheet that have anything, from its head on."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    read = book.worksheets[sheet].iter_rows(min_row=top, values_only=True)
    return [row for row in read if any(value is not None for value in row)]


# The form to sign


@pytest.fixture(scope="module")
def paper(survey: Form, content: Content) -> bytes:
    return form_docx(draft(survey, ANSWERED), {"contact": "0905 123 456"}, content, TODAY)


def test_the_form_says_what_and_whose_it_is(paper: bytes) -> None:
    said = lines(paper)

    assert said[:3] == [
        "PHIẾU KHẢO SÁT NHU CẦU NĂM 2026",
        "Mã phiếu: KQ7M-XW29-RTB4",
        "Kính gửi: Sở Khoa học và Công nghệ tỉnh Gia Lai",
    ]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Tên đơn vị?", LONG),
        ("Loại hình?", "Loại hình khác: Hội quán <nghề> & gỗ"),
        ("Mã số thuế?", "0100109106"),
        ("Học gì?", "bỏ qua"),
        ("Bao nhiêu người học?", "không áp dụng"),
        ("Trong 4 cái, hạn nào gần nhất?", "03/2027"),
        ("Kiến nghị?", "=1+1"),
        ("Có bán lẻ không?", "không áp dụng"),
        ("Nhận tin?", "(chưa trả lời)"),
    ],
)
def test_each_question_has_its_answer_or_says_why_not(paper: bytes, question: str, answer: str) -> None:
    assert answers(paper)[question] == answer


def test_what_is_counted_by_type_is_a_small_table(paper: bytes) -> None:
    [counted] = [table for table in tables(paper) if table[0] == ["Loại", "Số lượng"]]

    assert counted[1:] == [
        ["Cân ô tô", "1.200"],
        ["Máy đo độ ẩm gỗ", "khoảng 3"],
        ["Máy đo bụi", "không biết"],
    ]


def test_own_personal_values_are_written_and_others_are_not(
    paper: bytes, survey: Form, content: Content
) -> None:
    others = form_docx(draft(survey, ANSWERED), {}, content, TODAY)

    assert answers(paper)["Liên hệ?"] == "0905 123 456"
    assert answers(paper)["Họ tên?"] == "(do người khác ghi)"
    assert answers(others)["Liên hệ?"] == "(do người khác ghi)"


def test_a_part_that_is_not_theirs_is_one_line(paper: bytes) -> None:
    said = lines(paper)
    head = said.index("Phòng thử nghiệm")

    assert said[head + 1] == "Phần này không áp dụng cho đơn vị."
    assert said[head + 2] == "Các nội dung khác"


def test_a_firm_without_instruments_is_not_asked_how_many(survey: Form, content: Content) -> None:
    fills = {**ANSWERED, "instruments": Fill(("none",)), "due": NOTHING, "expiry": NOTHING}
    made = form_docx(draft(survey, fills), {}, content, TODAY)
    said = lines(made)

    assert said[said.index("Phương tiện đo") + 1] == "Phần này không áp dụng cho đơn vị."
    assert not [table for table in tables(made) if table[0] == ["Loại", "Số lượng"]]


def test_the_questions_are_numbered_through(paper: bytes) -> None:
    numbers = [row[0] for table in tables(paper) for row in table[1:] if len(row) == 3]
    numbers += [line.partition(".")[0] for line in lines(paper) if line.partition(".")[0].isdigit()]

    assert sorted(map(int, numbers)) == list(range(1, len(numbers) + 1))


def test_there_is_room_to_sign_and_stamp(paper: bytes) -> None:
    signed = tables(paper)[-1][0][1].split("\n")

    assert "ngày" in signed[0]
    assert signed[1:3] == ["ĐẠI DIỆN ĐƠN VỊ", "(ký, ghi rõ họ tên, đóng dấu)"]


def test_nobody_signs_a_page_with_nothing_else_on_it(paper: bytes) -> None:
    read = docx.Document(io.BytesIO(paper))

    assert all(cell.paragraphs[0].paragraph_format.keep_with_next for cell in read.tables[-2].rows[-1].cells)
    assert read.tables[-1].rows[0]._tr.xpath("./w:trPr/w:cantSplit")


def test_it_looks_like_an_official_text(paper: bytes) -> None:
    read = docx.Document(io.BytesIO(paper))
    [page] = read.sections

    lengths = (page.page_width, page.page_height, page.top_margin, page.bottom_margin)
    assert [round(length.mm) for length in lengths if length] == [210, 297, 20, 20]
    assert [round(length.mm) for length in (page.left_margin, page.right_margin) if length] == [30, 15]
    assert (read.styles["Normal"].font.name, read.styles["Normal"].font.size) == ("Times New Roman", Pt(13))
    assert page.different_first_page_header_footer
    assert not page.first_page_header.paragraphs[0].text
    assert "PAGE" in page.header.paragraphs[0]._p.xml
    assert "KQ7M-XW29-RTB4 · bản lập ngày 25/11/2026" in page.footer.paragraphs[0].text


def test_an_unfinished_form_says_so(survey: Form, content: Content) -> None:
    made = form_docx(draft(survey, {"consent": Fill("yes")}, "partial"), {}, content, TODAY)

    assert "(phiếu chưa gửi)" in lines(made)
    assert answers(made)["Tên đơn vị?"] == "(chưa trả lời)"


def test_a_form_of_one_question_in_english(content: Content) -> None:
    made = form_docx(draft(one_question(), {"wish": Fill("more")}), {}, content, TODAY, "en")

    assert lines(made)[0] == "WISHES 2026"
    assert answers(made) == {"Question": "Answer", "What do you wish?": "more"}


@pytest.mark.parametrize("text", AWKWARD)
def test_any_text_survives_on_paper(content: Content, text: str) -> None:
    made = form_docx(draft(one_question(), {"wish": Fill(text)}), {}, content, TODAY)

    assert answers(made)["Mong muốn?"] == text


def test_what_no_document_can_hold_is_dropped(content: Content) -> None:
    made = form_docx(draft(one_question(), {"wish": Fill("a\x00b\x0bc\uffffd\ud800e")}), {}, content, TODAY)

    assert answers(made)["Mong muốn?"] == "abcde"


def test_the_real_survey_is_written_whole(content: Content) -> None:
    """Every question that is asked of everybody stands on the paper of somebody who answered nothing."""
    real = load_form(HERE / "forms" / "demand_survey.yaml")
    made = form_docx(draft(real, {}, "partial"), {}, content, TODAY)
    asked = [
        one.row.label.vi
        for one in real.questions
        if one.row.label and one.kind not in ("note", "calculate") and not one.relevant and not one.repeat
    ]

    assert set(asked) <= answers(made).keys()
    assert counts_instruments(real)


# The list of instruments


def test_each_type_of_instrument_has_its_row(survey: Form, content: Content) -> None:
    made = instruments_xlsx(draft(survey, ANSWERED), content, TODAY)
    title, whose, note, head, *found = rows(made)

    assert title[0] == "DANH MỤC PHƯƠNG TIỆN ĐO CỦA ĐƠN VỊ"
    assert str(whose[0]).startswith(LONG)
    assert "chưa phải kết luận" in str(note[0])
    assert head[:4] == ("TT", "Loại phương tiện đo", "Số lượng", "Có thể thuộc nhóm 2")
    assert [row[:4] for row in found] == [
        (1, "Cân ô tô", 1200, "Có thể"),
        (2, "Máy đo độ ẩm gỗ", 3, None),
        (3, "Máy đo bụi", "không biết", None),
    ]
    assert not any(value for row in found for value in row[4:])


def test_the_list_is_made_to_be_kept(survey: Form, content: Content) -> None:
    made = instruments_xlsx(draft(survey, ANSWERED), content, TODAY)
    sheet = openpyxl.load_workbook(io.BytesIO(made)).active

    assert sheet.freeze_panes == "A5"
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.print_title_rows == "$4:$4"
    assert sheet.auto_filter.ref == "A4:I27"
    assert sheet["H5"].number_format == "dd/mm/yyyy"
    assert sheet["C6"].number_format == '"khoảng "#,##0'
    assert {str(rule.sqref) for rule in sheet.data_validations.dataValidation} == {"G5:G27", "H5:H27"}
    heights = [sheet.row_dimensions[row].height for row in (1, 2, 4, 5)]
    assert [round(height) for height in heights] == [20, 37, 37, 20]
    assert [str(one.sqref) for one in sheet.conditional_formatting] == ["H5:H27"]


def test_a_firm_that_named_none_gets_a_list_to_fill_in(survey: Form, content: Content) -> None:
    for types in ({}, {"instruments": Fill(("none",))}):
        made = instruments_xlsx(draft(survey, types), content, TODAY, "en")

        assert len(rows(made)) == 4  # title, whose, note and head


@pytest.mark.parametrize("text", AWKWARD)
def test_any_text_survives_in_the_list(survey: Form, content: Content, text: str) -> None:
    fills = {"instruments": Fill(("other",), "", text), "count.other": Fill(1)}
    made = instruments_xlsx(draft(survey, fills), content, TODAY)
    sheet = openpyxl.load_workbook(io.BytesIO(made)).active

    assert (sheet["B5"].value, sheet["B5"].data_type) == (text, "s")
    assert not _formulas(made)


def test_a_form_that_counts_no_instruments_has_no_list(content: Content) -> None:
    assert not counts_instruments(one_question())
    with pytest.raises(LookupError):
        instruments_xlsx(draft(one_question(), {}), content, TODAY)


# What is held


def test_my_data_is_three_sheets(survey: Form, content: Content) -> None:
    held = Held(
        tuple(HeldValue("Khảo sát", 2026, "Liên hệ", text) for text in AWKWARD),
        (
            HeldConsent("survey", "yes", date(2026, 11, 20), "2026-11"),
            HeldConsent("courses", "withdrawn", date(2026, 11, 21), "2026-11"),
            HeldConsent("gone", "no", date(2026, 11, 22), "2026-11"),
        ),
        (CODE, "0000000000A1"),
    )
    made = my_data_xlsx(held, [draft(survey, ANSWERED)], content)

    assert [row[3] for row in rows(made)] == ["Nội dung", *AWKWARD]
    assert rows(made, 1)[1:] == [
        ("Đồng ý khảo sát", "Đồng ý", "20/11/2026", "2026-11"),
        ("Tin khóa học", "Đã rút đồng ý", "21/11/2026", "2026-11"),
        ("gone", "Không đồng ý", "22/11/2026", "2026-11"),
    ]
    assert rows(made, 2)[1:] == [
        ("KQ7M-XW29-RTB4", "Khảo sát nhu cầu", "2026", "Đã gửi", "13"),
        ("0000-0000-00A1", None, None, None, None),
    ]
    assert not _formulas(made)


def test_that_nothing_is_held_is_said(content: Content) -> None:
    made = my_data_xlsx(Held(), [], content, "en")

    assert [rows(made, sheet)[1][0] for sheet in range(3)] == ["Nothing."] * 3


def test_a_cell_holds_what_it_can() -> None:
    assert fitting("x" * LONGEST) == "x" * LONGEST
    assert fitting("x" * LONGEST + "y") == "x" * (LONGEST - 1) + "…"
    assert len(fitting("👍" * LONGEST).encode("utf-16-le")) <= 2 * LONGEST


def one_question() -> Form:
    """A form that is no survey."""
    file = FormFile.model_validate(
        {
            "settings": {
                "form_id": "wishes",
                "version": "2026112501",
                "title": {"vi": "Mong muốn", "en": "Wishes"},
            },
            "survey": [
                {"type": "text", "name": "wish", "label": {"vi": "Mong muốn?", "en": "What do you wish?"}}
            ],
        }
    )
    return stored_form(file.dump())


def _formulas(data: bytes) -> list[str]:
    """The cells that would be computed."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return list(_with_formulas(book))


def _with_formulas(book: zipfile.ZipFile) -> Iterator[str]:
    for name in book.namelist():
        if name.startswith("xl/worksheets/") and b"<f>" in book.read(name):
            yield name
