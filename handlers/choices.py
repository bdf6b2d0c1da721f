"""Recognises a choice however it is made: by its number, its words, several at once."""

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

from content.model import Picking
from handlers.fold import fold, means
from handlers.messages import Choice

_MARK = "#"  # no value begins with it


class Picker:
    """Knows the words with which people pick."""

    def __init__(self, picking: Picking) -> None:
        before = "|".join(re.escape(fold(word)) for word in sorted(picking.before, key=len, reverse=True))
        between = "|".join(re.escape(fold(word)) for word in picking.between)
        self._words = {fold(word): n for n, words in enumerate(picking.numbers, 1) for word in words}
        number = r"\d{1,3}|" + "|".join(self._words)
        # «2», «2.», «số 2», «hai», «1, 3», «1 và 3»; never «2.2», which is a task of the plan
        self._numbers = re.compile(
            rf"(?:(?:{before})\s+)?(?:{number})(?:\s*(?:[,;+&/]|{between}|\s)\s*(?:{number}))*[.)]?"
        )
        self._number = re.compile(rf"\b(?:{number})\b")

    def pick(self, screen: Sequence[Choice], text: str, *, several: bool = False) -> tuple[str, ...]:
        """The values of the choices the text names, or () when it names none.

        Accepted are the number, the label with or without tone marks, the choice's other words, the value itself and,
        with `several`, more than one. A number that is not on the screen names nothing; choices that stand aside have
        none and are not counted.
        """
        value, plain = text.strip().casefold(), fold(text)
        for choice in screen:
            if choice.url:
                continue
            if value == choice.value.casefold() or (
                plain in _folded(choice.label, choice.also)
                and any(means(text, words) for words in (choice.label, *choice.also))
            ):
                return (choice.value,)
        numbers = self.numbers(text)
        if not numbers or (len(numbers) > 1 and not several):
            return ()
        numbered = [choice for choice in screen if not choice.aside]
        if not all(1 <= number <= len(numbered) for number in numbers):
            return ()
        return tuple(numbered[number - 1].value for number in dict.fromkeys(numbers))

    def numbers(self, text: str) -> list[int]:
        """The numbers a text consists of, [] when it says anything else."""
        words = fold(text)
        if not self._numbers.fullmatch(words):
            return []
        return [self._words.get(found) or int(found) for found in self._number.findall(words)]


def short(value: str, most: int) -> str:
    """A value as a button carries it: itself, or a mark of it where it has more than `most` bytes."""
    if len(value.encode()) <= most:
        return value
    return f"{_MARK}{sha256(value.encode()).hexdigest()[:32]}"


def whole(value: str, screen: Sequence[Choice]) -> str:
    """The value that `short` marked, as long as its choice is on the screen."""
    if not value.startswith(_MARK):
        return value
    return next((choice.value for choice in screen if short(choice.value, 0) == value), value)


@lru_cache(maxsize=4096)  # the same few ways around a question stand on every screen
def _folded(label: str, also: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(fold, (label, *also)))
