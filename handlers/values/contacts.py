"""Reads telephones, mail addresses and names of persons."""

import re
import unicodedata

from handlers.fold import fold
from handlers.values.refusal import Refusal
from handlers.values.words import DASHES, clean, is_longer

_LONGEST = 300  # characters; a longer text says something else
_PHONE_LABEL = re.compile(r"^(?:s?dt|tel|phone|mobile|zalo|hotline)\b[\s:.]*")
_PHONE_SIGNS = re.compile(r"[0-9\s.\-()+/,;]+")
_LISTED = re.compile(r"[/,;]")
_ONE_OF_MANY = re.compile(r"(?<![0-9])(?:\+?84|0)[\s.\-]?[0-9](?:[\s.\-]?[0-9]){7,9}(?![0-9])")
_OLD = re.compile(r"(?:84|0)(1[2689][0-9])([0-9]{7})")
_MOST_PHONE_DIGITS = 15  # E.164
# Eleven-digit mobile numbers became ten on 15 September 2018, prefix by prefix.
_NEW_PREFIXES = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
    "186": "56", "188": "58", "199": "59",
}  # fmt: skip

_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")
_AROUND_ADDRESS = "<>()[]«»\"',;.: "
_MAILTO = re.compile(r"^(?:mailto|e-?mail)\s*:\s*", re.IGNORECASE)

_NAME_SIGNS = frozenset(" .'’-")
_SHORTEST_NAME, _LONGEST_NAME = 2, 80
_PHONE_DIGITS = 9  # as many digits are a telephone, no slip


def phone(text: str) -> str | Refusal:
    """A telephone number in E.164, Vietnamese unless it says another country, or why the text is none."""
    if is_longer(text, _LONGEST):
        return Refusal("value_phone_letters")
    typed = _PHONE_LABEL.sub("", fold(clean(unicodedata.normalize("NFKC", text))).translate(DASHES))
    if _are_two(typed):
        return Refusal("value_phone_two")
    if not _PHONE_SIGNS.fullmatch(typed) or not _digits(typed):
        return Refusal("value_phone_letters", suggestion=_only_one(typed))
    digits = _digits(typed)
    if old := _OLD.fullmatch(digits):
        return Refusal("value_phone_old", suggestion=_renumbered(old[1], old[2]))
    return _e164(_international(typed, digits)) or _wrong_phone(typed, digits)


def email(text: str) -> str | Refusal:
    """A mail address with its domain in lower case, or why the text is none; nothing is looked up."""
    typed = _MAILTO.sub("", clean(text)).strip(_AROUND_ADDRESS)
    ats = typed.count("@")
    if ats == 0:
        return Refusal("value_email_at")
    if ats > 1:
        return Refusal("value_email_two")
    if " " in typed:
        return Refusal("value_email_spaces", suggestion=_address(typed.replace(" ", "")))
    local, _, domain = typed.partition("@")
    if "." not in domain:
        return Refusal("value_email_domain")
    if not local.isascii():
        return Refusal("value_email_marks", suggestion=_address(f"{fold(local)}@{domain}"))
    return _address(typed) or Refusal("value_email")


def phone_or_email(text: str) -> str | Refusal:
    """A telephone number in E.164 or a mail address, or why the text is neither."""
    typed = clean(text)
    if "@" in typed:
        beside = _ADDRESS.sub("", typed)
        return Refusal("value_contact_one") if len(_digits(beside)) >= _PHONE_DIGITS else email(typed)
    return phone(typed) if _digits(typed) else Refusal("value_contact")


def person_name(text: str) -> str | Refusal:
    """A person's name as it was typed, each run of white space one space, or why the text is none."""
    name = clean(text)
    digits = len(_digits(name))
    if "@" in name:
        return Refusal("value_name_email")
    if digits:
        return Refusal("value_name_phone" if digits >= _PHONE_DIGITS else "value_name_digits")
    if len(name) > _LONGEST_NAME:
        return Refusal("value_name_long", (("most", str(_LONGEST_NAME)),))
    if any(not _belongs_to_name(sign) for sign in name):
        return Refusal("value_name_letters")
    return name if sum(map(str.isalpha, name)) >= _SHORTEST_NAME else Refusal("value_name_short")


def _digits(typed: str) -> str:
    return "".join(re.findall("[0-9]", typed))


def _are_two(typed: str) -> bool:
    if len(_ONE_OF_MANY.findall(typed)) > 1:
        return True
    listed = [_digits(part) for part in _LISTED.split(typed)]
    return len(listed) > 1 and len(listed[0]) >= _PHONE_DIGITS and any(listed[1:])


def _only_one(typed: str) -> str | None:
    """The one number that stands among other words."""
    found = _ONE_OF_MANY.search(typed)
    return _e164(_international(found.group(), _digits(found.group()))) if found else None


def _international(typed: str, digits: str) -> str:
    """The number as it is dialled: with + and the country, or with its zero."""
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    says_country = typed.startswith("+") or (digits.startswith("84") and len(digits) in (11, 12))
    return f"+{digits}" if says_country else digits


def _e164(number: str) -> str | None:
    """The number in E.164 if it is in somebody's numbering plan."""
    import phonenumbers  # 50 ms, which a start does not wait for

    if len(number) > _MOST_PHONE_DIGITS + 1 or not number.startswith(("+", "0", "1")):
        return None
    try:
        found = phonenumbers.parse(number, "VN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(found):
        return None
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


def _wrong_phone(typed: str, digits: str) -> Refusal:
    completed = _e164(f"0{digits}")
    if completed and len(digits) == 9:
        return Refusal("value_phone_lost_zero", (("input", digits),), completed)
    has_its_length = len(digits) == (11 if digits.startswith("02") else 10)
    if has_its_length or typed.startswith("+"):
        return Refusal("value_phone_unknown")
    return Refusal("value_phone_length", (("n", str(len(digits))),))


def _renumbered(old_prefix: str, rest: str) -> str | None:
    new = _NEW_PREFIXES.get(old_prefix)
    return new and _e164(f"0{new}{rest}")


def _address(typed: str) -> str | None:
    """The address with its domain in lower case, if it is one."""
    from email_validator import EmailNotValidError, validate_email  # 70 ms, which a start does not wait for

    try:
        found = validate_email(typed, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return None
    return found.normalized


def _belongs_to_name(sign: str) -> bool:
    return sign.isalpha() or sign in _NAME_SIGNS or unicodedata.category(sign).startswith("M")
