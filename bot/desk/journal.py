"""The audit: who did what, filtered by the address."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.desk.frame import Page, Pages, Visit
from storage import audit, enterprises, staff
from storage.audit import COMMAND, Asked, Entry

pages = Pages()
pages.setting("desk_audit_title", "/desk/audit", "desk_audit_about", place=20, role="admin")

MOST = 50
_PAGES = {"staff": "/desk/staff/", "enterprise": "/desk/enterprises/"}


@pages.get("/desk/audit", role="admin")
def journal(visit: Visit) -> Page:
    """The newest lines that the address asks for."""
    asked = visit.query
    wanted = Asked(
        asked.get("who", ""),
        asked.get("act", ""),
        asked.get("kind", ""),
        asked.get("ref", ""),
        _moment(visit, "since"),
        _moment(visit, "until", days=1),
    )
    typed = asked.get("before", "")
    before = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 19 else None
    found = audit.read(visit.db, wanted, before, MOST)
    who = {one.member.ref: one.member.name for one in staff.every(visit.db)}
    names = {("staff", ref): name for ref, name in who.items()} | _enterprises(visit, found)
    return Page(
        "audit.html",
        lines=[_line(visit, one, names) for one in found],
        who=list(who.items()),
        command=COMMAND,
        acts=[(act, told(visit, act)) for act in audit.acts(visit.db)],
        before=str(found[-1].id) if len(found) == MOST else "",
    )


def told(visit: Visit, act: str) -> str:
    """An act in words; one that has none yet as it is written down."""
    key = f"desk_act_{act}"
    return visit.say(key) if key in visit.desk.app.content.say.keys() else act  # noqa: SIM118  a catalogue is no dict


def _enterprises(visit: Visit, found: Sequence[Entry]) -> dict[tuple[str, str], str]:
    """The names of the enterprises that lines are about."""
    refs = {one.ref for one in found if one.kind == "enterprise"}
    known = {ref: enterprises.read_by_ref(visit.db, ref) for ref in refs}
    return {("enterprise", ref): one.name for ref, one in known.items() if one}


def _line(visit: Visit, one: Entry, names: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    page = _PAGES.get(one.kind)
    return {
        "at": one.at,
        "who": one.name or visit.say("desk_audit_command"),
        "act": told(visit, one.act),
        "href": f"{page}{one.ref}" if page and one.ref else "",
        "what": names.get((one.kind, one.ref)) or one.ref or one.kind,
        "details": "; ".join(f"{name}: {_shown(value)}" for name, value in one.details.items()),
    }


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {number}" for name, number in value.items())
    return str(value)


def _moment(visit: Visit, name: str, days: int = 0) -> datetime | None:
    """The beginning of a day that was asked for; what is no day asks for nothing."""
    try:
        day = date.fromisoformat(visit.query.get(name, ""))
        return datetime.combine(day + timedelta(days=days), time.min, visit.desk.app.settings.zone)
    except (ValueError, OverflowError):
        return None
