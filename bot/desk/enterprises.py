"""Enterprises: found by a few letters, listed, read on one card, corrected, merged and parted again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from starlette.responses import RedirectResponse, Response

from bot.desk.frame import Act, Again, Fault, Job, NoSuch, Page, Pages, Visit, Went, refused
from handlers.register.planning import Known
from handlers.router import SURVEY_FORM
from handlers.values import Refusal, email, person_name, phone, tax_code
from storage import enterprises, overview
from storage.enterprises import NoSuchEnterprise, NoSuchMerge
from storage.imports import CodeTaken, RegisterChanged
from storage.overview import Wanted

pages = Pages()
pages.entry("desk_nav_enterprises", "/desk/enterprises", place=20)

MOST_FOUND = 50
_FIELDS = ("name", "tax_code", "kind", "commune", "commune_text", "address", "sector", "employees", "note")
_LONGEST = {"name": 300, "commune_text": 200, "address": 400, "sector": 300, "note": 2_000}
_MOST_EMPLOYEES = 1_000_000
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Labels:
    """The survey's words for codes of the register."""

    kinds: dict[str, str]
    communes: dict[str, str]
    bands: dict[str, str]

    def commune(self, one: Known) -> str:
        """Where an enterprise is, as far as is known."""
        return self.communes.get(one.commune or "", one.commune_text)


def labels(visit: Visit) -> Labels:
    """The words of the form whose lists the register shares."""
    form = visit.desk.app.content.forms[SURVEY_FORM]

    def of(question: str) -> dict[str, str]:
        return {one.name: one.label["vi"] for one in form.by_name[question].choices}

    return Labels(of("legal_form"), of("commune"), of("labour"))


# Finding


@pages.get("/desk/search")
def search(visit: Visit) -> Page | Response:
    """The enterprises that a few letters find; telephones stay hidden until somebody asks for one."""
    asked = visit.query.get("q", "")[:200]
    if not asked:
        return RedirectResponse("/desk/enterprises", 303)
    found = enterprises.find(visit.db, asked, MOST_FOUND, key=visit.desk.app.settings.key())
    return Page("found.html", found=found, labels=labels(visit), asked=asked, most=MOST_FOUND)


@pages.post("/desk/search/{ref}/contacts", role="officer", shows=search)
def show_in_search(visit: Visit) -> Job:
    """Show how one of those found is reached."""
    return _contacts_shown(visit)


@pages.get("/desk/enterprises")
def listing(visit: Visit) -> Page:
    """Every enterprise, by name or by what was changed last; the address says which and how."""
    sort = "-updated" if visit.query.get("sort") == "-updated" else "name"
    wanted = Wanted(
        visit.query.get("commune", ""), visit.query.get("kind", ""), sort == "-updated", _after(visit)
    )
    found = overview.listed(visit.db, wanted)
    read = enterprises.read(visit.db, [number for number, _ in found])
    after = f"{found[-1][1]}|{found[-1][0]}" if len(found) == overview.MOST else ""
    return Page(
        "enterprises.html",
        found=[read[number] for number, _ in found],
        labels=labels(visit),
        total=enterprises.total(visit.db),
        sort=sort,
        after=after,
    )


def _after(visit: Visit) -> tuple[str, int] | None:
    place, bar, number = visit.query.get("after", "").rpartition("|")
    if not bar:
        return None
    try:
        if visit.query.get("sort") == "-updated":
            datetime.fromisoformat(place)
        return place, int(number)
    except ValueError:
        raise NoSuch from None


# One enterprise


@pages.get("/desk/enterprises/{ref}")
def card(visit: Visit) -> Page | Response:
    """All that is known of an enterprise; one that was merged leads to what it is now."""
    one = _known(visit, visit.db)
    if one.ref != visit.path["ref"]:
        return RedirectResponse(f"/desk/enterprises/{one.ref}", 303)
    year = visit.at.astimezone(visit.desk.app.settings.zone).year
    forms = visit.desk.app.content.forms
    given = overview.given_by(visit.db, one.tax_code, list(forms), year) if one.tax_code else []
    titles = {form.id: form.file.settings.title["vi"] for form in forms.values()}
    merged = overview.merged_into(visit.db, one.id)
    return Page("enterprise.html", one=one, labels=labels(visit), given=given, titles=titles, merged=merged)


