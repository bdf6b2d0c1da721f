"""Visitors of the web chat who never give up: each posts one message after another and the same one until it is taken."""

import asyncio
import itertools
import random
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

import aiohttp

from bot.channels.web.channel import COOKIE, address_of, new_visitor

PATIENCE = 20.0  # seconds after which a service that still runs has lost a message
LONGEST_PAUSE = 0.04  # seconds between two messages of a visitor
TWICE_AT_ONCE = 0.1  # how many messages go out twice in the same moment
AGAIN_LATER = 0.1  # after how many messages an earlier one is repeated
BACK_OFF = 0.1  # seconds that a sender waits while the service takes nothing; nothing is judged by it

Kind = Literal["known", "unknown", "hand", "menu", "ticket"]


class Refused(Exception):
    """The service answered with something no visitor who does nothing wrong may hear."""


@dataclass(frozen=True)
class Sending:
    """One message with the id its sender made; `about` is the question that is asked or handed on."""

    id: str
    kind: Kind
    body: dict[str, str]
    about: str = ""


def script(name: str) -> Iterator[Sending]:
    """What a visitor says, without end: known and unknown questions, most of the unknown handed to staff."""
    for number in itertools.count(1):
        unknown = f"Quán phở {name}x{number} mở cửa lúc mấy giờ?"
        yield _sending("known", text="Mục tiêu đến năm 2030 là gì?")
        yield _sending("unknown", unknown, text=unknown)
        if number % 4:
            yield _sending("hand", unknown, tap="ask:hand", label="Chuyển cho cán bộ")
        yield _sending("ticket", text="Q1")
        yield _sending("menu", text="menu")


def _sending(kind: Kind, about: str = "", **what: str) -> Sending:
    name = uuid.uuid4().hex
    return Sending(name, kind, {"id": name, **what}, about)


class Visitor:
    """One visitor and what they know: everything sent, and everything acknowledged with its cursor."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self._chance = chance
        self._script = script(name)
        cookie = new_visitor()
        self._headers = {"Cookie": f"{COOKIE}={cookie}"}
        self.address = address_of(cookie)
        self.sent: dict[str, Sending] = {}
        self.acknowledged: dict[str, int] = {}
        self.pending: Sending | None = None
        self.sent_again = self.repeated = self.refused = 0

    async def talk(self, session: aiohttp.ClientSession, answered: asyncio.Event) -> None:
        """Say one thing after another until the service is gone; tell when the first of it is answered."""
        try:
            await self._settle_pending(session)
            while True:
                await asyncio.sleep(self._chance.uniform(0, LONGEST_PAUSE))
                await self._say_next(session)
                answered.set()
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError):
            return

    async def finish(self, session: aiohttp.ClientSession) -> None:
        """Settle what is open, then repeat the last few things, which must change nothing."""
        await self._settle_pending(session)
        for name in list(self.acknowledged)[-5:]:
            await self._repeat(session, name)

    async def _settle_pending(self, session: aiohttp.ClientSession) -> None:
        if self.pending:
            self.sent_again += 1
            await self._until_taken(session, self.pending)

    async def _say_next(self, session: aiohttp.ClientSession) -> None:
        self.pending = sending = next(self._script)
        self.sent[sending.id] = sending
        if self._chance.random() < TWICE_AT_ONCE:
            self.repeated += 1
            await _both(self._post(session, sending), self._post(session, sending))
        await self._until_taken(session, sending)
        if self._chance.random() < AGAIN_LATER:
            await self._repeat(session, self._chance.choice(list(self.acknowledged)))

    async def _until_taken(self, session: aiohttp.ClientSession, sending: Sending) -> None:
        if sending.id not in self.acknowledged:
            await until_taken(lambda: self._post(session, sending))

    async def _repeat(self, session: aiohttp.ClientSession, name: str) -> None:
        self.repeated += 1
        await self._post(session, self.sent[name])

    async def _post(self, session: aiohttp.ClientSession, sending: Sending) -> bool:
        """Post once; whether it was acknowledged, which is noted. Raises Refused and aiohttp's ClientError."""
        async with session.post("/chat", json=sending.body, headers=self._headers) as response:
            answer = await response.json()
        if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.refused += 1
            return False
        if response.status != HTTPStatus.OK:
            raise Refused(f"{response.status} for {sending.body}: {answer}")
        self.acknowledged[sending.id] = max(answer["cursor"], self.acknowledged.get(sending.id, 0))
        if self.pending is sending:
            self.pending = None
        return True

    async def heard(self, session: aiohttp.ClientSession, upto: int) -> list[tuple[int, str]]:
        """Everything the service has for this visitor, from the first message to the one at cursor `upto`."""
        lines: list[tuple[int, str]] = []
        cursor = 0
        while cursor < upto:
            asked = {"after": str(cursor), "wait": "5"}
            async with session.get("/chat/events", params=asked, headers=self._headers) as response:
                answer = await response.json()
            if response.status != HTTPStatus.OK or not answer["messages"]:
                break
            lines += [(line["cursor"], line["text"]) for line in answer["messages"]]
            cursor = answer["cursor"]
        return lines


async def until_taken(post: Callable[[], Awaitable[bool]]) -> None:
    """Post the same again until it is taken; the service may be busy, or about to end."""
    while not await post():  # noqa: ASYNC110  another process takes it, and no event tells when
        await asyncio.sleep(BACK_OFF)


async def _both(*posts: Any) -> None:
    """Wait for both, then raise what went wrong with either."""
    for result in await asyncio.gather(*posts, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def connected(address: str) -> aiohttp.ClientSession:
    """The way to the service at this address; visitors bring their own cookies."""
    return aiohttp.ClientSession(
        address, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=PATIENCE)
    )
