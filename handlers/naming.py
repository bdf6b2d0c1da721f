"""What in a response names a person all the same: a household's name, a name or a telephone number in a free text."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from content.forms import Form, Question
from handlers.fills import ANSWERED, KEPT_APART, PERSONAL
from handlers.fold import Word, fold, plain_words, words_of

ENTERPRISE = "enterprise"  # the question that asks for the firm's name
_LEGAL_FORM, _HOUSEHOLD = "legal_form", "household"

_LETTERS = re.compile(r"[^\W\d_]+")
_SENTENCE_ENDS = ".!?:;\n"
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s.\-–()/]+(?=\d)")
_FEWEST_DIGITS = 6  # fewer reach nobody

Stored = Mapping[str, list[Any]]  # fills as they are kept, by place
Own = Sequence[
    tuple[Question | None, str]
]  # what somebody said of themselves, and in answer to which question


def is_free_text(question: Question) -> bool:
    """Whether people write there what they like."""
    return question.kind == "text" and question.row.appearance == "multiline"


def names_household(form: Form, answers: Stored) -> bool:
    """Whether the firm's name is a household's, or may be one: as long as nobody said what the firm is."""
    if ENTERPRISE not in answers or not {ENTERPRISE, _LEGAL_FORM} <= form.by_name.keys():
        return False
    legal_form = answers.get(_LEGAL_FORM)
    return not _is_answered(legal_form) or _is_household(legal_form)


def household_names(form: Form, history: Iterable[tuple[str, list[Any] | None]]) -> Iterator[str]:
    """The names under which the firm was, or may have been, a household; `history`: what stood at which place, in order."""
    name, legal_form = "", None
    was_household = was_firm = False
    for place, fill in (*history, (ENTERPRISE, None)) if _LEGAL_FORM in form.by_name else ():
        if place == _LEGAL_FORM:
            legal_form = fill
        elif place == ENTERPRISE:
            if name and (was_household or not was_firm):
                yield name
            name = str(fill[0]) if fill else ""
            was_household = was_firm = False
        if _is_answered(legal_form):
            was_household |= _is_household(legal_form)
            was_firm |= not _is_household(legal_form)


def _is_answered(fill: list[Any] | None) -> bool:
    return bool(fill) and (fill or [""])[1:2] in ([], [ANSWERED])


def _is_household(fill: list[Any] | None) -> bool:
    return bool(fill) and (fill or [""])[0] == _HOUSEHOLD


def without(form: Form, place: str, fill: list[Any], goes: "Naming") -> list[Any]:
    """What may stay of what stands at a place: the same, a choice without its words, or that it was answered."""
    question = form.by_name.get(place.partition(".")[0])
    value, mark, other = [*fill, "", ""][:3]
    if mark != PERSONAL and isinstance(value, str) and (question is None or question.kind == "text"):
        loosely = question is not None and is_free_text(question)
        return KEPT_APART.dump() if goes.stands_in(value, loosely=loosely) else fill
    if other and goes.stands_in(other, loosely=True):
        return [value, mark] if mark else [value]
    return fill


class Naming:
    """Recognises a person in what was written: by name, with or without tone marks, or by a way to reach them.

    A given name alone («gặp chị Hạnh») counts where it has its capital letter and stands in no other name
    («Quy Nhơn»). A title alone names nobody. `whole` are texts that are names themselves, such as a household's.
    """

    def __init__(self, own: Own, whole: Iterable[str] = ()) -> None:
        self._phrases: list[list[str]] = []
        self._names: list[list[Word]] = []
        self._digits: list[str] = []
        self._addresses: list[str] = []
        for question, value in own:
            self._learn(question.row.format if question else None, value)
        self._whole = {fold(text) for text in whole if text}
        self._phrases += [plain_words(text) for text in self._whole]

    def _learn(self, format: str | None, value: str) -> None:
        if format == "person_name":
            words = words_of(value)
            self._names += [words] if words else []
            self._phrases += [[word.plain for word in words]] if len(words) > 1 else []
        elif "@" in value:
            self._addresses.append(fold(value))
        elif len(digits := _national(value)) >= _FEWEST_DIGITS:
            self._digits.append(digits)

    def stands_in(self, text: str, *, loosely: bool = False) -> bool:
        """Whether a text names the person, or says how to reach them; `loosely`: a given name alone counts, too."""
        folded, words = fold(text), plain_words(text)
        return (
            folded in self._whole
            or any(_follow(phrase, words) for phrase in self._phrases)
            or any(address in folded for address in self._addresses)
            or self._is_reached(text)
            or (loosely and self._is_called(text))
        )

    def _is_called(self, text: str) -> bool:
        return any(_ends(run, name) for run in _capitalised(text) for name in self._names)

    def _is_reached(self, text: str) -> bool:
        joined = _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", text))
        return any(digits in joined for digits in self._digits)


def _national(value: str) -> str:
    """The digits of a number as they stand behind its zero or its country: 905333444."""
    if not value.startswith("+"):
        return "".join(letter for letter in value if letter.isdecimal()).lstrip("0")
    import phonenumbers  # 50 ms, which a start does not wait for

    try:
        return str(phonenumbers.parse(value).national_number)
    except phonenumbers.NumberParseException:
        return value[1:] if value[1:].isdecimal() else ""


def _follow(phrase: list[str], words: list[str]) -> bool:
    """Whether the words of a phrase stand one after another."""
    most = len(words) - len(phrase) + 1
    return bool(phrase) and any(words[at : at + len(phrase)] == phrase for at in range(most))


def _capitalised(text: str) -> Iterator[list[Word]]:
    """Words with a capital letter that stand side by side; the first of a sentence has one anyway, so it may be left out."""
    text = unicodedata.normalize("NFC", text)
    run: list[str] = []
    ended, begins = 0, False
    for found in [*_LETTERS.finditer(text), None]:
        goes_on = found and found[0][0].isupper() and run and not text[ended : found.start()].strip(" ")
        if run and not goes_on:
            yield words_of(" ".join(run[1:] if begins and len(run) > 1 else run))
            run = []
        if found and found[0][0].isupper():
            if not run:
                before = text[: found.start()].rstrip(" ")
                begins = not before or before[-1] in _SENTENCE_ENDS
            run.append(found[0])
        ended = found.end() if found else ended


def _ends(run: list[Word], name: list[Word]) -> bool:
    """Whether a run of words is the given name, with nothing before it that is not of the name."""
    return (
        bool(run)
        and _same(run[-1], name[-1])
        and all(word.plain in {one.plain for one in name} for word in run)
    )


def _same(one: Word, other: Word) -> bool:
    """Whether two words are one: marks left out are forgiven, other ones are not."""
    return one.plain == other.plain and (one.marks == other.marks or not one.marks or not other.marks)
