"""One plain form of what people type, for comparing only."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+(?:(?:[/.&'-]|(?<=\d):(?=\d))[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Word:
    """A word without its marks, and the marks apart, wherever they were set («hoá» is «hóa»)."""

    plain: str
    marks: str

    def may_be(self, written: "Word", *, alone: bool, toned: bool) -> bool:
        """Whether this typed word can be the `written` one.

        Marks left out are forgiven, wrong ones are not. A word that stands alone must have all or none,
        and in a `toned` text none means none: «khoa» is then no «khóa».
        """
        if self.plain != written.plain or self.marks == written.marks:
            return self.plain == written.plain
        if not self.marks:
            return not (alone and toned)
        return not alone and set(self.marks) <= set(written.marks)


@lru_cache(maxsize=1024)  # a turn asks for the same few texts again and again
def fold(text: str) -> str:
    """`text` in lower case without tone marks and đ, each run of white space one space."""
    bare = unicodedata.normalize("NFD", text.casefold())
    kept = "".join(letter for letter in bare if not unicodedata.combining(letter))
    return _SPACES.sub(" ", kept.replace("đ", "d").replace("–", "-")).strip()


def words_of(text: str) -> list[Word]:
    """The words of a text; a number keeps no leading zero, so «05» is «5»."""
    return [_word(found) for found in _WORD.findall(unicodedata.normalize("NFC", text.casefold()))]


def plain_words(text: str) -> list[str]:
    """The words of a text without their marks."""
    return [word.plain for word in words_of(text)]


def means(typed: str, written: str) -> bool:
    """Whether typed words can be the written ones: marks left out are forgiven, wrong ones are not.

    «dung» may be «đúng» or «dừng»; «dừng» is never «đúng».
    """
    if fold(typed) != fold(written):
        return False
    pairs = zip(words_of(typed), words_of(written), strict=False)
    return all(one.may_be(other, alone=False, toned=False) for one, other in pairs)


@lru_cache(maxsize=8192)
def _word(text: str) -> Word:
    if text.isdigit():
        return Word(text.lstrip("0") or "0", "")
    letters = unicodedata.normalize("NFD", text)
    marks = sorted(letter for letter in letters if letter == "đ" or unicodedata.combining(letter))
    return Word(fold(text), "".join(marks))
