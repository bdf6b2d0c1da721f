"""Reads several numbers from one message: in their order, «12 3 ?», or by name, «nhiệt độ 3; áp suất 5»."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from handlers.fold import fold
from handlers.values.numbers import (
    Kind,
    Part,
    as_typed,
    join_thousands,
    no_number,
    not_known,
    one_number,
    parts_of,
    settle,
)
from handlers.values.refusal import Number, Refusal, shown
from handlers.values.words import DASHES, Lexicon, Phrase, Sense, Token, read_tokens

Numbers = tuple[Number | None, ...]  # by place; None where a place was not named
Pairs = list[tuple[int, Part]]  # a place and what was said of it

_LONGEST_RUN = 5  # words with which a label is named when it is not written out
_COMMAS = re.compile(r"[0-9]+(?:,[0-9]+)+")
_DASHED = re.compile(r"\S+(?:\s+-\s+\S+)+|[0-9?]+(?:-[0-9?]+){2,}")  # dashes between all, so no range
_STARTS_WITH_ZERO = re.compile(r",0[0-9]")
_WORD = re.compile(r"[^\W_]+")
_BETWEEN_SEGMENTS = re.compile(r"[^\w\s]+")
_VALUES = (Kind.AMOUNT, Kind.UNKNOWN)


def names_of(labels: Sequence[str], lexicon: Lexicon) -> Lexicon:
    """What names each label: all of it, a segment of it, a few of its words that no other label has."""
    return Lexicon(_names(labels, lexicon))


@dataclass(frozen=True, slots=True)
class LineReader:
    """Reads the answer to questions that are asked together, each with a label."""

    lexicon: Lexicon
    names: Lexicon
    labels: Sequence[str]
    whole: bool
    unknown: bool

    def read(self, text: str) -> Numbers | Refusal:
        """A number for each label, or for those that are named."""
        tokens = read_tokens(text, self.lexicon, self.names)
        if any(token.has(Sense.LABEL) for token in tokens):
            return self._named(parts_of(join_thousands(tokens)))
        if len(self.labels) == 1:
            number = one_number(tokens, whole=self.whole, unknown=self.unknown)
            return number if isinstance(number, Refusal) else (number,)
        return self._in_order(text, tokens)

    def _in_order(self, text: str, tokens: list[Token]) -> Numbers | Refusal:
        """The first reading that has a number for each place; where none has, why the plainest has not."""
        plainest = self._one_each(parts_of(tokens))
        if not isinstance(plainest, Refusal):
            return plainest
        for other in self._other_readings(text, tokens):
            numbers = self._one_each(parts_of(other))
            if not isinstance(numbers, Refusal):
                return numbers
        return plainest

    def _other_readings(self, text: str, tokens: list[Token]) -> Iterator[list[Token]]:
        yield read_tokens(_COMMAS.sub(_apart, text), self.lexicon)
        if any(token.has(Sense.SEPARATOR) for token in tokens):
            yield join_thousands(tokens)
        if _DASHED.fullmatch(dashed := text.translate(DASHES).strip()):
            yield read_tokens(dashed.replace("-", ";"), self.lexicon)

    def _one_each(self, parts: list[Part]) -> Numbers | Refusal:
        if refusal := self._unreadable(parts):
            return refusal
        values = [part for part in parts if part.kind in _VALUES]
        if len(values) == 1 and _says_all(values[0]):
            values *= len(self.labels)
        if len(values) != len(self.labels):
            return self._wrong_count(len(values))
        return self._settled(list(enumerate(values)))

    def _named(self, parts: list[Part]) -> Numbers | Refusal:
        if refusal := self._unreadable(parts):
            return refusal
        segments = list(_segments(parts))
        pairs = _by_segment(segments) or _by_place(segments, len(self.labels)) or _in_turn(parts)
        if not pairs:
            label = next(part for part in parts if part.kind is Kind.LABEL)
            return Refusal("value_line_pairs", (("label", shown(self.labels[label.place])),))
        return self._twice(pairs) or self._settled(pairs)

    def _unreadable(self, parts: list[Part]) -> Refusal | None:
        if refusal := no_number(parts):
            return refusal
        strange = " ".join(part.typed for part in parts if part.kind is Kind.STRANGE)
        if not strange:
            return None
        pairs = _by_place(list(_segments(parts)), len(self.labels))
        offered = " ".join(_retyped(part) for _, part in pairs) if pairs else None
        return Refusal("value_line_unread", (("input", shown(strange)),), offered)

    def _settled(self, pairs: Pairs) -> Numbers | Refusal:
        numbers: list[Number | None] = [None] * len(self.labels)
        for place, part in pairs:
            number = self._number(part)
            if isinstance(number, Refusal):
                return number
            numbers[place] = number
        return tuple(numbers)

    def _number(self, part: Part) -> Number | Refusal:
        return (
            not_known(unknown=self.unknown) if part.kind is Kind.UNKNOWN else settle(part, whole=self.whole)
        )

    def _twice(self, pairs: Pairs) -> Refusal | None:
        places = [place for place, _ in pairs]
        for place in places:
            if places.count(place) > 1:
                return Refusal("value_line_twice", (("label", shown(self.labels[place])),))
        return None

    def _wrong_count(self, got: int) -> Refusal:
        return Refusal("value_line_count", (("expected", str(len(self.labels))), ("got", str(got))))


def _says_all(part: Part) -> bool:
    """Whether one word answers every question of the line: «không biết», «không có»."""
    return part.kind is Kind.UNKNOWN or (part.value == 0 and not part.typed.isdigit())


def _retyped(part: Part) -> str:
    """A number as a person would type it among others."""
    if part.kind is Kind.UNKNOWN:
        return "?"
    return f"~{as_typed(part.value)}" if part.approximate else as_typed(part.value)


def _apart(commas: re.Match[str]) -> str:
    """«12,3,5» as three numbers; «4,000» stays one."""
    typed = commas.group()
    return typed if _STARTS_WITH_ZERO.search(typed) else typed.replace(",", ", ")


def _segments(parts: Sequence[Part]) -> Iterator[list[Part]]:
    segment: list[Part] = []
    for part in parts:
        if part.kind is Kind.SEPARATOR:
            if segment:
                yield segment
            segment = []
        elif part.kind in (*_VALUES, Kind.LABEL):
            segment.append(part)
    if segment:
        yield segment


def _by_segment(segments: Sequence[Sequence[Part]]) -> Pairs:
    """Pairs where each segment has a name and a number, in either order."""
    pairs: Pairs = []
    for segment in segments:
        labels = [part for part in segment if part.kind is Kind.LABEL]
        values = [part for part in segment if part.kind in _VALUES]
        if len(labels) != 1 or len(values) != 1:
            return []
        pairs.append((labels[0].place, values[0]))
    return pairs


def _by_place(segments: Sequence[Sequence[Part]], places: int) -> Pairs:
    """Pairs where there is a number for each place, and what is named stands at its place: «12, áp suất 3»."""
    pairs: Pairs = []
    for place, segment in enumerate(segments):
        values = [part for part in segment if part.kind in _VALUES]
        named = {part.place for part in segment if part.kind is Kind.LABEL}
        if len(values) != 1 or not named <= {place}:
            return []
        pairs.append((place, values[0]))
    return pairs if len(pairs) == places else []


def _in_turn(parts: Sequence[Part]) -> Pairs:
    """Pairs where names and numbers take turns, whatever separates them."""
    said = [part for segment in _segments(parts) for part in segment]
    if len(said) % 2:
        return []
    pairs: Pairs = []
    for one, other in zip(said[::2], said[1::2], strict=True):
        label, value = (one, other) if said[0].kind is Kind.LABEL else (other, one)
        if label.kind is not Kind.LABEL or value.kind not in _VALUES:
            return []
        pairs.append((label.place, value))
    return pairs


def _names(labels: Sequence[str], lexicon: Lexicon) -> Iterator[Phrase]:
    whole = [fold(label) for label in labels]
    places: dict[str, set[int]] = {}
    for place, label in enumerate(labels):
        yield label, Sense.LABEL, place
        for run in {*_parts_of_label(label), *_runs(label, lexicon)}:
            places.setdefault(run, set()).add(place)
    for run, naming in places.items():
        if len(naming) == 1 and fold(run) not in whole:
            yield run, Sense.LABEL, naming.pop()


def _parts_of_label(label: str) -> list[str]:
    """«Hóa lý» and «Môi trường» of «Hóa lý - Môi trường»."""
    segments = [" ".join(segment.split()) for segment in _BETWEEN_SEGMENTS.split(label.casefold())]
    return [segment for segment in segments if segment and not segment[0].isdigit()]


@lru_cache(maxsize=4096)  # the labels of a form are the same few
def _runs(label: str, lexicon: Lexicon) -> tuple[str, ...]:
    """A few words of a label that stand together and mean nothing else."""
    words = _WORD.findall(label.casefold())
    runs = (
        " ".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(start + _LONGEST_RUN, len(words)) + 1)
    )
    return tuple(run for run in runs if _is_name(run, lexicon))


def _is_name(run: str, lexicon: Lexicon) -> bool:
    tokens = read_tokens(fold(run), lexicon)
    return not tokens[0].may_begin_number and not all(token.senses for token in tokens)
