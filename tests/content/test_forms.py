"""Forms are checked when they are read, and a complaint names file, row and column."""

import shutil
from pathlib import Path

import pytest

from content.everything import Content, load_content
from content.forms import load_form, stored_form
from content.load import HERE, ContentError, read_list
from content.model import Published
from content.xlsform import write_workbook

GOOD = """\
settings: {form_id: demo, version: "2026112201", title: {vi: Thử, en: Try}}
choices:
  fields:
    - {name: mass, label: {vi: Khối lượng, en: Mass}}
    - {name: other, label: {vi: Khác, en: Other}, specify: true}
    - {name: none, label: {vi: Không có, en: None}, exclusive: true}
survey:
  - {type: select_multiple fields, name: fields, label: {vi: Lĩnh vực đo, en: Fields}, required: true}
  - type: begin_repeat
    name: by_field
    repeat_count: count-selected(${fields})
  - type: integer
    name: amount
    label: {vi: Số lượng, en: Number}
    constraint: . >= 0 and . <= 100000
    constraint_message: {vi: Từ 0 đến 100.000, en: At most 100000}
  - {type: end_repeat}
  - {type: text, name: wish, label: {vi: Kiến nghị, en: Wishes}, relevant: "not(selected(${fields}, 'none'))"}
"""


def form(folder: Path, text: str) -> Path:
    path = folder / "form.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_form_is_read_with_its_expressions(tmp_path: Path) -> None:
    loaded = load_form(form(tmp_path, GOOD))

    assert (loaded.id, loaded.version) == ("demo", "2026112201")
    assert [question.name for question in loaded.questions] == ["fields", "amount", "wish"]
    amount, wish = loaded.by_name["amount"], loaded.by_name["wish"]
    assert amount.repeat is loaded.groups["by_field"]
    assert amount.repeat.each == "fields"
    assert amount.constraint is not None
    assert [condition.source for condition in wish.relevant] == ["not(selected(${fields}, 'none'))"]
    assert loaded.readers == {"fields": (1, 2), "this": (1,)}


def test_a_stored_form_is_the_same_form(tmp_path: Path) -> None:
    loaded = load_form(form(tmp_path, GOOD))
    again = stored_form(loaded.file.dump())

    assert again.file == loaded.file
    assert again.sha256 == loaded.sha256


def test_the_same_file_has_the_same_hash_and_another_has_another(tmp_path: Path) -> None:
    first = load_form(form(tmp_path, GOOD)).sha256

    assert load_form(form(tmp_path, GOOD)).sha256 == first
    assert load_form(form(tmp_path, GOOD.replace("100000", "1000"))).sha256 != first


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("type: integer", "type: number", "survey.2.type: 'number' is not known"),
        ("name: wish", "name: fields", "survey.4.name: 'fields' stands twice"),
        ("name: wish, ", "", "survey.4.name: is missing"),
        ("select_multiple fields,", "select_multiple nothing,", "survey.0.type: there is no list 'nothing'"),
        ("- {type: end_repeat}", "- {type: end_group}", "survey.3.type: nothing began"),
        ("  - {type: end_repeat}\n", "", "survey.1.type: begin_repeat has no end"),
        ("count-selected(${fields})", "count-selected(${wish})", "survey.1.repeat_count: ${wish} is asked later"),
        ("not(selected(${fields}", "not(selected(${field}", "survey.4.relevant: ${field} is not in the form"),
        (". >= 0 and", ". >= and", "survey.2.constraint: "),
        ("    constraint_message: {vi: Từ 0 đến 100.000, en: At most 100000}\n", "", "survey.2.constraint_message"),
        (", label: {vi: Kiến nghị, en: Wishes}", "", "survey.4.label: is missing"),
        ('"2026112201"', '"1"', "settings.version"),
        ("    repeat_count: count-selected(${fields})\n", "", "survey.1.repeat_count: is missing"),
        ("label: {vi: Kiến nghị, en: Wishes}", "label: {vi: 'Ý ${wishes}', en: Wishes}", "survey.4.label: ${wishes} is not asked before it"),
        ("label: {vi: Kiến nghị, en: Wishes}", "appearance: one-line, label: {vi: Kiến nghị, en: Wishes}", "survey.4.appearance: 'one-line' means nothing for text"),
        ("required: true", "required: true, personal: true", "survey.1.repeat_count: ${fields} is personal"),
        ("name: amount\n", "name: amount\n    default: many\n", "survey.2.default: is no whole number"),
        ("required: true", "requierd: true", "survey.0.requierd"),
    ],
)  # fmt: skip
def test_a_broken_form_is_refused_with_row_and_column(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert old in GOOD
    with pytest.raises(ContentError) as refused:
        load_form(form(tmp_path, GOOD.replace(old, new, 1)))

    assert complaint in str(refused.value)
    assert refused.value.line > 0


def test_every_form_of_ours_is_published_as_it_stands(content: Content) -> None:
    """A changed form wants a new version and a new line in content/published.yaml."""
    published = {
        (one.form_id, one.version): one.sha256 for one in read_list(HERE / "published.yaml", Published)
    }

    for form in content.forms.values():
        assert published.get((form.id, form.version)) == form.sha256, (form.id, form.version, form.sha256)


def test_a_form_that_changed_under_its_version_is_refused(tmp_path: Path) -> None:
    shutil.copytree(HERE, tmp_path / "content", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = tmp_path / "content/forms/demand_survey.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("vi: Tên đơn vị", "vi: Tên của đơn vị"), "utf-8")

    with pytest.raises(ContentError, match="was published with other content") as refused:
        load_content(tmp_path / "content")
    assert refused.value.line > 0


def test_a_workbook_beside_our_forms_is_a_form_too(tmp_path: Path, content: Content) -> None:
    shutil.copytree(HERE, tmp_path / "content", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    written = load_form(form(tmp_path, GOOD)).file
    write_workbook(written, tmp_path / "content/forms/demo.xlsx")

    assert load_content(tmp_path / "content").forms["demo"].file == written