@pages.post("/desk/enterprises/{ref}/contacts", role="officer", shows=card)
def show_contacts(visit: Visit) -> Job:
    """Show how an enterprise is reached."""
    return _contacts_shown(visit)


def _contacts_shown(visit: Visit) -> Job:
    def do(connection: sa.Connection) -> Again:
        one = _known(visit, connection)
        return Again([Act("contacts_shown", "enterprise", one.ref)], {"contacts_of": one.ref})

    return do


def _known(visit: Visit, connection: sa.Connection) -> Known:
    found = enterprises.read_by_ref(connection, visit.path["ref"])
    if found is None:
        raise NoSuch
    return found


@pages.post("/desk/enterprises/{ref}/contacts/add", role="officer", shows=card)
def add_contact(visit: Visit) -> Job:
    """Know one more way to reach an enterprise."""
    kind, value = _contact(visit)
    key = visit.desk.app.settings.key()

    def do(connection: sa.Connection) -> Again:
        one = _known(visit, connection)
        is_new = enterprises.add_contact(connection, key, one.id, kind, value, visit.at)
        acts = [Act("contact_added", "enterprise", one.ref, {"kind": kind})] if is_new else []
        return Again([*acts, Act("contacts_shown", "enterprise", one.ref)], {"contacts_of": one.ref})

    return do


@pages.post("/desk/enterprises/{ref}/contacts/remove", role="officer", shows=card)
def remove_contact(visit: Visit) -> Job:
    """Erase a way to reach an enterprise that is wrong."""
    kind, value = visit.form.get("kind", ""), visit.form.get("value", "")
    key = visit.desk.app.settings.key()

    def do(connection: sa.Connection) -> Again:
        one = _known(visit, connection)
        if not enterprises.remove_contact(connection, key, one.id, kind, value):
            raise Fault("desk_fault_no_contact", status=409)
        acts = [Act("contact_removed", "enterprise", one.ref, {"kind": kind})]
        return Again([*acts, Act("contacts_shown", "enterprise", one.ref)], {"contacts_of": one.ref})

    return do


def _contact(visit: Visit) -> tuple[str, str]:
    """What was typed: a telephone, a mail address, or else the name of somebody."""
    typed = visit.form.get("contact", "")
    if not typed:
        raise Fault("desk_fault_contact", field="contact")
    if "@" in typed:
        read, kind = email(typed), "email"
    elif any(map(str.isdecimal, typed)):
        read, kind = phone(typed), "phone"
    else:
        read, kind = person_name(typed), "person"
    if isinstance(read, Refusal):
        raise refused(read, "contact")
    return kind, read


# Correcting


@pages.get("/desk/enterprises/{ref}/edit", role="officer")
def edit(visit: Visit) -> Page:
    """The register's fields, to be corrected."""
    words = labels(visit)
    one = _known(visit, visit.db)
    kinds, communes = _pairs(words.kinds), _pairs(words.communes)
    return Page("enterprise_edit.html", one=one, labels=words, kinds=kinds, communes=communes)


@pages.post("/desk/enterprises/{ref}/edit", role="officer", shows=edit)
def change(visit: Visit) -> Job:
    """Correct an enterprise, unless somebody else did since it was looked at."""
    fields, seen = _fields(visit), _seen(visit)

    def do(connection: sa.Connection) -> Went:
        one = _known(visit, connection)
        try:
            changed = visit.desk.lists.change(connection, one.id, seen, fields, visit.at)
        except RegisterChanged:
            raise Fault("desk_fault_changed", status=409) from None
        except CodeTaken:
            raise Fault("desk_fault_code_taken", field="tax_code", status=409) from None
        except NoSuchEnterprise:
            raise NoSuch from None
        acts = [Act("enterprise_changed", "enterprise", one.ref, {"fields": changed})] if changed else []
        return Went(f"/desk/enterprises/{one.ref}?done=saved", acts)

    return do


