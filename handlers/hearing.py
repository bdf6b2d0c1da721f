"""What is done with somebody's words before the transaction begins: understand them, and find what the plan answers."""

from collections.abc import Iterable
from functools import lru_cache

from content.catalogue import LANGUAGES
from content.everything import Content
from handlers.answers import answer
from handlers.dialogue import Said
from handlers.faq import Entry
from handlers.understand import Understanding

SHORT = 40  # characters: «7», «đúng», «6/2027», «kinh phi lay tu dau» are said again and again
_REMEMBERED = 4096


class Hearing:
    """Built from the content and the questions officers have answered, anew when these change.

    A call is pure, never raises, and costs a millisecond or less.
    """

    def __init__(self, content: Content, entries: Iterable[Entry] = ()) -> None:
        self.content = content
        self._understanding = Understanding(content, entries)
        self._heard = lru_cache(_REMEMBERED)(self._hear)

    def __call__(self, text: str) -> Said:
        """The words as a cue."""
        return self._heard(text) if len(text) <= SHORT else self._hear(text)

    def _hear(self, text: str) -> Said:
        understood = self._understanding.understand(text)
        # What is not clearly in one language is answered in the person's own, which only the transaction knows.
        languages = (understood.language,) if understood.language_is_clear else LANGUAGES
        faq = self._understanding.faq.entries.get(understood.faq or "")
        answers = {language: answer(self.content, understood, language, faq) for language in languages}
        return Said(text, understood, answers)
