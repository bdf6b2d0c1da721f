"""Takes an answer to a prompt out of what somebody typed or tapped, or says why it cannot."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from content.catalogue import Catalogue
from content.forms import NUMBERS, ChoiceRow, Form, Question
from content.model import Language, Menu
from handlers.choices import Picker
from handlers.fills import APPROXIMATE, KEPT_APART, NOT_KNOWN, Fill, Fills
from handlers.fold import fold
from handlers.messages import Choice
from handlers.naming import ENTERPRISE
from handlers.showing import Showing
from handlers.values import Number, Refusal, Values, person_name, phone_or_email, tax_code
from handlers.walk import Place, Prompt, Walk

MISSING, UNSURE = "_", "?"  # numbers of a line: not said yet, and said not to be known
LONGEST_TEXT = 1_000  # characters of an answer in words
MOST_CANDIDATES = 7  # of a long list, offered at once
_READERS = {"tax_code": tax_code, "person_name": person_name, "phone_or_email": phone_or_email}


@dataclass(frozen=True, slots=True)
class Taken:
    """The answers to a prompt by place; `own` are values that belong to the person, by question.

    `found`: it was found by a part of its name, so the person is told what was found.
    """

    fills: tuple[tuple[str, Fill], ...]
    own: tuple[tuple[str, str], ...] = ()
    found: bool = False


@dataclass(frozen=True, slots=True)
class NotTaken:
    """It is no answer: `key` and `values` name the sentence that says why, or `sentence` is the form's own."""

    key: str = ""
    values: tuple[tuple[str, str], ...] = ()
    sentence: str = ""
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Specify:
    """«Other» was chosen, among these names: what exactly is asked next."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Several entries of a long list have these words, or none and they may be kept as «other»."""

    choices: tuple[ChoiceRow, ...]
    other: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """The numbers of a line as far as they were said: «12», «~12», «?», or «_» for one that is missing."""

    tokens: tuple[str, ...]


Reading = Taken | NotTaken | Specify | Candidates | Line


