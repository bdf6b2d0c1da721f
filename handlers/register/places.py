"""Finds where an enterprise is now: its commune by today's name, or what may be chosen for an older one.

A name that was also a district's or the province's is a commune's only where «xã», «phường» or «thị trấn» stands
before it: «Bình Định» alone is the old province.
"""

import re
from dataclasses import dataclass, field

from handlers.register.cells import one_line
from handlers.register.found import Note, Remark, Repair
from handlers.register.words import Lexis, plain

_BETWEEN = re.compile(r"\s*[,;\n]\s*|\s+-\s+")


@dataclass
class Place:
    """Where it is: a commune's code, or the text and what may be chosen."""

    commune: str | None = None
    text: str = ""
    offers: tuple[str, ...] = ()
    remarks: list[Remark] = field(default_factory=list)


class Places:
    """Knows the communes of the survey and the districts that were."""

    def __init__(self, lexis: Lexis) -> None:
        words = lexis.words
        self._lexis = lexis
        self._communes = {self._bare(plain(label)): code for code, label in lexis.communes.items()}
        self._kinds = {code: plain(label).partition(" ")[0] for code, label in lexis.communes.items()}
        self._districts = {plain(one): district for district in words.districts for one in district.also}
        self._districts |= {plain(district.name): district for district in words.districts}
        self._unknown = frozenset(plain(one) for one in words.districts_unknown)
        self._provinces = frozenset(plain(one) for one in words.provinces)

    def find(self, commune: str, district: str, address: str) -> Place:
        """Where an enterprise is, by its columns of places and its address."""
        told = [part for part in (*_BETWEEN.split(one_line(commune)), one_line(district)) if part]
        said = [part for part in _BETWEEN.split(one_line(address)) if part]
        text = ", ".join(told)
        old = next(filter(None, map(self._district, reversed([*said, *told]))), None)
        for part in told:
            if code := self._commune(part, alone=True):
                return self._found(code, text, old, part)
        for part in reversed(said):
            if code := self._commune(part, alone=False):
                return self._found(code, text or part, old, part, by_address=True)
        return self._not_found(text, old, said)

    def _found(self, code: str, text: str, old: str | None, part: str, *, by_address: bool = False) -> Place:
        label = self._lexis.communes[code]
        kind = self._kinds[code]
        if old or (self._kind_of(part) or kind) != kind:
            why = "commune_same_name" if old else "commune_other_kind"
            return Place(code, "", (), [Repair("commune", text, label, why)])
        if by_address:
            return Place(code, "", (), [Repair("commune", part, label, "commune_from_address")])
        if plain(text) != plain(label):
            return Place(code, "", (), [Repair("commune", text, label, "commune_name")])
        return Place(code)

    def _not_found(self, text: str, old: str | None, said: list[str]) -> Place:
        district = self._districts.get(plain(old)) if old else None
        shown = text or ", ".join(part for part in said if self._kind_of(part)) or (old or "")
        if district:
            offers = ", ".join(self._lexis.communes[code] for code in district.now)
            values = (("district", district.name), ("offers", offers))
            return Place(None, shown, district.now, [Note("commune", shown, "commune_choose", values)])
        if not shown:
            return Place()
        return Place(None, shown, (), [Note("commune", shown, "commune_unconfirmed", (("input", shown),))])

    def _commune(self, part: str, *, alone: bool) -> str | None:
        """The commune a text names; a name by itself counts only `alone`, in a column of its own."""
        folded = plain(part)
        bare = self._bare(folded)
        code = self._communes.get(bare)
        if code is None:
            return None
        if self._kind_of(part):
            return code
        is_other = bare in self._districts or bare in self._provinces
        return code if alone and not is_other and bare == folded else None

    def _district(self, part: str) -> str | None:
        """The district a text names: with its kind before it, or by itself where it was only a district's name."""
        folded = plain(part)
        if self._kind_of(part):
            return None
        bare = _without(folded, tuple(map(plain, self._lexis.words.place_words.district)))
        if bare in self._unknown:
            return one_line(part)
        district = self._districts.get(folded) or self._districts.get(bare)
        return district.name if district else None

    def _kind_of(self, part: str) -> str:
        """The kind of commune a text begins with: xa, phuong, thi tran; «» where it begins otherwise."""
        folded = plain(part)
        first, _, rest = folded.partition(" ")
        if folded.startswith("thi tran "):
            return "thi tran"
        spelt = {"p": "phuong", "x": "xa", "tt": "thi tran"}.get(first, first)
        return spelt if rest and spelt in ("phuong", "xa", "thi tran") else ""

    def _bare(self, folded: str) -> str:
        return _without(folded, tuple(map(plain, self._lexis.words.place_words.commune)))


def _without(folded: str, kinds: tuple[str, ...]) -> str:
    """A name without its kind before it."""
    for kind in sorted(kinds, key=len, reverse=True):
        if folded.startswith(f"{kind} "):
            return folded[len(kind) + 1 :]
    return folded
