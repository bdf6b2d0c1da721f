"""The other end of a bot, as cheap as Python can be: it answers every method, and brings updates to a webhook.

The strict fake of tests/fakes/telegram costs more than what is measured. This one checks only what a count needs: which
chat got which words, and that each update was answered 200.
"""

import asyncio
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self, cast
from urllib.parse import parse_qs, urlsplit

import orjson

BOT = 4_200_000_001
TOKEN = f"{BOT}:AAF-benchmark-token"
SECRET = "s" * 64  # of echoes, which tell nobody theirs
PATH = "/telegram"
LONGEST = 30.0  # seconds for one load
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
_ME = {"id": BOT, "is_bot": True, "first_name": "Trợ lý Đo lường", "username": "bench_bot"}


@dataclass(frozen=True, slots=True)
class Update:
    """What somebody writes, as Telegram brings it, and the words that must come back; None: any."""

    chat: int
    body: bytes
    expected: str | None


def update(number: int, chat: int, text: str, expected: str | None) -> Update:
    """A message in a private chat; https://core.telegram.org/bots/api#message."""
    name = {"first_name": "An", "last_name": "Nguyễn", "username": f"an_{chat}"}
    message = {
        "message_id": number,
        "from": {"id": chat, "is_bot": False, **name, "language_code": "vi"},
        "chat": {"id": chat, **name, "type": "private"},
        "date": 1_795_140_000,
        "text": text,
    }
    return Update(chat, orjson.dumps({"update_id": number, "message": message}), expected)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that arrived; `at` is monotonic seconds."""

    chat: int
    text: str
    at: float


def _ignore(_sent: Sent) -> None:
    """Nobody waits for it."""


@dataclass
class FarEnd:
    """Answers like api.telegram.org; `delay` is how many seconds it thinks about a message."""

    secret: str = SECRET
    delay: float = 0.0
    on_sent: Callable[[Sent], None] = _ignore
    count: int = 0
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Answering(self), "127.0.0.1", 0, backlog=1_000)
        return self

    async def __aexit__(self, *_fault: object) -> None:
        assert self._server
        self._server.close()

    @property
    def address(self) -> str:
        """Where it is, such as http://127.0.0.1:4242."""
        assert self._server
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def answer(self, path: bytes, body: bytes) -> tuple[Any, float]:
        """What a method gives back, and after how many seconds."""
        method = path.rpartition(b"/")[2].lower()
        if method == b"sendmessage":
            return self._sent(*_said(body)), self.delay
        if method == b"getme":
            return _ME, 0.0
        if method == b"setwebhook":
            self.secret = orjson.loads(body)["secret_token"]
        return True, 0.0

    def _sent(self, chat: int, text: str) -> Any:
        self.count += 1
        self.on_sent(Sent(chat, text, time.perf_counter()))
        where = {"id": chat, "first_name": "An", "last_name": "Nguyễn", "type": "private"}
        return {"message_id": self.count, "from": _ME, "chat": where, "date": 1_795_140_000, "text": text}


def _said(body: bytes) -> tuple[int, str]:
    """Chat and words of a message, sent as JSON or as a form."""
    given = (
        orjson.loads(body) if body.startswith(b"{") else {k: v for k, [v] in parse_qs(body.decode()).items()}
    )
    return int(given["chat_id"]), given["text"]


