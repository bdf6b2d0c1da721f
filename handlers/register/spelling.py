"""Reads texts written in old fonts or spoilt on their way, on evidence: what is meant must be Vietnamese.

A text is changed only where its words are no syllables as they stand, are syllables when read in one other way, and
in no second way.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from content.register import RegisterWords

TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")  # grave, acute, tilde, hook, dot below
_STOPPED = ("c", "ch", "p", "t")  # syllables that end so have two tones only
_STOPPED_TONES = frozenset("\u0301\u0323")
_PIECE = re.compile(r"[^\s!-&(-@\[-`{-~]+")  # what stands between white space and ASCII signs
_QUOTES = "«»“”‘’„–—…·•™®°º"
_LETTER = re.compile("[^\u0300-\u036f][\u0300-\u036f]*")
_PLAIN = re.compile("[A-Za-z]")
_WORD = re.compile(r"[^\W\d_]+")
_LOST = re.compile(r"\ufffd|(?<=[^\W\d])\?(?=[^\W\d])")
_LEAD = chr(
    0xC3
)  # the first byte of a with grave; its second, a space that does not break, is often made a plain one
_ETH = str.maketrans({"Ð": "Đ", "ð": "đ", "Ɖ": "Đ"})  # Iceland's and Ghana's letters for ours


@dataclass(frozen=True, slots=True)
class Score:
    """How many words with marks are syllables, and how many are none."""

    good: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """A text read in one way; `way` is a sentence's key after register_repair_."""

    way: str
    text: str
    score: Score


@dataclass(frozen=True, slots=True)
class Judged:
    """A text and the ways in which it may be read otherwise; `spoilt`: as it stands it cannot be what was meant."""

    text: str
    score: Score
    readings: tuple[Reading, ...] = ()
    spoilt: bool = False
    lost: bool = False  # letters are gone, nobody can read them again

    @property
    def clear(self) -> Reading | None:
        """The only way in which the text reads, where it does not as it stands."""
        return self.readings[0] if self.spoilt and len(self.readings) == 1 else None


class Speller:
    """Judges texts."""

    def __init__(self, words: RegisterWords) -> None:
        self._syllables = _syllables(words)
        self._ways: dict[str, Callable[[str], str | None]] = {
            "mojibake": _utf8_again,
            "windows_1258": _windows_1258,
            "tcvn3": Font(words.tcvn3.pairs),
            "vni": Font(in_capitals(words.vni.pairs)),
            "eth": lambda text: text.translate(_ETH),
        }
        self.is_syllable = lru_cache(maxsize=65536)(self._is_syllable)

    def judge(self, text: str) -> Judged:
        """How a text reads; NFC is a matter of its own."""
        if text.isascii():
            return Judged(text, Score(), lost=bool(_LOST.search(text)))
        score = self.score(text)
        found = [] if _is_beyond(text) and score.bad == 0 else list(self._readings(text, score))
        lost = bool(_LOST.search(text))
        return Judged(text, score, _best(found), spoilt=score.bad > 0, lost=lost)

    def read(self, judged: Judged, way: str) -> Reading | None:
        """A text read in a way that is known, unless it reads worse then."""
        meant = self._ways[way](judged.text)
        if meant is None or meant == judged.text:
            return None
        score = self.score(meant)
        return Reading(way, meant, score) if score.bad <= judged.score.bad else None

    def score(self, text: str) -> Score:
        """How much of a text reads as Vietnamese."""
        pieces = [piece.strip(_QUOTES) for piece in _PIECE.findall(text)]
        marked = [piece for piece in pieces if not piece.isascii()]
        good = sum(map(self.is_syllable, marked))
        return Score(good, len(marked) - good)

    def _readings(self, text: str, score: Score) -> Iterable[Reading]:
        for way, convert in self._ways.items():
            meant = convert(text)
            if meant is None or meant == text:
                continue
            then = self.score(meant)
            if then.good and then.bad <= score.bad and then.good >= 4 * then.bad:
                yield Reading(way, meant, then)

    def _is_syllable(self, piece: str) -> bool:
        marks = unicodedata.normalize("NFD", piece.casefold())
        tones = [sign for sign in marks if sign in TONES]
        if len(tones) > 1:
            return False
        plain = unicodedata.normalize("NFC", "".join(sign for sign in marks if sign not in TONES))
        if plain not in self._syllables:
            return False
        if not tones:
            return True
        return _has_tone_well(marks) and (not plain.endswith(_STOPPED) or tones[0] in _STOPPED_TONES)


def _has_tone_well(marks: str) -> bool:
    """Whether the tone stands on the last vowel with a mark of its own, where there is one."""
    letters = _LETTER.findall(marks)
    own = [place for place, letter in enumerate(letters) if not TONES.issuperset(letter[1:])]
    [toned] = [place for place, letter in enumerate(letters) if not TONES.isdisjoint(letter)]
    return not own or toned == own[-1]


