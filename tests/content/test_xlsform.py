"""A form becomes a workbook that other tools open, comes back the same, and is refused by sheet, row and column."""

import string
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from pyxform.xls2xform import convert  # type: ignore[import-untyped]

from content.forms import ASKED, ChoiceRow, FormFile, Row, Settings, Words, compile_form, load_form
from content.load import HERE, ContentError
from content.xlsform import layout, read_workbook, write_workbook

VI, EN = "Tiếng Việt (vi)", "English (en)"

# Every type and every column stands here at least once.
FULL = """\
settings: {form_id: survey, version: "2026112201", title: {vi: Phiếu khảo sát, en: Survey}}
choices:
  yes_no:
    - {name: agreed, label: {vi: Có, en: 'Yes'}}
    - {name: refused, label: {vi: Không, en: 'No'}}
  sectors:
    - {name: wood, label: {vi: Gỗ, en: Wood}}
    - {name: food, label: {vi: Thực phẩm, en: Food}}
  fields:
    - {name: mass, label: {vi: Khối lượng, en: Mass}, filter: {used_in: wood food, unit: kg}}
    - {name: other, label: {vi: 'Khác: ghi rõ', en: 'Other: which'}, specify: true, filter: {used_in: food}}
    - {name: none, label: {vi: Không có, en: None}, exclusive: true}
survey:
  - {type: select_one yes_no, name: agree, label: {vi: Đồng ý không, en: Do you agree}, required: true, consent: survey}
  - type: text
    name: tax_code
    label: {vi: Mã số thuế, en: Tax code}
    hint: {vi: 'Ví dụ: 0100109106', en: 'Such as 0100109106'}
    why: {vi: Để không hỏi hai lần, en: So that nobody is asked twice}
    short: {vi: MST, en: Tax code}
    format: tax_code
    number: "02"
  - {type: select_one sectors, name: sector, label: {vi: Ngành, en: Sector}, default: wood, appearance: autocomplete}
  - type: select_multiple fields
    name: fields
    label: {vi: Lĩnh vực đo, en: Fields}
    choice_filter: not(${sector} = 'used_in') and selected(${used_in}, ${sector}) or ${used_in} = ''
  - {type: begin_repeat, name: by_field, label: {vi: Theo lĩnh vực, en: By field}, repeat_count: 'count-selected(${fields})'}
  - type: calculate
    name: field
    calculation: >
      jr:choice-name(selected-at(${fields}, position(..) - 1),
      '${fields}')
  - type: integer
    name: amount
    label: {vi: 'Số phương tiện đo ${field}', en: 'Instruments for ${field}'}
    constraint: . >= 0 and . <= 100000
    constraint_message: {vi: Từ 0 đến 100.000, en: At most 100000}
    unknown: true
  - {type: end_repeat}
  - {type: date, name: due, label: {vi: Hết hạn, en: Expires}, appearance: month-year, relevant: "not(selected(${fields}, 'none'))"}
  - {type: begin_group, name: more, later: true}
  - {type: decimal, name: share, label: {vi: Tỷ lệ, en: Share}}
  - {type: text, name: who, label: {vi: Tên, en: Name}, personal: true, format: person_name}
  - {type: note, name: thanks, label: {vi: "Cảm ơn.\\nHẹn gặp lại.", en: "Thank you.\\nGood-bye."}}
  - {type: end_group, name: more_ends}
"""


def form(text: str) -> FormFile:
    return FormFile.model_validate(yaml.safe_load(text))


def book(folder: Path, **sheets: list[list[Any]]) -> Path:
    """A workbook as somebody may send it: cells as they are, row by row."""
    path = folder / "sent.xlsx"
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


SETTINGS: list[list[Any]] = [
    ["form_id", "version", "form_title", "form_title_en"],
    ["demo", "2026112501", "Thử", "Try"],
]
CHOICES: list[list[Any]] = [
    ["list_name", "name", f"label::{VI}", f"label::{EN}"],
    ["fields", "mass", "Khối lượng", "Mass"],
    ["fields", "length", "Độ dài", "Length"],
]
HEADINGS = ["type", "name", f"label::{VI}", f"label::{EN}"]
QUESTION = ["integer", "amount", "Số lượng", "Number"]


