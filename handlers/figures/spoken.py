"""Numbers, shares and months as they are written for people."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from content.catalogue import Catalogue
from content.model import Language
from handlers.figures.hiding import Count
from handlers.figures.published import Grain

_SPACE = "\u00a0"  # a number and its sign stay on one line
_SWAPPED = str.maketrans(",.", ".,")


def number(language: Language, value: Decimal | float) -> str:
    """1.234,5 in Vietnamese, 1,234.5 in English; at most two decimals, and no zeros at their end."""
    rounded = Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    text = f"{rounded:,.2f}".rstrip("0").rstrip(".")
    return text if language == "en" else text.translate(_SWAPPED)


def percent(language: Language, part: float, whole: float) -> str:
    """A share as 41 %, with one decimal below ten; never a full hundred of less than all, nor nothing of something."""
    share = Decimal(str(part)) * 100 / Decimal(str(whole)) if whole else Decimal(0)
    places = Decimal(1) if share >= 10 else Decimal("0.1")
    rounded = share.quantize(places, ROUND_HALF_UP)
    if rounded == 100 and part < whole:
        rounded = Decimal("99.9")
    if rounded == 0 and part:
        rounded = Decimal("0.1")
    return f"{number(language, rounded)}{'' if language == 'en' else _SPACE}%"


def count(say: Catalogue, language: Language, found: Count) -> str:
    """How many, or the words for what may not be seen."""
    if found.bound == "unseen":
        return say(language, "figures_unseen")
    if found.bound:
        key = "figures_under" if found.bound == "under" else "figures_over"
        return say(language, key, count=number(language, found.value))
    return number(language, found.value)


def span(say: Catalogue, language: Language, first: str, grain: Grain) -> str:
    """A month, quarter or year by its first month: «tháng 3/2027»."""
    year, month = int(first[:4]), int(first[5:7])
    if grain == "month":
        return say(language, "figures_month", month=month, year=year)
    if grain == "quarter":
        return say(language, "figures_quarter", quarter=(month + 2) // 3, year=year)
    return say(language, "figures_year", year=year)


def day(moment: date | datetime) -> str:
    """20/11/2026, in either language."""
    return f"{moment.day:02}/{moment.month:02}/{moment.year}"


def listed(say: Catalogue, language: Language, words: list[str]) -> str:
    """«a», «a và b», «a, b và c»."""
    if len(words) < 2:
        return "".join(words)
    return say(language, "figures_and", first=", ".join(words[:-1]), last=words[-1])