class Taker:
    """Reads answers; built once from the content."""

    def __init__(self, say: Catalogue, menu: Menu, values: Values, picker: Picker) -> None:
        self._say = say
        self._between = tuple(fold(word) for word in menu.picking.between)
        self._other = frozenset(fold(word) for word in menu.form["other"])
        self._values = values
        self._picker = picker

    def words(self, walk: Walk, prompt: Prompt, text: str, language: Language) -> Reading:
        """What somebody typed, as the answer to a prompt."""
        if prompt.kind == "line":
            return self.line(walk, prompt, text, (), language)
        place = prompt.place
        match place.question.kind:
            case "select_one":
                return self._one(walk, place, text, language)
            case "select_multiple":
                return self._several(walk, place, text, language)
            case "integer" | "decimal":
                return self._number(walk, place, text, language)
            case "date":
                return self._date(walk, place, text, language)
            case _:
                return self._text(walk, place, text, language)

    # Choices

    def names(
        self, walk: Walk, place: Place, names: Iterable[str], language: Language, other: str = ""
    ) -> Reading:
        """These choices as the answer."""
        question = place.question
        chosen = tuple(dict.fromkeys(names))
        offered = walk.offered(place)
        if not chosen or any(name not in offered for name in chosen):
            return NotTaken("form_pick_from_list")
        alone = [name for name in chosen if offered[name].exclusive]
        if alone and len(chosen) > 1:
            return NotTaken("form_exclusive", (("choice", offered[alone[0]].label[language]),))
        if not other and any(offered[name].specify for name in chosen):
            return self._checked(walk, place, Fill(_as_value(question, chosen)), language, Specify(chosen))
        return self._checked(walk, place, Fill(_as_value(question, chosen), "", other), language)

    def _one(self, walk: Walk, place: Place, text: str, language: Language) -> Reading:
        offered = walk.choices(place)
        picked = self._picker.pick(_screen(place.question, offered, language), text)
        if picked and not self._is_long(place, text):
            return self.names(walk, place, picked, language)
        if named := self._specified(offered, text, language):
            name, other = named
            return self.names(walk, place, (name,), language, other)
        if place.question.row.appearance == "autocomplete":
            return self._found(walk, place, offered, text, language)
        return NotTaken("form_pick_one_or_say" if any(one.specify for one in offered) else "form_pick_one")

    def _is_long(self, place: Place, text: str) -> bool:
        """Whether a bare number cannot mean a place in a list nobody has seen."""
        return place.question.row.appearance == "autocomplete" and bool(self._picker.numbers(text))

    def _found(
        self, walk: Walk, place: Place, offered: tuple[ChoiceRow, ...], text: str, language: Language
    ) -> Reading:
        """The entries of a long list whose words begin with the typed ones."""
        wanted = fold(text).split()
        found = [
            one for one in offered if not one.specify and _begins(wanted, fold(one.label[language]).split())
        ]
        exact = [one for one in found if _ends(wanted, fold(one.label[language]).split())]
        if len(found) == 1 or len(exact) == 1:
            taken = self.names(walk, place, ((exact or found)[0].name,), language)
            return replace(taken, found=True) if isinstance(taken, Taken) else taken
        if len(found) > MOST_CANDIDATES:
            return NotTaken("form_too_many_found", (("count", str(len(found))),))
        other = text.strip() if any(one.specify for one in offered) and len(text.strip()) > 1 else ""
        return Candidates(tuple(found), other) if found or other else NotTaken("form_none_found")

    def _several(self, walk: Walk, place: Place, text: str, language: Language) -> Reading:
        offered = walk.choices(place)
        screen = _screen(place.question, offered, language)
        picked = self._picker.pick(screen, text, several=True)
        if picked:
            return self.names(walk, place, picked, language)
        if self._picker.numbers(text):
            return NotTaken("form_no_such_number", (("count", str(len(offered))),))
        names: list[str] = []
        other = ""
        for part in self._parts(text):
            if one := self._picker.pick(screen, part):
                names += one
            elif named := self._specified(offered, part, language):
                names.append(named[0])
                other = named[1]
            else:
                is_open = any(choice.specify for choice in offered)
                return NotTaken("form_pick_several_or_say" if is_open else "form_pick_several")
        return self.names(walk, place, names, language, other)

    def _specified(
        self, offered: Iterable[ChoiceRow], text: str, language: Language
    ) -> tuple[str, str] | None:
        """«khác: máy đo độ ẩm», or «khác» alone: the choice that asks what exactly, and what was said."""
        head, _, said = text.partition(":")
        plain, what = fold(head), " ".join(said.split())
        for one in offered:
            if not one.specify:
                continue
            names = (fold(one.label.vi), fold(one.label.en), one.name)
            is_named = plain in names or fold(one.label[language]).startswith(plain)
            if plain in self._other or (plain and what and is_named):
                return one.name, what
        return None

    def _parts(self, text: str) -> list[str]:
        """What was listed: separated by commas, semicolons, line ends, or «và»."""
        line = text.replace("\n", ",").replace(";", ",")
        parts = [part.strip() for part in line.split(",")]
        for word in self._between:
            parts = [half for part in parts for half in _halves(part, word)]
        return [part for part in parts if part]

    # Numbers

    def _number(self, walk: Walk, place: Place, text: str, language: Language) -> Reading:
        question = place.question
        found = self._values.number(text, whole=question.kind == "integer", unknown=question.row.unknown)
        if isinstance(found, Refusal):
            return _refused(found)
        return self._checked(walk, place, _numbered(found), language)

    def line(
        self, walk: Walk, prompt: Prompt, text: str, before: tuple[str, ...], language: Language
    ) -> Reading:
        """The numbers of a line; `before` are those said already, where only some were named."""
        showing = Showing(self._say, language)
        labels = [
            showing.instance(place, walk)
            or showing.words(walk, place, place.question.row.short or place.question.row.label)
            for place in prompt.places
        ]
        missing = [at for at, token in enumerate(before) if token == MISSING] or list(range(len(labels)))
        questions = [place.question for place in prompt.places]
        whole = all(question.kind == "integer" for question in questions)
        unknown = any(question.row.unknown for question in questions)
        found = self._values.line(text, [labels[at] for at in missing], whole=whole, unknown=unknown)
        if isinstance(found, Refusal) and len(missing) < len(labels):
            missing = list(range(len(labels)))  # or all of it anew
            found = self._values.line(text, labels, whole=whole, unknown=unknown)
        if isinstance(found, Refusal):
            return _refused(found)
        tokens = list(before) or [MISSING] * len(labels)
        for at, number in zip(missing, found, strict=True):
            if number is not None:
                tokens[at] = _token(number)
        return self.tokens(walk, prompt, tuple(tokens), language)

    def tokens(self, walk: Walk, prompt: Prompt, tokens: tuple[str, ...], language: Language) -> Reading:
        """The numbers of a line as they stand in «12 ~3 ?», each held against its question."""
        if len(tokens) != len(prompt.places):
            return NotTaken("form_line_again")
        given: dict[str, Fill] = {}
        for place, token in zip(prompt.places, tokens, strict=True):
            if token == MISSING:
                continue
            fill = _from_token(token)
            if fill is None or (fill == NOT_KNOWN and not place.question.row.unknown):
                return NotTaken("form_line_again")
            beside = Walk(
                walk.form, {**walk.fills, **given}, walk.today
            )  # a later number may look at an earlier one
            checked = self._checked(beside, place, fill, language)
            if not isinstance(checked, Taken):
                return checked
            given[place.name] = fill
        return Line(tokens)

    def token(self, token: str) -> Fill | None:
        """What one number of a line says; None where it is missing."""
        return _from_token(token)

    def taken_line(self, prompt: Prompt, tokens: tuple[str, ...]) -> Taken:
        """A line that was read back and is right."""
        fills = ((place.name, _from_token(token)) for place, token in zip(prompt.places, tokens, strict=True))
        return Taken(tuple((name, fill) for name, fill in fills if fill is not None))

    # Days and words

    def _date(self, walk: Walk, place: Place, text: str, language: Language) -> Reading:
        month = place.question.row.appearance == "month-year"
        read = self._values.month if month else self._values.day
        found = read(text, walk.today)
        if isinstance(found, Refusal):
            return _refused(found)
        return self._checked(walk, place, Fill(found), language)

    def _text(self, walk: Walk, place: Place, text: str, language: Language) -> Reading:
        row = place.question.row
        said = text.strip()
        if row.appearance != "multiline":
            said = " ".join(said.split())
        if not said:
            return NotTaken("form_say_something")
        if len(said) > LONGEST_TEXT:
            return NotTaken("form_too_long", (("count", str(len(said))), ("limit", str(LONGEST_TEXT))))
        if place.question.name == ENTERPRISE and not any(map(str.isalpha, said)):
            return NotTaken("form_name_of_digits")
        if row.format:
            found = _READERS[row.format](said)
            if isinstance(found, Refusal):
                return _refused(found)
            said = found
        return self.text(walk, place, said, language)

    def text(self, walk: Walk, place: Place, said: str, language: Language) -> Reading:
        """These words as the answer, in whatever form they are."""
        fill = Fill(said)
        checked = self._checked(walk, place, fill, language)
        if isinstance(checked, Taken) and place.question.row.personal:
            return Taken(((place.name, KEPT_APART),), ((place.question.name, said),))
        return checked

    def _checked(
        self, walk: Walk, place: Place, fill: Fill, language: Language, instead: Reading | None = None
    ) -> Reading:
        """The answer, or `instead`, where it keeps to its question's constraint."""
        if walk.fits(place, fill):
            return instead or Taken(((place.name, fill),))
        message = Showing(self._say, language).words(walk, place, place.question.row.constraint_message)
        return NotTaken(sentence=message) if message else NotTaken("form_pick_from_list")