def refused(path: Path) -> str:
    with pytest.raises(ContentError) as complaint:
        read_workbook(path)
    return str(complaint.value).removeprefix(f"{path}: ")


# There and back


def test_a_form_comes_back_the_same(tmp_path: Path) -> None:
    whole = form(FULL)
    write_workbook(whole, tmp_path / "form.xlsx")

    again = read_workbook(tmp_path / "form.xlsx")

    assert again == whole
    assert again.dump() == whole.dump()


def test_the_full_form_has_every_column() -> None:
    """So that a column that is added later is not forgotten here."""
    whole = form(FULL)

    choices = [choice for listed in whole.choices.values() for choice in listed]

    assert {name for row in whole.survey for name in row.model_fields_set} == set(Row.model_fields)
    assert {name for choice in choices for name in choice.model_fields_set} == set(ChoiceRow.model_fields)


def test_every_form_of_the_house_opens_elsewhere_and_comes_back_the_same(tmp_path: Path) -> None:
    for path in sorted(HERE.glob("forms/*.yaml")):
        ours = load_form(path).file
        write_workbook(ours, tmp_path / "form.xlsx")

        assert read_workbook(tmp_path / "form.xlsx").dump() == ours.dump(), path
        assert convert(tmp_path / "form.xlsx").warnings == [], path


def test_the_sheets_are_xlsforms(tmp_path: Path) -> None:
    write_workbook(form(FULL), tmp_path / "form.xlsx")

    workbook = load_workbook(tmp_path / "form.xlsx")

    assert workbook.sheetnames == ["survey", "choices", "settings"]
    survey, choices, about = (workbook[name] for name in workbook.sheetnames)
    assert [cell.value for cell in survey[1]][:6] == [*HEADINGS, f"hint::{VI}", f"hint::{EN}"]
    assert [cell.value for cell in choices[1]] == [
        "list_name", "name", f"label::{VI}", f"label::{EN}", "exclusive", "specify", "used_in", "unit",
    ]  # fmt: skip
    assert [[cell.value for cell in row] for row in about.rows] == [
        ["form_id", "version", "form_title", "form_title_en", "default_language"],
        ["survey", "2026112201", "Phiếu khảo sát", "Survey", VI],
    ]
    for sheet in workbook.worksheets:
        assert all(cell.font.bold for cell in sheet[1])
        assert sheet.freeze_panes in ("A2", "C2")
        assert all(8 <= sheet.column_dimensions[letter].width <= 61 for letter in "BCD")


def test_what_looks_like_a_formula_stays_a_text(tmp_path: Path) -> None:
    whole = form(FULL.replace("Mã số thuế", '=HYPERLINK("http://x.vn")'))
    write_workbook(whole, tmp_path / "form.xlsx")

    cell = load_workbook(tmp_path / "form.xlsx")["survey"]["C3"]

    assert (cell.value, cell.data_type) == ('=HYPERLINK("http://x.vn")', "s")
    assert read_workbook(tmp_path / "form.xlsx") == whole


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("filter: {used_in: food}", "filter: {name: food}", "'name' cannot be the name of a filter column"),
        ("filter: {used_in: food}", "filter: {used in: food}", "'used in' cannot be the name of a filter column"),
        ("  sectors:", "  unused: []\n  sectors:", "the list 'unused' has no choices"),
        ("Phiếu khảo sát", "a" * 32_768, "settings: row 2: form_title: longer than 32767 characters"),
    ],
)  # fmt: skip
def test_what_no_workbook_can_hold_is_not_written(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        write_workbook(form(FULL.replace(old, new)), tmp_path / "form.xlsx")

    assert not (tmp_path / "form.xlsx").exists()


# Random forms

LETTERS = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co"), include_characters="\n=+-@'_"
)
TEXTS = st.text(LETTERS, min_size=1, max_size=30).map(
    lambda text: unicodedata.normalize("NFC", text.replace("$", "")).strip() or "x"
)
WORDS = st.builds(Words, vi=TEXTS, en=TEXTS)
MAYBE_WORDS = st.none() | WORDS
FLAGS = st.booleans()
# Each name gets a number beside it, which makes it unique and no word that is XLSForm's own.
NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=8)
APPEARANCES: Mapping[str, tuple[str | None, ...]] = {
    "text": (None, "multiline"),
    "date": (None, "month-year"),
    "select_one": (None, "autocomplete"),
}


