"""The words of lists, folded and ready to compare: kinds, short forms, names of places, what says nothing."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from content.forms import Form
from content.register import HeadingOf, RegisterWords
from handlers.fold import fold
from handlers.register.spelling import Speller

_SIGNS = re.compile(r"[^\w&]+")


@lru_cache(maxsize=65536)
def plain(text: str) -> str:
    """A text folded, each sign between its words one space."""
    return _SIGNS.sub(" ", fold(text)).replace("_", " ").strip()


class Lexis:
    """What is known of lists, in the form in which it is compared."""

    def __init__(self, words: RegisterWords, form: Form) -> None:
        self.words = words
        self.speller = Speller(words)
        self.communes = _labels(form, "commune")
        self.nothing = frozenset(plain(one) for one in words.nothing) | {""}
        self.confirm_new = _plain(words.confirm_new)
        self.confirm_same = _plain(words.confirm_same)
        self.footers = tuple(plain(one) for one in words.footers)
        self.headings: Mapping[HeadingOf, tuple[str, ...]] = {
            field: tuple(plain(one) for one in named) for field, named in words.headings.items()
        }
        self._short = {plain(short): plain(long) for short, long in words.short_forms.items()}
        self._kinds = [(kind.code, tuple(plain(one) for one in kind.words)) for kind in words.kinds]
        self._common = _any_of(plain(one) for one in words.common)
        self._written_out = _any_of(self._short)

    def says_nothing(self, text: str) -> bool:
        """Whether a cell is empty, or says so."""
        return plain(text) in self.nothing

    def kind(self, text: str) -> str | None:
        """The legal form that a text names, as the survey's list has it."""
        padded = f" {plain(text)} "
        for code, named in self._kinds:
            if any(f" {one} " in padded for one in named):
                return code
        return None

    def written_out(self, name: str) -> str:
        """A name folded, its short forms written out."""
        return self._written_out.sub(lambda short: self._short[short[0]], plain(name))

    def core(self, name: str) -> str:
        """What tells an enterprise from others: its name without what many have in theirs."""
        written = self.written_out(name)
        return " ".join(self._common.sub(" ", written).split()) or written

    def search_words(self, name: str) -> list[str]:
        """The words under which an enterprise is found: as written, and written out."""
        return sorted({*plain(name).split(), *self.written_out(name).split()} - {"&"})


def _labels(form: Form, question: str) -> dict[str, str]:
    """The survey's communes: name and Vietnamese label, without «elsewhere»."""
    choices = form.by_name[question].choices
    return {one.name: one.label["vi"] for one in choices if not one.specify}


def _plain(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(map(plain, texts))


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(filter(None, texts), key=len, reverse=True)
    return re.compile(rf"(?<!\S)(?:{'|'.join(map(re.escape, longest_first))})(?!\S)")
