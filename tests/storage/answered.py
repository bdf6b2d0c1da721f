"""Two versions of a small form, and responses to it as the database keeps them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
import yaml

from content.forms import FormFile
from storage.database import Database
from storage.tables import Instant, forms, people, personal_values
from tests.world import START

FORM = "small_survey"
OLD, NEW = "2026010101", "2026060101"

_CHOICES = """
choices:
  kinds:
  - {name: fuel, label: {vi: Xăng dầu, en: Fuel}}
  - {name: other, label: {vi: Khác, en: Other}, specify: true}
  needs:
  - {name: training, label: {vi: Đào tạo, en: Training}}
  - {name: checks, label: {vi: Kiểm định, en: Verification}}
  - {name: none, label: {vi: Không cần, en: None}, exclusive: true}
  devices:
  - {name: scale, label: {vi: Cân, en: Scales}}
  - {name: meter, label: {vi: Đồng hồ nước, en: Water meters}}
"""

_NEW = f"""
settings: {{form_id: {FORM}, version: "{NEW}", title: {{vi: Phiếu nhỏ, en: Small}}}}
survey:
- {{type: text, name: tax_code, number: "1", label: {{vi: Mã số thuế, en: Tax code}}}}
- {{type: text, name: contact, label: {{vi: Người liên hệ, en: Contact}}, personal: true}}
- {{type: select_one kinds, name: kind, label: {{vi: Ngành nào, en: Which kind}}, short: {{vi: Ngành, en: Kind}}}}
- {{type: select_multiple needs, name: needs, label: {{vi: Cần gì, en: What is needed}}}}
- {{type: select_multiple devices, name: devices, label: {{vi: Có thiết bị nào, en: Which devices}}}}
- {{type: begin_repeat, name: each_device, repeat_count: "count-selected(${{devices}})"}}
- {{type: integer, name: how_many, label: {{vi: Bao nhiêu, en: How many}}}}
- {{type: end_repeat}}
- {{type: integer, name: branches, label: {{vi: Mấy chi nhánh, en: How many branches}}}}
- {{type: begin_repeat, name: each_branch, repeat_count: "${{branches}}"}}
- {{type: text, name: branch, label: {{vi: Chi nhánh ở đâu, en: Where is it}}}}
- {{type: end_repeat}}
- {{type: decimal, name: cost, label: {{vi: Chi phí, en: Cost}}, unknown: true}}
- {{type: date, name: opened, label: {{vi: Ngày mở, en: Opened}}}}
- {{type: date, name: due, appearance: month-year, label: {{vi: Tháng cần, en: Month}}}}
- {{type: calculate, name: doubled, calculation: "${{branches}} * 2"}}
- {{type: text, name: remark, label: {{vi: Ghi chú, en: Remark}}}}
"""

# The older version asked one thing more, offered one need more, and asked in another order.
_OLD = f"""
settings: {{form_id: {FORM}, version: "{OLD}", title: {{vi: Phiếu nhỏ, en: Small}}}}
survey:
- {{type: text, name: fax, label: {{vi: Số fax, en: Fax}}}}
- {{type: select_multiple needs, name: needs, label: {{vi: Cần những gì, en: Needs}}}}
- {{type: text, name: tax_code, label: {{vi: Mã số thuế cũ, en: Old tax code}}}}
"""


def small_form(version: str = NEW) -> FormFile:
    """One of its versions."""
    read = yaml.safe_load((_NEW if version == NEW else _OLD) + _CHOICES)
    if version == OLD:
        read["choices"]["needs"][1] = {"name": "fax", "label": {"vi": "Máy fax", "en": "A fax"}}
    return FormFile.model_validate(read)


def store_forms(database: Database, *files: FormFile) -> None:
    """Keep these versions as a start of the service does."""
    rows = [
        {
            "form_id": file.settings.form_id,
            "version": file.settings.version,
            "sha256": "0" * 64,
            "definition": file.dump(),
            "stored_at": START,
        }
        for file in files or (small_form(OLD), small_form(NEW))
    ]
    with database.writer.begin() as connection:
        connection.execute(sa.insert(forms), rows)


def response(
    number: int, answers: Mapping[str, list[Any]] | None = None, *, at: datetime = START, **more: Any
) -> dict[str, Any]:
    """A row of `responses`: submitted to the newer version unless `more` says otherwise."""
    row = {
        "id": number,
        "code": f"7KQ4MXW2{number:04}",
        "form_id": FORM,
        "version": NEW,
        "year": 2026,
        "status": "submitted",
        "answers": answers or {},
        "known": None,
        "last_question": "",
        "tax_code": None,
        "rival": False,
        "started_at": at,
        "updated_at": at,
        "submitted_at": at,
    }
    if more.get("status", "submitted") != "submitted":
        row["submitted_at"] = None
    return {**row, **more}


def store_responses(database: Database, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep these responses."""
    kept = [{**row, "answers": orjson.dumps(row["answers"]).decode()} for row in rows]
    kind = "text" if database.is_sqlite else "jsonb"
    names = [name for name in response(0) if name != "known"]
    values = ", ".join(f"CAST(:answers AS {kind})" if name == "answers" else f":{name}" for name in names)
    statement = sa.text(f"INSERT INTO responses ({', '.join(names)}) VALUES ({values})")
    moments = [sa.bindparam(name, type_=Instant) for name in names if name.endswith("_at")]
    with database.writer.begin() as connection:
        connection.execute(statement.bindparams(*moments), kept)


def store_personal(database: Database, response_id: int, values: Mapping[str, str]) -> None:
    """Keep what somebody said of themselves in that response."""
    with database.writer.begin() as connection:
        person = {"created_at": START, "seen_at": START, "language": "vi"}
        chosen = {"language_chosen": False, "greeted": False, "stopped": False}
        made = connection.execute(sa.insert(people).returning(people.c.id), [{**person, **chosen}])
        person_id = made.scalar_one()
        connection.execute(
            sa.insert(personal_values),
            [
                {
                    "response_id": response_id,
                    "person_id": person_id,
                    "name": name,
                    "value": value,
                    "lookup": "-",
                    "at": START,
                }
                for name, value in values.items()
            ],
        )