@st.composite
def forms(draw: st.DrawFn) -> FormFile:
    """A form with groups, repeats, conditions and both kinds of selects, which `compile_form` accepts."""
    lists = {f"{draw(NAMES)}_l{n}": draw(choice_lists()) for n in range(draw(st.integers(1, 3)))}
    rows: list[Row] = []
    asked: list[str] = []
    for number in range(draw(st.integers(1, 6))):
        name = f"{draw(NAMES)}_{number}"
        question = draw(questions(name, asked, lists))
        around = draw(st.sampled_from([(), ("group",), ("repeat",), ("group", "repeat")]))
        rows += [draw(beginnings(f"{kind}_{name}", kind, asked)) for kind in around]
        rows.append(question)
        rows += [Row(type=f"end_{kind}") for kind in reversed(around)]
        if not question.personal and question.kind != "note" and "repeat" not in around:
            asked.append(name)
    made = FormFile(
        settings=Settings(
            form_id=draw(NAMES), version=str(draw(st.integers(10**9, 10**10 - 1))), title=draw(WORDS)
        ),
        survey=tuple(rows),
        choices=lists,
    )
    compile_form(made, lambda row, column, problem: ContentError("random", (row, column), 0, problem))
    return made


@st.composite
def choice_lists(draw: st.DrawFn) -> tuple[ChoiceRow, ...]:
    return tuple(
        ChoiceRow(
            name=f"{draw(NAMES)}_c{number}",
            label=draw(WORDS),
            exclusive=draw(FLAGS),
            specify=draw(FLAGS),
            filter=draw(st.dictionaries(NAMES.map("f_{}".format), TEXTS, max_size=2)),
        )
        for number in range(draw(st.integers(1, 4)))
    )


@st.composite
def beginnings(draw: st.DrawFn, name: str, kind: str, asked: list[str]) -> Row:
    counts = ["3", *(f"count-selected(${{{one}}})" for one in asked)]
    return Row(
        type=f"begin_{kind}",
        name=name,
        label=draw(MAYBE_WORDS),
        relevant=draw(conditions(asked)),
        repeat_count=draw(st.sampled_from(counts)) if kind == "repeat" else None,
        later=kind == "group" and draw(FLAGS),
    )


@st.composite
def choice_filters(draw: st.DrawFn, listed: tuple[ChoiceRow, ...], asked: list[str]) -> str | None:
    columns = sorted({column for choice in listed for column in choice.filter})
    if not columns or not asked:
        return None
    column, one = draw(st.sampled_from(columns)), draw(st.sampled_from(asked))
    return draw(
        st.sampled_from([None, f"selected(${{{column}}}, ${{{one}}}) or ${{{column}}} = '{column} (all)'"])
    )


def conditions(asked: list[str]) -> st.SearchStrategy[str | None]:
    return st.sampled_from([None, *(f"${{{one}}} != '' and\n  (${{{one}}} != 'là')" for one in asked)])