def line_head(prompt: Prompt) -> str:
    """What stands before the numbers of a line while they are not stored: their places, for somebody may change them."""
    return "+".join(place.name for place in prompt.places) + ":"


def line_tokens(prompt: Prompt, said: str) -> tuple[str, ...] | None:
    """The numbers said of a line with their `line_head`, in its order; None where it has other places by now."""
    head, _, numbers = said.partition(":")
    names, tokens = head.split("+"), tuple(numbers.split())
    if set(names) != {place.name for place in prompt.places}:
        return None
    if len(names) != len(tokens):
        return tokens
    by_name = dict(zip(names, tokens, strict=True))
    return tuple(by_name[place.name] for place in prompt.places)


def _as_value(question: Question, chosen: tuple[str, ...]) -> str | tuple[str, ...]:
    return chosen if question.kind == "select_multiple" else chosen[0]


def _screen(question: Question, offered: tuple[ChoiceRow, ...], language: Language) -> tuple[Choice, ...]:
    """The choices that are offered as something to pick from."""
    return (
        _every_choice(question, language) if offered is question.choices else _as_choices(offered, language)
    )


@lru_cache(maxsize=1024)
def _every_choice(question: Question, language: Language) -> tuple[Choice, ...]:
    """All of them, which is what most people are offered."""
    return _as_choices(question.choices, language)


