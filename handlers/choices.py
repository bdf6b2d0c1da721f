"""Recognises a choice however it is made: by its number, its words, several at once."""

import re
from collections.abc import Sequence

from handlers.fold import fold
from handlers.messages import Choice

_NUMBERS = re.compile(r"\d{1,3}(?:\s*(?:[,;.+&/]|va|and|\s)\s*\d{1,3})*\.?\)?")

_DIGIT = re.compile(r"\d")


def pick(screen: Sequence[Choice], text: str, *, several: bool = False) -> tuple[str, ...]:
    """The values of the choices the text names, or () when it names none.

    Accepted are the number («2», «2.», «số 2»), the label with or without tone marks, the value itself and,
    with `several`, more than one («1, 3», «1 và 3»). A number that is not on the screen names nothing.
    """
    words = fold(text)
    for choice in screen:
        if not choice.url and words in (fold(choice.label), choice.value.casefold()):
            return (choice.value,)
    numbers = _numbers(words)
    if not numbers or (len(numbers) > 1 and not several):
        return ()
    if not all(1 <= number <= len(screen) for number in numbers):
        return ()
    return tuple(screen[number - 1].value for number in dict.fromkeys(numbers))


def _numbers(words: str) -> list[int]:
    if not _DIGIT.search(words):
        return []
    words = re.sub(r"^(?:so|chon|y|muc so|number|option)\s+(?=\d)", "", words)
    if not _NUMBERS.fullmatch(words):
        return []
    return [int(number) for number in re.findall(r"\d{1,3}", words)]