@st.composite
def questions(draw: st.DrawFn, name: str, asked: list[str], lists: dict[str, tuple[ChoiceRow, ...]]) -> Row:
    kind = draw(st.sampled_from([*ASKED, "note", "calculate"]))
    listed = draw(st.sampled_from(sorted(lists)))
    selects, number = kind.startswith("select"), kind in ("integer", "decimal")
    plain = kind in ("text", "integer")
    return Row(
        type=f"{kind} {listed}" if selects else kind,
        name=name,
        label=draw(WORDS),
        hint=draw(MAYBE_WORDS),
        why=draw(MAYBE_WORDS),
        short=draw(MAYBE_WORDS),
        required=draw(FLAGS),
        relevant=draw(conditions(asked)),
        constraint=". > 0" if number else None,
        constraint_message=draw(WORDS) if number else None,
        calculation="1 + 2" if kind == "calculate" else None,
        default=draw(st.none() | st.integers(0, 99).map("{:03}".format)) if plain else None,
        choice_filter=draw(choice_filters(lists[listed], asked)) if selects else None,
        appearance=draw(st.sampled_from(APPEARANCES.get(kind, (None,)))),
        personal=draw(FLAGS) if kind == "date" else False,
        unknown=draw(FLAGS),
        format=draw(st.sampled_from([None, "phone_or_email"])) if kind == "text" else None,
        consent=draw(st.sampled_from([None, "each"])) if selects else None,
        number=draw(st.none() | st.text(string.ascii_letters + string.digits, min_size=1, max_size=5)),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(made=forms())
def test_any_form_comes_back_the_same(made: FormFile, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "random.xlsx"
    write_workbook(made, path)

    assert read_workbook(path) == made


# Other tools


def harmless(warning: str) -> bool:
    """A repeat may go without a label in a conversation."""
    return "Repeat has no label" in warning


def test_pyxform_opens_the_workbook(tmp_path: Path) -> None:
    whole = form(FULL)
    write_workbook(whole, tmp_path / "form.xlsx")

    opened = convert(tmp_path / "form.xlsx")

    assert opened.warnings == []
    assert 'id="survey" version="2026112201"' in opened.xform
    assert f'<translation lang="{VI}" default="true()">' in opened.xform
    for row in whole.survey:
        assert row.kind.startswith("end") or f"/{row.name}" in opened.xform


def test_pyxform_filters_choices_by_their_columns(tmp_path: Path) -> None:
    write_workbook(form(FULL), tmp_path / "form.xlsx")

    opened = convert(tmp_path / "form.xlsx").xform

    sector = " /data/sector "
    assert f"root/item[not({sector} = 'used_in') and selected(used_in, {sector}) or used_in = '']" in opened
    assert "<used_in>wood food</used_in>" in opened


@settings(max_examples=25, deadline=None)
@given(made=forms())
def test_pyxform_opens_any_workbook(made: FormFile, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "other.xlsx"
    write_workbook(made, path)

    assert [warning for warning in convert(path).warnings if not harmless(warning)] == []


# What people send


def test_titles_above_and_blank_rows_between_are_passed_over(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        survey=[
            ["Phiếu khảo sát nhu cầu", datetime(2026, 11, 25)],  # noqa: DTZ001  Excel's dates have no zone
            [],
            HEADINGS,
            [None, "  ", None, None],
            QUESTION,
            [],
        ],
        settings=SETTINGS,
        help=[["Điền như sau", datetime(2026, 11, 25)]],  # noqa: DTZ001
    )
    workbook = load_workbook(path)
    workbook["survey"].merge_cells("A1:D1")
    workbook.save(path)

    assert [row.name for row in read_workbook(path).survey] == ["amount"]


def test_what_excel_made_of_texts_is_text_again(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        survey=[
            [*HEADINGS, "required", "default", "number"],
            [*QUESTION, True, 10, 13.0],
            ["text", "wish", 2026, 1.5, False],
        ],
        settings=[SETTINGS[0], ["demo", 2026112501, "Thử", "Try"]],
    )

    read = read_workbook(path)

    assert read.settings.version == "2026112501"
    assert (read.survey[0].required, read.survey[0].default, read.survey[0].number) == (True, "10", "13")
    assert read.survey[1].label == Words(vi="2026", en="1.5")


def test_letters_are_composed_and_line_breaks_plain(tmp_path: Path) -> None:
    label = unicodedata.normalize("NFD", "Số lượng") + "_x000D_\nphương tiện "
    headings = [unicodedata.normalize("NFD", heading) for heading in HEADINGS]
    path = book(tmp_path, survey=[headings, ["integer", "amount", label, "Number"]], settings=SETTINGS)

    assert read_workbook(path).survey[0].label == Words(vi="Số lượng\nphương tiện", en="Number")


def test_older_and_looser_spellings_are_understood(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        Survey=[
            ["Type", "Name", "Label::Vietnamese (vi)", "label :: English", "relevance"],
            ["select  one fields", "field", "Lĩnh vực", "Field"],
            ["begin group", "more", None, None, "${field} = 'mass'"],
            ["int", "amount", "Số lượng", "Number"],
            ["end group"],
        ],
        Choices=[["list name", *CHOICES[0][1:]], *CHOICES[1:]],
        Settings=[["id_string", *SETTINGS[0][1:]], SETTINGS[1]],
    )

    read = read_workbook(path)

    assert [row.type for row in read.survey] == ["select_one fields", "begin_group", "integer", "end_group"]
    assert read.survey[1].relevant == "${field} = 'mass'"
    assert read.survey[0].label == Words(vi="Lĩnh vực", en="Field")


def test_or_other_becomes_a_choice_that_asks_what(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        survey=[
            HEADINGS,
            ["select_one fields", "one", "Một", "One"],
            ["select_multiple fields or_other", "many", "Nhiều", "Many"],
        ],
        choices=CHOICES,
        settings=SETTINGS,
    )

    read = read_workbook(path)

    assert [row.type for row in read.survey] == ["select_one fields", "select_multiple fields_or_other"]
    assert [choice.name for choice in read.choices["fields"]] == ["mass", "length"]
    assert read.choices["fields_or_other"] == (
        *read.choices["fields"],
        ChoiceRow(name="other", label=layout().other, specify=True),
    )


def test_or_other_asks_what_of_the_other_that_is_there(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        survey=[HEADINGS, ["select_one fields or_other", "one", "Một", "One"]],
        choices=[*CHOICES, ["fields", "other", "Lĩnh vực khác", "Another field"]],
        settings=SETTINGS,
    )

    *_, other = read_workbook(path).choices["fields_or_other"]

    assert other == ChoiceRow(name="other", label=Words(vi="Lĩnh vực khác", en="Another field"), specify=True)


@pytest.mark.parametrize(
    ("columns", "cells", "complaint"),
    [
        # what is broken
        ([], ["image", "photo", "Ảnh", "Photo"], "survey: row 3: type: 'image' is not known"),
        ([], ["geopoint", "place", "Nơi", "Place"], "survey: row 3: type: 'geopoint' is not known"),
        ([], ["select_multiple_from_file a.csv", "x", "X", "X"], "survey: row 3: type: 'select_multiple_from_file a.csv' is not known"),
        ([], ["select_one nothing", "x", "X", "X"], "survey: row 3: type: there is no list 'nothing'"),
        ([], ["select_one nothing or_other", "x", "X", "X"], "survey: row 3: type: there is no list 'nothing or_other'"),
        ([], ["begin_group", "open", None, None], "survey: row 3: type: begin_group has no end"),
        ([], [None, None, "Phần A", None], "survey: row 3: type: is missing"),
        ([], ["text", None, "Tên", "Name"], "survey: row 3: name: is missing"),
        ([], ["text", "Tên", "Tên", "Name"], "survey: row 3: name: String should match pattern"),
        ([], ["text", "amount", "Tên", "Name"], "survey: row 3: name: 'amount' stands twice"),
        ([], ["text", "x", "Tên", None], f"survey: row 3: label::{EN}: is missing"),
        ([], ["text", "x", None, "Name"], f"survey: row 3: label::{VI}: is missing"),
        ([], ["text", "x", None, None], "survey: row 3: label: is missing"),
        (["constraint", f"constraint_message::{VI}", f"constraint_message::{EN}"], ["integer", "x", "X", "X", ". >=", "X", "X"], "survey: row 3: constraint: '. >=': "),
        (["constraint"], ["integer", "x", "X", "X", ". > 0"], "survey: row 3: constraint_message: is missing"),
        (["Relevant"], ["integer", "x", "X", "X", "${y} > 0"], "survey: row 3: Relevant: ${y} is not in the form"),
        (["relevant"], ["integer", "x", "X", "X", "pulldata('a', 'b', 'c', 'd')"], "unknown function 'pulldata'"),
        (["required"], ["integer", "x", "X", "X", "${amount} > 3"], "survey: row 3: required: '${amount} > 3' is neither yes nor no"),
        (["appearance"], ["text", "x", "X", "X", "w2"], "survey: row 3: appearance: Input should be 'one-line', "),
        (["calculation"], ["integer", "x", "X", "X", "1 + 2"], "survey: row 3: calculation: means nothing for integer"),
        (["repeat_count"], ["begin_repeat", "x", None, None, "#REF!"], "survey: row 3: repeat_count: #REF! is an error"),
        (["number"], ["text", "x", "X", "X", datetime(2026, 1, 2)], "survey: row 3: number: Excel made a date of it"),  # noqa: DTZ001
        # what is not known here
        (["trigger"], ["text", "x", "X", "X", "${amount}"], "survey: row 3: trigger: this column is not known here"),
        (["parameters"], ["text", "x", "X", "X", "rows=3"], "survey: row 3: parameters: this column is not known here"),
        ([f"media::image::{EN}"], ["text", "x", "X", "X", "a.png"], f"survey: row 3: media::image::{EN}: this column"),
        (["label::Français (fr)"], ["text", "x", "X", "X", "Nom"], "survey: row 3: label::Français (fr): this column"),
        (["hint"], ["text", "x", "X", "X", "Hint"], f"survey: row 3: hint: its language is missing: 'hint::{VI}'"),
        ([None], ["text", "x", "X", "X", "a remark"], "survey: row 3: column E: this column is not known here"),
        (["name"], ["text", "x", "X", "X"], "survey: row 1: name: this heading stands twice"),
        (["label::vi"], ["text", "x", "X", "X"], "survey: row 1: label::vi: this heading stands twice"),
    ],
)  # fmt: skip
def test_a_survey_sheet_is_refused_by_row_and_column(
    tmp_path: Path, columns: list[str | None], cells: list[Any], complaint: str
) -> None:
    path = book(tmp_path, survey=[[*HEADINGS, *columns], QUESTION, cells], settings=SETTINGS)

    assert complaint in refused(path)


def test_a_column_that_is_not_known_but_empty_is_passed_over(tmp_path: Path) -> None:
    survey = [[*HEADINGS, "trigger", f"media::image::{EN}", f"media::audio::{EN}"], QUESTION]

    assert len(read_workbook(book(tmp_path, survey=survey, settings=SETTINGS)).survey) == 1


@pytest.mark.parametrize(
    ("columns", "cells", "complaint"),
    [
        ([], ["fields", "mass", "Khối lượng", "Mass"], "choices: row 4: name: 'mass' stands twice in the list 'fields'"),
        ([], [None, "time", "Thời gian", "Time"], "choices: row 4: list_name: is missing"),
        ([], ["Fields", "time", "Thời gian", "Time"], "choices: row 4: list_name: String should match pattern"),
        ([], ["fields", None, "Thời gian", "Time"], "choices: row 4: name: is missing"),
        ([], ["fields", 10, "Mười", "Ten"], "choices: row 4: name: String should match pattern"),
        ([], ["fields", "time", None, "Time"], f"choices: row 4: label::{VI}: is missing"),
        ([], ["fields", "time"], f"choices: row 4: label::{VI}: is missing"),
        (["exclusive"], ["fields", "time", "T", "T", "maybe"], "choices: row 4: exclusive: 'maybe' is neither yes nor no"),
        (["exclusve"], ["fields", "time", "T", "T", "yes"], "choices: row 4: exclusve: this column is not known here: is it 'exclusive'?"),
        ([f"media::image::{EN}"], ["fields", "time", "T", "T", "t.png"], "this column is not known here"),
        (["image"], ["fields", "time", "T", "T", "t.png"], "choices: row 4: image: this column is not known here"),
        (["ghi chú"], ["fields", "time", "T", "T", "chưa duyệt"], "choices: row 4: ghi chú: this column is not known here"),
        (["label"], ["fields", "time", "T", "T", "T"], f"choices: row 4: label: its language is missing: 'label::{VI}'"),
    ],
)  # fmt: skip
def test_a_choices_sheet_is_refused_by_row_and_column(
    tmp_path: Path, columns: list[str], cells: list[Any], complaint: str
) -> None:
    choices = [[*CHOICES[0], *columns], *CHOICES[1:], cells]
    path = book(tmp_path, survey=[HEADINGS, QUESTION], choices=choices, settings=SETTINGS)

    assert complaint in refused(path)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "settings: form_id: no row has this heading"),
        (SETTINGS[:1], "settings: holds nothing"),
        ([*SETTINGS, SETTINGS[1]], "settings: row 3: a form has one row of settings"),
        ([SETTINGS[0], ["demo", "1", "Thử", "Try"]], "settings: row 2: version: String should match pattern"),
        ([SETTINGS[0], ["demo", None, "Thử", "Try"]], "settings: row 2: version: is missing"),
        ([SETTINGS[0], ["demo", "2026112501", "Thử"]], "settings: row 2: form_title_en: is missing"),
        ([[*SETTINGS[0], "style"], [*SETTINGS[1], "pages"]], "settings: row 2: style: this column is not known here"),
        ([[*SETTINGS[0], "default_language"], [*SETTINGS[1], EN]], f"settings: row 2: default_language: must be '{VI}'"),
    ],
)  # fmt: skip
def test_a_settings_sheet_is_refused_by_row_and_column(
    tmp_path: Path, rows: list[list[Any]], complaint: str
) -> None:
    assert complaint in refused(book(tmp_path, survey=[HEADINGS, QUESTION], settings=rows))


