"""Decides what a list means for the register: what is new, what changes, what is the same, what goes back."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from handlers.register.found import Candidate, Fault
from handlers.register.twins import Named, Names, are_alike, where
from handlers.register.words import Lexis, plain

FIELDS = ("name", "tax_code", "kind", "address", "commune", "commune_text", "sector", "employees", "note")
CONTACTS = ("phones", "emails", "person")


@dataclass(frozen=True, slots=True)
class Known:
    """An enterprise of the register; a list can change what `FIELDS` and `CONTACTS` name."""

    id: int
    name: str
    tax_code: str | None = None
    kind: str | None = None
    address: str = ""
    commune: str | None = None
    commune_text: str = ""
    sector: str = ""
    employees: int | None = None
    note: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    ref: str = ""
    size_band: str | None = None
    more: Mapping[str, str] = field(default_factory=dict, hash=False)
    source: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A field that a list has otherwise than the register."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Update:
    """An enterprise of the register that a row changes; contacts are only ever added."""

    candidate: Candidate
    known: Known
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Twin:
    """Two that may be one, to be shown side by side; `likeness` is out of 100."""

    candidate: Candidate
    other: Candidate | Known
    by: Literal["tax_code", "name"]
    likeness: float


@dataclass(frozen=True, slots=True)
class Held:
    """A row that is not taken, and why."""

    candidate: Candidate
    faults: tuple[Fault, ...]


@dataclass
class Plan:
    """What taking the right rows of a list will do."""

    new: list[Candidate] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    same: list[Update] = field(default_factory=list)  # nothing changes
    held: list[Held] = field(default_factory=list)
    twins: list[Twin] = field(default_factory=list)

    @property
    def right(self) -> int:
        """How many rows are taken."""
        return len(self.new) + len(self.updates) + len(self.same)

    def counts(self) -> dict[str, int]:
        """The numbers that are kept of an import."""
        return {
            "new": len(self.new),
            "updated": len(self.updates),
            "same": len(self.same),
            "held": len(self.held),
        }


Details = Callable[[Sequence[int]], Mapping[int, Known]]


class Planner:
    """Compares a list with the register.

    `names` are all enterprises of the register; `details` gives those by id that a row may be.
    """

    def __init__(self, lexis: Lexis, names: Iterable[Named], details: Details) -> None:
        self._lexis = lexis
        self._details = details
        every = list(names)
        self._ids = {one.tax_code: one.key for one in every if one.tax_code}
        self._register = Names(lexis, every)

    def plan(self, candidates: Sequence[Candidate], decided: Mapping[int, str] | None = None) -> Plan:
        """What each row means; `decided`: new or same by row, where an officer said so of a likely twin."""
        rows = [replace(one, confirm=(decided or {}).get(one.row, one.confirm)) for one in candidates]
        plan = Plan()
        right = self._without_faulty(rows, plan)
        right = self._without_repeated(right, plan)
        right = self._without_likely(right, plan)
        self._against_register(right, plan)
        plan.held.sort(key=lambda one: one.candidate.row)
        return plan

    def _without_faulty(self, rows: Iterable[Candidate], plan: Plan) -> list[Candidate]:
        right = []
        for one in rows:
            if one.faults:
                plan.held.append(Held(one, one.faults))
            else:
                right.append(one)
        return right

    def _without_repeated(self, rows: Sequence[Candidate], plan: Plan) -> list[Candidate]:
        """Of rows with one tax code the first stays, if they are one enterprise; none where they are not."""
        groups: dict[str, list[Candidate]] = defaultdict(list)
        for one in rows:
            groups[one.tax_code or f"row {one.row}"].append(one)
        right = []
        for first, *others in groups.values():
            unlike = [one for one in others if not self._are_alike(first, one)]
            if unlike:
                for one in (first, *others):
                    number = str(unlike[0].row if one is first else first.row)
                    reason = Fault("tax_code", one.tax_code or "", "tax_code_two_names", (("row", number),))
                    plan.held.append(Held(one, (reason,)))
            else:
                right.append(first)
                plan.held += [Held(one, (_repeated(first, one),)) for one in others]
            plan.twins += [Twin(one, first, "tax_code", 100) for one in others]
        return right

    def _are_alike(self, one: Candidate, other: Candidate | Known) -> bool:
        return are_alike(self._lexis.core(one.name), self._lexis.core(other.name))

    def _without_likely(self, rows: Sequence[Candidate], plan: Plan) -> list[Candidate]:
        """Without rows that look like one before them in the list."""
        names = Names(self._lexis)
        right = []
        by_row = {one.row: one for one in rows}
        for one in rows:
            named = _named(one)
            like = names.like(named) if one.confirm != "new" else []
            if like:
                [(likeness, first), *_] = like
                other = by_row[first.key]
                plan.twins.append(Twin(one, other, "name", likeness))
                reason = "twin_repeated" if _same_values(one, other) else "twin_in_list"
                values = (("row", str(other.row)), ("name", other.name))
                plan.held.append(Held(one, (Fault("name", one.name, reason, values),)))
            else:
                right.append(one)
            names.add(named)
        return right

    def _against_register(self, rows: Sequence[Candidate], plan: Plan) -> None:
        """New, changed or the same; a row that looks like an enterprise of the register goes back unless decided."""
        like = {one.row: self._likely(one) for one in rows if one.tax_code not in self._ids}
        wanted = {self._ids[one.tax_code] for one in rows if one.tax_code in self._ids}
        wanted |= {found.key for pairs in like.values() for _, found in pairs}
        known = self._details(sorted(wanted))
        taken: set[int] = set()
        for one in rows:
            if one.tax_code in self._ids:
                self._by_tax_code(one, known[self._ids[one.tax_code]], plan)
                taken.add(self._ids[one.tax_code])
        for one in rows:
            if one.tax_code in self._ids:
                continue
            others = [(likeness, known[found.key]) for likeness, found in like[one.row]]
            self._by_name(one, others, plan, taken)

    def _likely(self, one: Candidate) -> list[tuple[float, Named]]:
        return self._register.like(_named(one)) if one.confirm != "new" else []

    def _by_name(
        self, one: Candidate, others: list[tuple[float, Known]], plan: Plan, taken: set[int]
    ) -> None:
        if not others:
            plan.new.append(one)
            return
        likeness, other = others[0]
        changes = changes_of(one, other)
        if other.id not in taken and (not changes or (one.confirm == "same" and len(others) == 1)):
            self._compared(one, other, plan)
            taken.add(other.id)
            return
        plan.twins.append(Twin(one, other, "name", likeness))
        values = (("name", other.name), ("tax_code", other.tax_code or "–"))
        plan.held.append(Held(one, (Fault("name", one.name, "twin_in_register", values),)))

    def _compared(self, one: Candidate, other: Known, plan: Plan) -> None:
        changes = changes_of(one, other)
        (plan.updates if changes else plan.same).append(Update(one, other, changes))

    def _by_tax_code(self, one: Candidate, other: Known, plan: Plan) -> None:
        """One with a tax code of the register; under quite another name somebody may have mistyped it."""
        if one.confirm == "same" or self._are_alike(one, other):
            self._compared(one, other, plan)
            return
        plan.twins.append(Twin(one, other, "tax_code", 100))
        reason = Fault("tax_code", one.tax_code or "", "tax_code_other_name", (("name", other.name),))
        plan.held.append(Held(one, (reason,)))


def changes_of(one: Candidate, other: Known) -> tuple[Change, ...]:
    """What a row would change; an empty cell changes nothing."""
    found = []
    for name in FIELDS:
        after, before = getattr(one, name), getattr(other, name)
        if name == "commune_text" and (one.commune or other.commune):
            continue
        if after not in (None, "") and after != before:
            found.append(Change(name, "" if before is None else str(before), str(after)))
    found += [
        Change(heading, other.more.get(heading, ""), text)
        for heading, text in one.more.items()
        if other.more.get(heading) != text
    ]
    found += [Change("phone", ", ".join(other.phones), new) for new in one.phones if new not in other.phones]
    found += [Change("email", ", ".join(other.emails), new) for new in one.emails if new not in other.emails]
    if one.person and one.person not in other.persons:
        found.append(Change("person", ", ".join(other.persons), one.person))
    return tuple(found)


def _named(one: Candidate) -> Named:
    return Named(one.row, one.name, one.tax_code, where(one.commune, one.commune_text))


def _same_values(one: Candidate, other: Candidate) -> bool:
    """Whether two rows say the same, spelling of the name aside."""
    names = (*FIELDS[1:], *CONTACTS)
    return plain(one.name) == plain(other.name) and all(
        getattr(one, name) == getattr(other, name) for name in names
    )


def _repeated(first: Candidate, one: Candidate) -> Fault:
    reason = "tax_code_repeated" if _same_values(first, one) else "tax_code_again"
    return Fault("tax_code", one.tax_code or "", reason, (("row", str(first.row)),))