class _Talking(asyncio.Protocol):
    """Reads whole HTTP messages whose length is said."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by class

    def data_received(self, data: bytes) -> None:
        self._came += data
        while (end := self._came.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._came, 0, end + 2)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._came) < whole:
                return
            message, self._came = self._came[:whole], self._came[whole:]
            self.heard(message.partition(b"\r\n")[0], message[end + 4 :])

    def heard(self, first: bytes, body: bytes) -> None:
        """A message is whole; `first` is its first line."""
        raise NotImplementedError


class _Answering(_Talking):
    """One connection from a bot."""

    def __init__(self, end: FarEnd) -> None:
        super().__init__()
        self._end = end

    def heard(self, first: bytes, body: bytes) -> None:
        result, delay = self._end.answer(first.split(b" ")[1], body)
        text = orjson.dumps({"ok": True, "result": result})
        answer = _HEAD.format(len(text)).encode() + text
        if delay:
            asyncio.get_running_loop().call_later(delay, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)


class _Bringing(_Talking):
    """One connection on which updates are brought, one after the other."""

    def __init__(self, taken: Callable[["_Bringing", bytes], None]) -> None:
        super().__init__()
        self._taken = taken

    def bring(self, head: str, one: Update) -> None:
        """Send one update."""
        self.transport.write(head.format(len(one.body)).encode() + one.body)

    def heard(self, first: bytes, body: bytes) -> None:
        self._taken(self, first.removeprefix(b"HTTP/1.1 ")[:3])


@dataclass(eq=False)
class Load:
    """A closed loop: so many updates are open, each from its sending until it was answered 200 and replied to."""

    end: FarEnd
    address: str
    faults: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)  # seconds from an update to its reply
    _slots: list[_Bringing] = field(default_factory=list)
    _open: dict[int, tuple[_Bringing, Update, float]] = field(default_factory=dict)
    _on: dict[_Bringing, int] = field(default_factory=dict)  # which chat's update is on a connection
    _half: set[int] = field(default_factory=set)  # chats of which one of the two has come
    _head: str = ""
    _coming: Iterator[Update] = field(default_factory=lambda: iter(()))
    _over: asyncio.Future[None] | None = None

    async def connect(self, connections: int) -> None:
        """Open the connections, before anything is measured."""
        loop, where = asyncio.get_running_loop(), urlsplit(self.address)
        assert where.hostname
        assert where.port
        for _ in range(connections):
            _, slot = await loop.create_connection(
                partial(_Bringing, self._taken), where.hostname, where.port
            )
            slot.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._slots.append(slot)
        self._head = (
            f"POST {PATH} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {self.end.secret}\r\nContent-Length: {{}}\r\n\r\n"
        )
        self.end.on_sent = self._sent

    async def run(self, updates: Iterable[Update]) -> float:
        """Bring all of them; gives back the seconds it took. Raises AssertionError when the work was not done."""
        self._coming, self._over = iter(updates), asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        for slot in self._slots:
            self._next(slot)
        try:
            await asyncio.wait_for(self._over, LONGEST)
        except TimeoutError:
            self.faults.append(f"{len(self._open)} updates were not replied to")
        took = time.perf_counter() - began
        assert not self.faults, self.faults[:3]
        return took

    def close(self) -> None:
        """Close the connections."""
        for slot in self._slots:
            slot.transport.close()
        self._slots.clear()
        self.end.on_sent = _ignore

    def _next(self, slot: _Bringing) -> None:
        one = next(self._coming, None)
        if one is None:
            if not self._open and self._over and not self._over.done():
                self._over.set_result(None)
            return
        self._open[one.chat] = slot, one, time.perf_counter()
        self._on[slot] = one.chat
        slot.bring(self._head, one)

    def _taken(self, slot: _Bringing, status: bytes) -> None:
        if status != b"200":
            self.faults.append(f"an update was answered {status.decode()}")
        self._came(self._on[slot])

    def _sent(self, sent: Sent) -> None:
        found = self._open.get(sent.chat)
        if found is None:
            self.faults.append(f"nobody waits for: {sent.text[:60]!r}")
            return
        _, one, began = found
        if one.expected is not None and sent.text != one.expected:
            self.faults.append(f"{one.expected[:200]!r} was to be said, not {sent.text[:200]!r}")
        self.latencies.append(sent.at - began)
        self._came(sent.chat)

    def _came(self, chat: int) -> None:
        """The 200 or the reply; with the second of them the next update goes out."""
        if chat not in self._half:
            self._half.add(chat)
            return
        self._half.discard(chat)
        slot, _, _ = self._open.pop(chat)
        self._next(slot)