def test_a_repeat_without_an_end_in_sight_is_named(tmp_path: Path) -> None:
    survey: list[list[Any]] = [HEADINGS, ["begin_repeat", "again"], QUESTION, ["end_repeat"]]

    complaint = refused(book(tmp_path, survey=survey, settings=SETTINGS))

    assert complaint.startswith("survey: row 2: repeat_count: is missing")


def test_a_repeat_in_a_repeat_is_named(tmp_path: Path) -> None:
    survey: list[list[Any]] = [
        [*HEADINGS, "repeat_count"],
        ["begin_repeat", "outer", None, None, 2],
        ["begin_repeat", "inner", None, None, 2],
        QUESTION,
        ["end_repeat"],
        ["end_repeat"],
    ]
    path = book(tmp_path, survey=survey, settings=SETTINGS)

    assert refused(path) == "survey: row 3: type: a repeat stands in a repeat"


@pytest.mark.parametrize(
    ("kind", "choice_filter", "complaint"),
    [
        (
            "select_one fields or_other",
            "unit = 'kg'",
            "type: or_other and a choice_filter do not go together",
        ),
        (
            "select_one fields",
            "unit = ${unit}",
            "choice_filter: ${unit} has the name of a filter column of its list",
        ),
        ("select_one fields", "units = ${wanted}", "choice_filter: its list has no column 'units'"),
        ("select_one nothing", "unit = ${wanted}", "type: there is no list 'nothing'"),
        ("text", "unit = ${wanted}", "choice_filter: means nothing for text"),
    ],
)
def test_a_filter_that_cannot_work_is_named(
    tmp_path: Path, kind: str, choice_filter: str, complaint: str
) -> None:
    survey = [
        [*HEADINGS, "choice_filter"],
        ["text", "wanted", "Đơn vị đo", "Unit"],
        [kind, "field", "Lĩnh vực", "Field", choice_filter],
    ]
    choices = [[*CHOICES[0], "unit"], [*CHOICES[1], "kg"], [*CHOICES[2], "m"]]

    assert (
        refused(book(tmp_path, survey=survey, choices=choices, settings=SETTINGS))
        == f"survey: row 3: {complaint}"
    )