def _seen(visit: Visit) -> datetime:
    try:
        seen = datetime.fromisoformat(visit.form.get("seen", ""))
    except ValueError:
        raise Fault("desk_fault_changed", status=409) from None
    if seen.tzinfo is None:
        raise Fault("desk_fault_changed", status=409)
    return seen


def _fields(visit: Visit) -> dict[str, Any]:
    """What was typed, as the register has it; raises Fault at the first field that cannot be so."""
    typed = {name: " ".join(visit.form.get(name, "").split()) for name in _FIELDS}
    typed["note"] = visit.form.get("note", "")
    if not typed["name"]:
        raise Fault("desk_fault_no_name", field="name")
    for name, most in _LONGEST.items():
        if len(typed[name]) > most:
            raise Fault("desk_fault_too_long", field=name, most=most)
    words = labels(visit)
    for name, known in (("kind", words.kinds), ("commune", words.communes)):
        if typed[name] and typed[name] not in known:
            raise Fault("desk_fault_choice", field=name)
    return {
        **typed,
        "tax_code": _tax_code(typed["tax_code"]),
        "kind": typed["kind"] or None,
        "commune": typed["commune"] or None,
        "commune_text": "" if typed["commune"] else typed["commune_text"],
        "employees": _employees(typed["employees"]),
    }


def _tax_code(typed: str) -> str | None:
    if not typed:
        return None
    code = tax_code(typed)
    if isinstance(code, Refusal):
        raise refused(code, "tax_code")
    return code


def _employees(typed: str) -> int | None:
    digits = typed.replace(".", "").replace(" ", "")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdecimal()) or int(digits[:9]) > _MOST_EMPLOYEES:
        raise Fault("desk_fault_employees", field="employees")
    return int(digits)


def _pairs(words: dict[str, str]) -> Pairs:
    return list(words.items())


# Merging and parting


@pages.get("/desk/enterprises/{ref}/merge", role="officer")
def merging(visit: Visit) -> Page:
    """Another entry of the same enterprise, looked for; the two side by side."""
    one = _known(visit, visit.db)
    asked = visit.query.get("find", "")[:200] or one.name
    found = enterprises.find(visit.db, asked, 10, key=visit.desk.app.settings.key())
    others = [other for other in found if other.id != one.id]
    return Page("enterprise_merge.html", one=one, others=others, labels=labels(visit), asked=asked)


@pages.post("/desk/enterprises/{ref}/merge", role="officer", shows=merging)
def merge(visit: Visit) -> Job:
    """Make the other one part of this one; undone from the card."""
    other = visit.form.get("other", "")

    def do(connection: sa.Connection) -> Went:
        one, gone = _known(visit, connection), enterprises.read_by_ref(connection, other)
        if gone is None or gone.ref != other:
            raise Fault("desk_fault_merge", status=409)
        try:
            enterprises.merge(connection, one.id, gone.id, who=visit.staff.name, at=visit.at)
        except NoSuchEnterprise:
            raise Fault("desk_fault_merge", status=409) from None
        act = Act("enterprises_merged", "enterprise", one.ref, {"merged": gone.ref})
        return Went(f"/desk/enterprises/{one.ref}?done=merged", [act])

    return do


@pages.post("/desk/enterprises/{ref}/part/{merge_id:int}", role="officer", shows=card)
def part(visit: Visit) -> Job:
    """Part two that were merged; what was written since stays."""
    number = int(visit.path["merge_id"])

    def do(connection: sa.Connection) -> Went:
        one = _known(visit, connection)
        if number not in [merged.merge_id for merged in overview.merged_into(connection, one.id)]:
            raise Fault("desk_fault_part", status=409)
        try:
            enterprises.part(connection, number, at=visit.at)
        except NoSuchMerge:
            raise Fault("desk_fault_part", status=409) from None
        return Went(
            f"/desk/enterprises/{one.ref}?done=parted", [Act("enterprises_parted", "enterprise", one.ref)]
        )

    return do
