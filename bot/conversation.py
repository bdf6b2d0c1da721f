"""One turn: from what a channel received to what became of it."""

import asyncio
import json
import secrets
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.logs import log
from handlers.dialogue import (
    Cue,
    Edited,
    InGroup,
    SaidTooMuch,
    SentFile,
    SentOther,
    Started,
    Tapped,
    Unreadable,
)
from handlers.hearing import Hearing
from handlers.labels import Labels
from storage.unit_of_work import Done, Turn
from storage.writer import Job, Result, Work, Writer

MOST_READ = 4_000  # characters of one message that are read
MOST_KEPT = 4_000  # characters of one message that are kept

_CAME = ("text", "tap", "label", "start", "file", "cue")
_JSON = json.JSONEncoder(ensure_ascii=False, default=str)

_BYTES = 16
_AT_ONCE = 256  # turns

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Inbound:
    """What a channel received, in its plainest form: one of text, tap, start, file and cue, or a file with text.

    `key` is the channel's own name for this update, unique in the channel. `label` is what the tapped button read, where the channel knows it,
    `tapped_on` the channel's own id of its message. `cue` is what has no words, such as an edited message; `raw` the
    update as it came, where it could not be read.
    """

    channel: str
    address: str
    key: str
    text: str | None = None
    tap: str | None = None
    label: str | None = None
    start: str | None = None
    file: SentFile | None = None
    cue: Edited | InGroup | SentOther | Unreadable | None = None
    tapped_on: str | None = None
    raw: str | None = None
    shows_greeting: bool = False


# Marks that turn the direction of writing: nobody here types them, and what stands behind them reads as it is not.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str) -> str:
    """Text as it may be stored: NFC, no control characters but tab and newline, no turning marks, no lone surrogates."""
    if text.isprintable():  # nothing of all this is
        return unicodedata.normalize("NFC", text)
    text = text.encode("utf-8", "ignore").decode("utf-8") if not text.isascii() else text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (letter for letter in text if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", "".join(letter for letter in kept if letter not in _TURNING))


class Conversation:
    """Understands what came in and gives it to the writer; the async side of the store."""

    def __init__(
        self,
        writer: "WriterFactory",
        hearing: Hearing,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], str] | None = None,
    ) -> None:
        self._hearing = hearing
        self._labels = Labels(hearing.content)
        self._now = now
        self._chance = chance or Chance()
        self._waiting: dict[Work, asyncio.Future[Any]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settled: list[Callable[[Turn, Done], None]] = []
        self._senders: dict[str, str] = {}
        self._writer = writer(self._release)

    def start(self) -> None:
        """Begin to take turns; called inside the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._writer.start()

    async def stop(self) -> None:
        """Finish what was taken and stop."""
        await asyncio.to_thread(self._writer.stop)

    def on_settled(self, listener: Callable[[Turn, Done], None]) -> None:
        """Call `listener` in the event loop after each turn's commit."""
        self._settled.append(listener)

    def sends(self, channel: str, process: str) -> None:
        """Answers on this channel are sent by the process of this name, not fetched by their reader."""
        self._senders[channel] = process

    def is_sent(self, channel: str) -> bool:
        """Whether a process of ours sends what is said on this channel."""
        return channel in self._senders

    async def take(self, inbound: Inbound) -> Done:
        """Take one turn; returns after its commit, or raises StoreUnavailable when nothing was kept."""
        turn = self._understood(inbound)
        done: Done = await self._submit(turn)
        return done

    async def run(self, function: Callable[[sa.Connection], Answer]) -> Answer:
        """Do desk or clock work in the writer's thread; `function` may run again and holds no clock, randomness or I/O."""
        answer: Answer = await self._submit(Job(function))
        return answer

    def _submit(self, work: Work) -> asyncio.Future[Any]:
        assert self._loop is not None, "start() comes first"
        future = self._loop.create_future()
        self._waiting[work] = future
        self._writer.submit(work)
        return future

    def _release(self, settled: Sequence[tuple[Work, Result]]) -> None:
        """Called in the writer's thread after a commit: hand the whole group over at once."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._settle, settled)

    def _settle(self, settled: Sequence[tuple[Work, Result]]) -> None:
        for work, result in settled:
            if isinstance(work, Turn) and isinstance(result, Done):
                for listener in self._settled:
                    listener(work, result)
            future = self._waiting.pop(work, None)
            if future is None or future.cancelled():
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _understood(self, inbound: Inbound) -> Turn:
        kind, text, cue = self._cue(inbound)
        return Turn(
            inbound.channel,
            inbound.address,
            inbound.key,
            cue,
            self._now(),
            kind,
            text[:MOST_KEPT],
            _raw(inbound),
            inbound.shows_greeting,
            self._chance(),
            self._senders.get(inbound.channel),
            inbound.tapped_on,
        )

    def _cue(self, inbound: Inbound) -> tuple[str, str, Cue]:
        """The kind of turn, the words to keep, and the cue."""
        if inbound.tap is not None:
            label = inbound.label or self._labels(inbound.tap) or inbound.tap
            return "tap", clean(label), Tapped(clean(inbound.tap))
        if inbound.start is not None:
            return "start", "", Started(clean(inbound.start))  # a payload may open something: it is not kept
        if inbound.file is not None:
            name, media_type = clean(inbound.file.name), clean(inbound.file.media_type)
            return self._with_words(SentFile(name, media_type, inbound.file.fault), clean(inbound.text or ""))
        if isinstance(inbound.cue, SentOther):
            words = clean(inbound.cue.words)
            return "file", f"{inbound.cue.kind}: {words}" if words else inbound.cue.kind, inbound.cue
        if inbound.cue is not None:
            return "other", "", inbound.cue
        text = clean(inbound.text or "")
        if len(text) > MOST_READ:
            return "text", text, SaidTooMuch(MOST_READ)
        return "text", text, self._hearing(text)

    def _with_words(self, file: SentFile, text: str) -> tuple[str, str, Cue]:
        """A file, or the words that came with it."""
        if not text:
            return "file", file.name, file
        cue = replace(self._hearing(text), beside=file) if len(text) <= MOST_READ else SaidTooMuch(MOST_READ)
        return "file", f"{file.name}: {text}", cue


class Chance:
    """128 random bits in hexadecimal at each call, from the system's source, fetched for many turns at once.

    Each fetch lets another thread in, and costs as much as understanding what somebody said.
    """

    def __init__(self) -> None:
        self._left: Iterator[str] = iter(())

    def __call__(self) -> str:
        """The next."""
        found = next(self._left, None)
        if found is None:
            drawn = secrets.token_hex(_BYTES * _AT_ONCE)
            self._left = iter([drawn[at : at + 2 * _BYTES] for at in range(0, len(drawn), 2 * _BYTES)])
            return next(self._left)
        return found


WriterFactory = Callable[[Callable[[Sequence[tuple[Work, Result]]], None]], Writer]


def log_failed(turn: Turn, error: BaseException) -> None:
    """Alert the operator to a turn that always fails; its words stay in the database."""
    log.error("turn failed", channel=turn.channel, key=turn.key, kind=turn.kind, exc_info=error)


def _raw(inbound: Inbound) -> str:
    """The update as it came, for whoever looks into one that failed."""
    if inbound.raw is not None:
        return clean(inbound.raw)[:MOST_KEPT]
    came = {name: value for name in _CAME if (value := getattr(inbound, name)) is not None}
    return clean(_JSON.encode(came))[:MOST_KEPT]