@pytest.mark.parametrize(
    ("sent", "ours"),
    [
        ("unit = ${wanted}", "${unit} = ${wanted}"),
        ("selected(unit,'unit') or unit='' ", "selected(${unit},'unit') or ${unit}=''"),
        ('not(unit = "unit")', 'not(${unit} = "unit")'),
    ],
)
def test_a_filter_calls_its_column_as_xlsform_does(tmp_path: Path, sent: str, ours: str) -> None:
    survey = [
        [*HEADINGS, "choice_filter"],
        ["text", "wanted", "Đơn vị đo", "Unit"],
        ["select_one fields", "field", "Lĩnh vực", "Field", sent],
    ]
    choices = [[*CHOICES[0], "unit"], [*CHOICES[1], "kg"], CHOICES[2]]

    read = read_workbook(book(tmp_path, survey=survey, choices=choices, settings=SETTINGS))

    assert read.survey[1].choice_filter == ours
    assert [choice.filter for choice in read.choices["fields"]] == [{"unit": "kg"}, {}]


def test_a_filter_never_joins_two_names(tmp_path: Path) -> None:
    """`${unit}-1` without its marks would be the one name `unit-1`."""
    joined = form(FULL.replace("${used_in} = ''", "number(${unit}-1) = 0"))
    write_workbook(joined, tmp_path / "form.xlsx")

    assert "number(unit -1) = 0" in convert(tmp_path / "form.xlsx").xform
    assert "number(${unit} -1) = 0" in (read_workbook(tmp_path / "form.xlsx").survey[3].choice_filter or "")