def _as_choices(offered: Iterable[ChoiceRow], language: Language) -> tuple[Choice, ...]:
    """The choices known by their labels in both languages."""
    return tuple(Choice(one.label[language], one.name, also=(one.label.vi, one.label.en)) for one in offered)


def _begins(wanted: list[str], words: list[str]) -> bool:
    """Whether the typed words stand in a row among the words, the last one perhaps only begun."""
    if not wanted:
        return False
    return any(
        words[at : at + len(wanted) - 1] == wanted[:-1] and words[at + len(wanted) - 1].startswith(wanted[-1])
        for at in range(len(words) - len(wanted) + 1)
    )


def _ends(wanted: list[str], words: list[str]) -> bool:
    """Whether the typed words are the whole name, with or without what kind of place it is."""
    return words == wanted or words[1:] == wanted


def _halves(part: str, word: str) -> list[str]:
    """A part cut at «và», where what stands on both sides of it says something."""
    words = part.split()
    cuts = [at for at, one in enumerate(words) if fold(one) == word]
    if not cuts or cuts[0] in (0, len(words) - 1):
        return [part]
    return [" ".join(words[: cuts[0]]), *_halves(" ".join(words[cuts[0] + 1 :]), word)]


def _numbered(number: Number) -> Fill:
    if number.value is None:
        return NOT_KNOWN
    mark = APPROXIMATE if number.approximate else ""
    return Fill(_plain(number.value), mark)


def _plain(value: Decimal) -> int | str:
    return int(value) if value == value.to_integral_value() else format(value.normalize(), "f")


def _token(number: Number) -> str:
    if number.value is None:
        return UNSURE
    return f"{'~' if number.approximate else ''}{_plain(number.value)}"


def _from_token(token: str) -> Fill | None:
    """What a token of a line says; None for one that says nothing."""
    if token == UNSURE:
        return NOT_KNOWN
    digits = token.removeprefix("~")
    if not digits.isascii() or not digits.replace(".", "", 1).isdecimal() or len(digits) > 15:
        return None
    return Fill(_plain(Decimal(digits)), APPROXIMATE if token.startswith("~") else "")


def _refused(refusal: Refusal) -> NotTaken:
    return NotTaken(refusal.key, refusal.values, suggestion=refusal.suggestion)


def _default(question: Question) -> Fill | None:
    """The default of a question as an answer that may be offered."""
    value = question.row.default
    if value is None:
        return None
    return Fill(int(value)) if question.kind in NUMBERS else Fill(value)


@lru_cache(maxsize=64)
def defaults(form: Form) -> Fills:
    """The defaults of a form that may be offered."""
    found = ((question.name, _default(question)) for question in form.questions)
    return {name: fill for name, fill in found if fill}


def known_fills(walk: Walk, values: Mapping[str, Fill]) -> dict[str, Fill]:
    """Of answers from before, those the form still knows and would still take; nothing personal."""
    kept = {}
    for name, fill in values.items():
        question = walk.form.by_name.get(name.partition(".")[0])
        if (
            question
            and question.kind != "calculate"
            and not question.row.personal
            and not question.row.consent
        ):
            kept[name] = fill
    return {name: fill for name, fill in kept.items() if fill.is_answer}
