"""Reads tax codes (mã số thuế): ten digits of an enterprise, thirteen of a branch.

Source of the check digit and of the branch's form: python-stdnum, `stdnum.vn.mst`.
"""

import re
import unicodedata

from handlers.values.refusal import Refusal
from handlers.values.words import DASHES, clean, is_longer

_LONGEST = 300  # characters; a longer text says something else
_LABEL = re.compile(r"^mst\b[\s:.]*", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s.\-_/,;:()«»\"']+")
_BRANCH_WITHOUT_ZERO = re.compile(r"([1-9][0-9]{8})[^0-9]+([0-9]{3})")
_LOOK_ALIKE = str.maketrans("OoQDIl|", "0000111")


def tax_code(text: str) -> str | Refusal:
    """The code as «0100109106» or «0100109106-001», or why the text is none.

    Twelve digits are a personal number: it is neither kept nor repeated.
    """
    if is_longer(text, _LONGEST):
        return Refusal("tax_code_letters")
    typed = _LABEL.sub("", clean(unicodedata.normalize("NFKC", text)).translate(DASHES))
    digits = "".join(re.findall("[0-9]", typed))
    if len(digits) == 12:
        return _branch_without_zero(typed) or Refusal("tax_code_personal")
    compact = _BETWEEN.sub("", typed)
    if compact != digits or not digits:
        return Refusal("tax_code_letters", suggestion=_with_digits_for_letters(compact))
    if len(digits) == 9 and _passes(f"0{digits}"):
        return Refusal("tax_code_lost_zero", (("input", digits),), f"0{digits}")
    if len(digits) not in (10, 13):
        return Refusal("tax_code_length", (("n", str(len(digits))),))
    code = _normal(digits)
    return code if _passes(digits) else Refusal("tax_code_checksum", (("input", code),), code)


def _branch_without_zero(typed: str) -> Refusal | None:
    """A branch's code whose first zero a spreadsheet dropped; no personal number is written so."""
    found = _BRANCH_WITHOUT_ZERO.fullmatch(typed)
    if not found or not _passes(f"0{found[1]}{found[2]}"):
        return None
    code = f"{found[1]}-{found[2]}"
    return Refusal("tax_code_lost_zero", (("input", code),), f"0{code}")


def _with_digits_for_letters(compact: str) -> str | None:
    digits = compact.translate(_LOOK_ALIKE)
    return _normal(digits) if _passes(digits) else None


def _normal(digits: str) -> str:
    return digits if len(digits) == 10 else f"{digits[:10]}-{digits[10:]}"


def _passes(digits: str) -> bool:
    if not re.fullmatch(r"[0-9]{10}(?:[0-9]{3})?", digits):
        return False
    from stdnum.vn import mst  # 75 ms, which a start does not wait for

    return bool(mst.is_valid(digits))