def test_sheets_that_are_missing_or_not_known_are_named(tmp_path: Path) -> None:
    survey: list[list[Any]] = [HEADINGS, QUESTION]

    assert refused(book(tmp_path, survey=survey)) == "settings: there is no such sheet"
    assert refused(book(tmp_path, settings=SETTINGS)) == "survey: there is no such sheet"
    assert (
        refused(book(tmp_path, survey=[QUESTION], settings=SETTINGS))
        == "survey: type: no row has this heading"
    )
    for name in ("external_choices", "entities"):
        path = book(tmp_path, survey=survey, settings=SETTINGS, **{name: [["list_name"]]})
        assert refused(path) == f"{name}: this sheet is not known here"


@pytest.mark.parametrize("content", [b"", b"not a workbook", b"PK\x03\x04 cut off"])
def test_what_is_no_workbook_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "form.xlsx"
    path.write_bytes(content)

    assert refused(path) == "is no workbook (.xlsx)"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "form.xlsx") == "No such file or directory"


def test_a_complaint_carries_its_place(tmp_path: Path) -> None:
    path = book(tmp_path, survey=[HEADINGS, QUESTION, ["image", "x", "X", "X"]], settings=SETTINGS)
    with pytest.raises(ContentError) as complaint:
        read_workbook(path)

    assert complaint.value.file == str(path)
    assert complaint.value.key == ("survey", "type")
    assert complaint.value.line == 3
    assert str(complaint.value) == f"{path}: survey: row 3: type: 'image' is not known"


JUNK = (
    st.none()
    | st.booleans()
    | st.integers(-10, 10**10)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.datetimes(datetime(1900, 3, 1), datetime(2100, 1, 1))  # noqa: DTZ001  Excel's dates have no zone
    | st.sampled_from(["type", "name", "#REF!", "${", "${x}", "begin_repeat x", "select_one fields or_other", "::", "="])
    | TEXTS
)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_a_cell_is_read_or_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.xlsx"
    write_workbook(form(FULL), path)
    workbook = load_workbook(path)
    for _ in range(data.draw(st.integers(1, 3))):
        sheet = data.draw(st.sampled_from(workbook.worksheets))
        row, column = (
            data.draw(st.integers(1, sheet.max_row + 1)),
            data.draw(st.integers(1, sheet.max_column + 1)),
        )
        sheet.cell(row, column).value = data.draw(JUNK)
    workbook.save(path)

    try:
        read = read_workbook(path)
    except ContentError:
        return
    write_workbook(read, path)
    assert read_workbook(path) == read