def prevailing(judged: Iterable[Judged]) -> str | None:
    """The one way in which the clear texts of a row or column are to be read, None where they are of several."""
    ways = Counter(one.clear.way for one in judged if one.clear)
    if not ways:
        return None
    (way, times), *others = ways.most_common()
    return way if times > 4 * sum(number for _, number in others) else None


def settle(judged: Judged, *among: str | None) -> Reading | None:
    """How a text is to be read: by itself, or as those around it are; None: as it stands."""
    if judged.clear:
        return judged.clear
    for way in among:
        found = [one for one in judged.readings if one.way == way and one.score.bad == 0]
        if found:
            return found[0]
    return None


def _best(found: list[Reading]) -> tuple[Reading, ...]:
    """The readings with the fewest words that are none, one of each text."""
    least = min((one.score.bad for one in found), default=0)
    texts: dict[str, Reading] = {}
    for one in found:
        if one.score.bad == least:
            texts.setdefault(one.text, one)
    return tuple(texts.values())


def _is_beyond(text: str) -> bool:
    """Whether a text has letters that no old font could have put there."""
    return any(sign > "\u0160" and sign.isalpha() and sign not in _SHOWN for sign in text)


def _syllables(words: RegisterWords) -> frozenset[str]:
    rhymes = words.syllables.rhymes.split()
    return frozenset(
        unicodedata.normalize("NFC", onset + rhyme)
        for onset in ("", *words.syllables.onsets)
        for rhyme in rhymes
    )


# The ways


class Font:
    """Reads the letters of an old font."""

    def __init__(self, pairs: Mapping[str, str]) -> None:
        self._pairs = pairs
        longest_first = sorted(self._pairs, key=len, reverse=True)
        self._shown = re.compile("|".join(map(re.escape, longest_first)))

    def __call__(self, text: str) -> str | None:
        """What is meant, None for a text that this font cannot show."""
        if any(sign > "\u00ff" and sign not in _TYPED for sign in text):
            return None
        return _in_one_case(self._shown.sub(lambda shown: self._pairs[shown[0]], text))

    def write(self, text: str) -> str:
        """A text in this font's letters: the way back. Capitals that it lacks are its small letters."""
        back = {meant: shown for shown, meant in self._pairs.items()}
        letters = unicodedata.normalize("NFC", text)
        return "".join(back.get(sign) or back.get(sign.lower(), sign) for sign in letters)


_SHOWN = frozenset("ŠšŽžŸƒˆ")  # letters of Windows-1252 beyond Latin-1, as bytes of UTF-8 may show
_TYPED = frozenset("“”‘’–—…•™")  # signs that Windows programs put between words


def _in_one_case(text: str) -> str:
    """Words of capitals: fonts of capitals alone write toned ones with the codes of small letters."""
    plain = _PLAIN.findall(text)
    if len(plain) >= 4 and all(map(str.isupper, plain)):
        return text.upper()
    return _WORD.sub(lambda word: word[0].upper() if _is_of_capitals(word[0]) else word[0], text)


def _is_of_capitals(word: str) -> bool:
    plain = _PLAIN.findall(word)
    return len(plain) >= 2 and all(map(str.isupper, plain))


def in_capitals(small: Mapping[str, str]) -> dict[str, str]:
    """The pairs of small letters, and those of capitals however their marks are written."""
    large = {shown.upper(): meant.upper() for shown, meant in small.items()}
    mixed = {shown[0].upper() + shown[1:]: meant.upper() for shown, meant in small.items()}
    return {**mixed, **large, **small}


def _utf8_again(text: str) -> str | None:
    """UTF-8 that was read as Windows-1252, once or twice."""
    found = _utf8_once(text)
    return (_utf8_once(found) or found) if found else None


def _utf8_once(text: str) -> str | None:
    for attempt in (text, text.replace(f"{_LEAD} ", f"{_LEAD}\u00a0")):
        raw = _bytes(attempt)
        if raw is None:
            return None
        try:
            found = raw.decode("utf-8")
        except UnicodeDecodeError:
            continue
        return found if found != attempt else None
    return None


def _bytes(text: str) -> bytes | None:
    """The bytes that Windows-1252 shows as this text."""
    made = bytearray()
    for sign in text:
        try:
            made += sign.encode("cp1252")
        except UnicodeEncodeError:
            if ord(sign) > 0xFF:
                return None
            made.append(ord(sign))
    return bytes(made)


def _windows_1258(text: str) -> str | None:
    raw = _bytes(text)
    if raw is None:
        return None
    try:
        return unicodedata.normalize("NFC", raw.decode("cp1258"))
    except UnicodeDecodeError:
        return None
