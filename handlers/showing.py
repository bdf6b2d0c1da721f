"""How a form's words and answers are shown to people: labels with their references filled in, values as one reads them."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from content.catalogue import Catalogue
from content.forms import NUMBERS, Question, Words
from content.model import Language
from handlers.fills import APPROXIMATE, NOT_APPLICABLE, PERSONAL, SKIPPED, UNKNOWN, Fill, from_value
from handlers.walk import Place, Walk

_PLACEHOLDER = re.compile(r"\$\{\s*([a-z][a-z0-9_]*)\s*\}")


class Showing:
    """Says what stands in a form, in one language."""

    def __init__(self, say: Catalogue, language: Language, own: Mapping[str, str] | None = None) -> None:
        """`own` are the values that belong to whoever looks, by question."""
        self._say = say
        self._own = own or {}
        self.language: Language = language

    def label(self, walk: Walk, place: Place) -> str:
        """What is asked."""
        return self.words(walk, place, place.question.row.label)

    def short(self, walk: Walk, place: Place) -> str:
        """What is asked in a few words, with the instance it is asked of."""
        row = place.question.row
        text = self.words(walk, place, row.short or row.label)
        instance = self.instance(place, walk)
        return (
            self._say(self.language, "form_of_instance", what=text, instance=instance) if instance else text
        )

    def instance(self, place: Place, walk: Walk) -> str:
        """Which instance of a repeat a place belongs to: the chosen thing, or its number; '' outside a repeat."""
        repeat = place.question.repeat
        if not repeat:
            return ""
        if not repeat.each:
            return self._say(self.language, "form_instance", number=place.instance)
        chosen = walk.form.by_name[repeat.each].choice(place.instance)
        if chosen is None:
            return place.instance
        other = walk.fills.get(repeat.each, Fill()).other if chosen.specify else ""
        return other or chosen.label[self.language]

    def words(self, walk: Walk, place: Place, words: Words | None) -> str:
        """Words of the form with what they refer to."""
        if words is None:
            return ""
        text = words[self.language]
        if "${" not in text:
            return text
        return _PLACEHOLDER.sub(lambda found: self._referred(walk, place, found[1]), text)

    def value(self, walk: Walk, place: Place, personal: Mapping[str, str] | None = None) -> str:
        """What stands at a place, as one reads it; '' where nothing does."""
        question = place.question
        if question.kind == "calculate":
            return self.fill(question, from_value(walk.computed(question, place.instance)))
        fill = walk.fills.get(place.name)
        if fill is None:
            return ""
        if fill.mark == PERSONAL:
            own = (personal or self._own).get(question.name)
            return shown_contact(own) if own is not None else self._say(self.language, "form_kept_apart")
        return self.fill(question, fill)

    def fill(self, question: Question, fill: Fill) -> str:
        """A fill as one reads it."""
        marked = {UNKNOWN: "form_unknown", SKIPPED: "form_skipped", NOT_APPLICABLE: "form_not_applicable"}
        if fill.mark in marked:
            return self._say(self.language, marked[fill.mark])
        text = self._plain(question, fill)
        return self._say(self.language, "form_about", value=text) if fill.mark == APPROXIMATE else text

    def _plain(self, question: Question, fill: Fill) -> str:
        if isinstance(fill.value, tuple):
            return "; ".join(self._choice(question, name, fill.other) for name in fill.value)
        if question.kind in ("select_one", "calculate") and question.choices:
            return self._choice(question, str(fill.value), fill.other)
        if question.kind == "date":
            return shown_date(str(fill.value))
        if question.kind in NUMBERS or isinstance(fill.value, int):
            return shown_number(fill.value, self.language)
        return str(fill.value)

    def _choice(self, question: Question, name: str, other: str) -> str:
        choice = question.choice(name)
        if choice is None:
            return name
        label = choice.label[self.language]
        return f"{label}: {other}" if choice.specify and other else label

    def _referred(self, walk: Walk, place: Place, name: str) -> str:
        question = walk.form.by_name[name]
        at = Place(question, place.instance if question.repeat is place.question.repeat else "")
        if question.choice_of and question.choice_of != question.name:
            of = walk.form.by_name[question.choice_of]
            value = walk.computed(question, at.instance)
            return self._choice(of, str(value), walk.fills.get(of.name, Fill()).other)
        return self.value(walk, at)


def shown_number(value: object, language: Language) -> str:
    """A number as people write it: 1.234,5, or 1,234.5 in English; text that is no number stays as it is."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    text = f"{number:,f}"
    return text if language == "en" else text.translate(str.maketrans(",.", ".,"))


def shown_contact(value: str) -> str:
    """A telephone number of this country as people write it, 0905 123 456; anything else as it stands."""
    digits = value.removeprefix("+84")
    if digits == value or not digits.isdecimal():
        return value
    number = f"0{digits}"
    return f"{number[:-6]} {number[-6:-3]} {number[-3:]}"


def shown_date(value: str) -> str:
    """A day as dd/mm/yyyy, a month as mm/yyyy."""
    return "/".join(reversed(value.split("-")))
