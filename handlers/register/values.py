"""Reads single values of a list: tax codes, telephones, mail addresses, numbers of employees."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from handlers.register.cells import is_number, one_line, text_of
from handlers.register.found import Cell, Fault, Note, Remark, Repair
from handlers.register.words import Lexis
from handlers.values import Refusal, email, phone, tax_code

_SCIENTIFIC = re.compile(r"([0-9])(?:[.,]([0-9]+))?\s*[eE]\s*\+?\s*([0-9]{1,2})")
_POINT_ZERO = re.compile(r"([0-9]+)[.,]0+")
_DIGIT = re.compile("[0-9]")
_PERSONAL = (11, 12)  # digits of a personal number, and of one that lost its zero


@dataclass
class Read:
    """What was read in a cell or several, and what there is to say of it."""

    values: list[str] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    @property
    def value(self) -> str:
        """The first value, or nothing."""
        return self.values[0] if self.values else ""

    def add(self, other: Self) -> None:
        """Take what another cell said, each value once."""
        self.values.extend(value for value in other.values if value not in self.values)
        self.remarks.extend(other.remarks)


# Tax codes


def read_tax_code(cell: Cell, lexis: Lexis) -> Read:
    """A tax code as it ought to be; a personal number is neither kept nor repeated."""
    written = one_line(text_of(cell)).lstrip("'’`")
    if lexis.says_nothing(written):
        return Read()
    typed, why = _digits_of(written)
    if typed is None:
        return Read(remarks=[Fault("tax_code", written, "tax_code_scientific", (("input", written),))])
    found = tax_code(typed)
    if isinstance(found, str):
        return _repaired("tax_code", written, found, why or "tax_code_form")
    return _mended_tax_code(written, typed, found, why)


def _digits_of(written: str) -> tuple[str | None, str]:
    """What was typed before a spreadsheet took it for a number, and which repair that is; None: it is gone."""
    if point := _POINT_ZERO.fullmatch(written):
        return point[1], "tax_code_number"
    if scientific := _SCIENTIFIC.fullmatch(written):
        whole = scientific[1] + (scientific[2] or "")
        kept = len(whole) == int(scientific[3]) + 1 and len(whole) in (9, 10, 12, 13)
        return (whole, "tax_code_scientific") if kept else (None, "")
    return written, ""


def _mended_tax_code(written: str, typed: str, refusal: Refusal, why: str) -> Read:
    digits = "".join(_DIGIT.findall(typed))
    if refusal.suggestion and refusal.key != "tax_code_checksum":
        return _repaired("tax_code", written, refusal.suggestion, why or refusal.key)
    # Personal numbers begin with 0, so that twelve digits which do not are a branch's code without its zero.
    if len(digits) == 12 and digits[0] != "0":
        with_zero = tax_code(f"0{digits}")
        if isinstance(with_zero, str):
            return _repaired("tax_code", written, with_zero, "tax_code_lost_zero")
    if len(digits) in _PERSONAL:
        return Read(remarks=[Fault("tax_code", "", "tax_code_personal")])
    reason = "tax_code_letters" if refusal.key == "tax_code_lost_zero" else refusal.key
    values = (("input", written), ("n", str(len(digits))))
    return Read(remarks=[Fault("tax_code", written, reason, values)])


def _repaired(named: str, written: str, value: str, why: str) -> Read:
    remarks: list[Remark] = [] if written == value else [Repair(named, written, value, why)]
    return Read([value], remarks)


# Telephones and mail addresses

_BETWEEN = re.compile(
    r"\s*(?:[/;,\n|&]|\s-\s|\b(?:hoac|va|or|and)\b|\bho\u1eb7c\b|\bv\u00e0\b)\s*", re.IGNORECASE
)
_WORDS = re.compile(r"[^\W\d_]+\.?:?")
_BRACKETS = re.compile(r"\(([^()]*[^\W\d_][^()]*)\)")
_ONE_NUMBER = re.compile(r"(?<![0-9])(?:\+?84|0)?[\s.\-]?[0-9](?:[\s.\-()]{0,2}[0-9]){6,10}(?![0-9])")
_LEAST_DIGITS = 7  # of a telephone: fewer belong to the one before
_LOCAL = (6, 7)  # digits of a telephone without its area


_phone = lru_cache(maxsize=4)(phone)  # one cell asks twice for the same


def read_phones(cell: Cell, lexis: Lexis) -> Read:
    """Every telephone of a cell in E.164."""
    written = text_of(cell).lstrip("'’`")
    if lexis.says_nothing(written):
        return Read()
    if point := _POINT_ZERO.fullmatch(written):
        written = point[1]
    if "@" in written:
        return _moved_mail(written, lexis)
    if _SCIENTIFIC.fullmatch(written):
        return Read(remarks=[Fault("phone", written, "phone_scientific", (("input", written),))])
    parts = _parts(written)
    found = _each(written, _with_area(parts), _one_phone, "phone_two")
    rest = len(_DIGIT.findall(_BRACKETS.sub(" ", written))) - sum(len(_DIGIT.findall(part)) for part in parts)
    if rest and found.values:
        shown = one_line(written)
        found.remarks.append(Note("phone", shown, "phone_rest", (("input", shown), ("after", found.value))))
    return found


def _with_area(parts: list[str]) -> list[str]:
    """The telephones, those without their area with that of the landline before them."""
    area, whole = "", []
    for part in parts:
        digits = "".join(_DIGIT.findall(part))
        if len(digits) == 7 and area:
            whole.append(area + digits)
            continue
        area = digits[:4] if digits.startswith("02") and len(digits) == 11 else ""
        whole.append(part)
    return whole


def _parts(written: str) -> list[str]:
    """The telephones of a cell, one by one."""
    bare = _BRACKETS.sub(" ", written)
    if not isinstance(_phone(bare), Refusal):
        return [bare]
    parts = [part for part in _BETWEEN.split(bare) if len(_DIGIT.findall(part)) >= _LEAST_DIGITS]
    if len(parts) == 1:
        found = _ONE_NUMBER.findall(_WORDS.sub(" ", parts[0]))
        return found if len(found) > 1 else parts
    return parts or [written]


def _one_phone(part: str) -> Read:
    typed = one_line(_WORDS.sub(" ", part).strip(" .:-"))
    found = _phone(typed)
    if isinstance(found, str):
        return Read([found])
    if found.suggestion:
        return Read([found.suggestion], [Repair("phone", one_line(part), found.suggestion, _why(found))])
    digits = len(_DIGIT.findall(typed))
    reason = "phone_area" if digits in _LOCAL else "phone"
    return Read(remarks=[Fault("phone", one_line(part), reason, (("input", one_line(part)),))])


def _why(found: Refusal) -> str:
    return {"value_phone_lost_zero": "phone_lost_zero", "value_phone_old": "phone_old"}.get(
        found.key, "phone_form"
    )


def _moved_mail(written: str, lexis: Lexis) -> Read:
    """A cell of telephones with a mail address in it."""
    found = _MAIL.findall(written)
    mails = read_emails("; ".join(found) or written, lexis)
    beside = _MAIL.sub(" ", written)
    phones = read_phones(beside, lexis) if len(_DIGIT.findall(beside)) >= _LEAST_DIGITS else Read()
    phones.add(mails)
    return phones


_MAIL = re.compile(r"[^\s;,/]+@[^\s;,/]+")
_BETWEEN_MAILS = re.compile(r"[;,\n|]|\s*/\s*(?=\S+@)|\s+(?=\S+@)")
_BETWEEN_OTHERS = re.compile(r"[;,\n|]|\s+/\s+")
_ASIDE = re.compile(r"\([^()@]*\)")


def read_emails(cell: Cell, lexis: Lexis) -> Read:
    """Every mail address of a cell; a telephone in it is no fault of the address."""
    written = text_of(cell)
    if lexis.says_nothing(written):
        return Read()
    if "@" not in written and len(_DIGIT.findall(written)) >= _LEAST_DIGITS:
        return read_phones(cell, lexis)
    bare = _ASIDE.sub(" ", written)
    between = _BETWEEN_MAILS if bare.count("@") > 1 else _BETWEEN_OTHERS
    parts = [part for part in between.split(bare) if "@" in part]
    return _each(written, parts or [written], _one_email, "email_two")


def _one_email(part: str) -> Read:
    typed = one_line(part)
    found = email(typed)
    if isinstance(found, str):
        return Read([found])
    if found.suggestion:
        return Read([found.suggestion], [Repair("email", typed, found.suggestion, "email_form")])
    return Read(remarks=[Fault("email", typed, "email", (("input", typed),))])


def _each(written: str, parts: Iterable[str], read: Callable[[str], Read], several: str) -> Read:
    """Each part of a cell, and the repair that there are several."""
    found = Read()
    for part in parts:
        found.add(read(part))
    if len(found.values) > 1:
        named = several.partition("_")[0]
        after = ", ".join(found.values)
        found.remarks.append(Repair(named, one_line(written), after, several))
    return found


# Numbers of employees

_COUNT = re.compile(r"(?<![0-9.,])([0-9]{1,3}(?:[.,\s][0-9]{3})+|[0-9]{1,6})(?![0-9])")


def read_employees(cell: Cell, lexis: Lexis) -> tuple[int | None, list[Remark]]:
    """The number of employees, where one number says it."""
    written = one_line(text_of(cell))
    if lexis.says_nothing(written) and written != "0":
        return None, []
    numbers = _COUNT.findall(written)
    if len(numbers) == 1:
        number = int(re.sub(r"\D", "", numbers[0]))
        if is_number(cell) or written == numbers[0] or not re.search(r"[<>≤≥+-]", written):
            return number, []
    return None, [Note("employees", written, "employees", (("input", written),))]
