"""The fake Telegram: an HTTP server, and the world behind it."""

import asyncio
import random
import re
import socket
import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

import aiohttp
import orjson
from aiohttp import web

from tests.fakes.telegram.calls import Call, read_call
from tests.fakes.telegram.chats import Json, Sent, World
from tests.fakes.telegram.faults import Fault, Faults, Kind
from tests.fakes.telegram.files import Files
from tests.fakes.telegram.inbox import Inbox, Timing
from tests.fakes.telegram.limits import ANY, Limits, Meter
from tests.fakes.telegram.methods import Methods
from tests.fakes.telegram.people import BOUND, Group, Person, Tap
from tests.fakes.telegram.refusals import WEBHOOK_ACTIVE, Refusal, conflict, too_many
from tests.fakes.telegram.webhook import Webhook

TOKEN = "123456789:AAFakeTokenFakeTokenFakeTokenFake000"
SHAPE = re.compile(r"[1-9]\d*:[\w-]{30,}")
LARGEST_BODY = 64 * 2**20
HTML_502 = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"


class FakeTelegram:
    """A Telegram of one bot, on a free port of this machine.

    `limits` and `timing` are records, `faults` a schedule; `log` bounds how much of what was sent is remembered,
    `keep` how many messages each chat keeps; `seed` fixes the ids. What a test may look at: `sent`, `acknowledged`,
    `deliveries`, `violations`, `suspicions`, `faults.counts`, `taps`, `actions`, `opened`, `commands`.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        username: str = "doluong_bot",
        limits: Limits | None = None,
        faults: Faults | None = None,
        timing: Timing | None = None,
        seed: int = 0,
        port: int = 0,
        log: int | None = 1_000_000,
        keep: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.token = token
        self.faults = faults or Faults()
        self.timing = timing or Timing()
        self.clock = clock
        chance = random.Random(seed)
        bot_id = int(token.partition(":")[0])
        bot: Json = {"id": bot_id, "is_bot": True, "first_name": "Trợ lý", "username": username}
        self.world = World(bot, chance, now, keep)
        self.files = Files(chance)
        self.meter = Meter(limits or Limits(), clock)
        self.acknowledged: deque[int] = deque(maxlen=log)
        first = chance.randrange(10**8, 9 * 10**8)
        self.inbox = Inbox(self.world, self.faults, self.timing, first, self.acknowledged)
        self.sent: deque[Sent] = deque(maxlen=log)
        self.suspicions: list[str] = []
        self.taps: dict[str, Tap] = {}
        self.actions: deque[tuple[int, str]] = deque(maxlen=log)
        self.opened: list[str] = []
        self.commands: dict[str, list[dict[str, str]]] = {}
        self.descriptions: dict[tuple[str, str], str] = {}
        self.menu: Json = {"type": "default"}
        self.webhook: Webhook | None = None
        self.other_pages: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] | None = None
        self.requests = 0
        self.revoked = False
        self.methods = Methods(self)
        self._order = 0
        self._port = port
        self._runner: web.ServerRunner | None = None
        self._broken: list[Exception] = []
        self._ending: set[asyncio.Task[None]] = set()

    # To be started and found.

    async def __aenter__(self) -> Self:
        server = web.Server(self._serve, request_factory=_request, access_log=None)
        self._runner = web.ServerRunner(server, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=1024)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        self.bring_no_more()
        self.inbox.end_poll()
        await asyncio.gather(*self._ending)
        if self._runner is not None:
            await self._runner.cleanup()
        if self._broken and kind is None:
            raise ExceptionGroup("the fake itself broke", self._broken)

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        """What python-telegram-bot puts before the token."""
        return f"{self.address}/bot"

    @property
    def base_file_url(self) -> str:
        """The same, for files."""
        return f"{self.address}/file/bot"

    # The people.

    def person(
        self, first_name: str = "An", *, id: int = 0, language_code: str = "vi", username: str = ""
    ) -> Person:
        """Somebody new, whose id needs up to 52 bits, as the documentation warns."""
        number = id or self.world.chance.randrange(2**33, 2**52)
        person = Person(self, number, first_name, language_code, username)
        self.world.people[number] = person
        return person

    def group(self, title: str, members: Sequence[Person]) -> Group:
        """A group the bot is not in yet."""
        chat = self.world.chat(-self.world.chance.randrange(2**31, 2**32), "group", title=title)
        chat.bot_status = "left"
        return Group(self, chat, list(members))

    def update(self, kind: str, body: Any, chat_id: int = 0) -> int:
        """An update of a kind nobody knows yet, or of any shape."""
        return self.inbox.add(kind, body, chat_id)

    # The whole of it.

    @property
    def limits(self) -> Limits:
        """The limits in force; another record may be set at any time."""
        return self.meter.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self.meter.limits = limits

    @property
    def deliveries(self) -> dict[int, int]:
        """How often each update was given."""
        return self.inbox.given

    @property
    def forgotten(self) -> list[int]:
        """Updates that were dropped unread, by a negative offset or drop_pending_updates."""
        return self.inbox.forgotten

    @property
    def violations(self) -> list[str]:
        """What was sent over a limit, or while told to wait."""
        return self.meter.violations

    @property
    def unanswered(self) -> list[Tap]:
        """Taps whose little clock still turns."""
        return [tap for tap in self.taps.values() if not tap.answers]

    async def settled(self, bound: float = BOUND) -> None:
        """Wait until every update was acknowledged, by an offset or a 2xx."""
        await self.inbox.changed.until(lambda: self.inbox.idle, bound, f"{self.inbox.waiting} updates wait")

    def revoke(self) -> None:
        """The token is good for nothing any more; a poll that waits is told."""
        self.revoked = True
        self.inbox.end_poll(Refusal(401, "Unauthorized"))

    def restore(self) -> None:
        """The token is good again."""
        self.revoked = False

    # What the parts tell.

    def suspect(self, sentence: str) -> None:
        """Note something the real server lets pass and hardly anybody means."""
        if len(self.suspicions) < 1000:
            self.suspicions.append(sentence)

    def took(self, sent: Sent) -> None:
        """Note what was taken."""
        self._order += 1
        sent.order = self._order
        self.sent.append(sent)

    def bring(self, url: str, secret: str, most: int) -> None:
        """Bring updates to a webhook from now on."""
        self.bring_no_more()
        self.inbox.give_way()
        self.webhook = self.methods.new_webhook(url, secret, most)
        self.webhook.start()

    def bring_no_more(self) -> None:
        """The webhook is no more."""
        if self.webhook is not None:
            self.inbox.offer = None
            task = asyncio.get_running_loop().create_task(self.webhook.stop())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            self.webhook = None

    # Requests.

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """A fault of the fake itself must not pass for one of the schedule: it is raised at the end."""
        try:
            return await self._handle(request)
        except (web.HTTPException, aiohttp.ClientError, OSError):
            raise
        except Exception as trouble:
            self._broken.append(trouble)
            raise

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path.startswith("/bot"):
            return await self._method(request, path[4:])
        if path.startswith("/file/bot"):
            return self._download(path[9:])
        if self.other_pages is not None:
            return await self.other_pages(request)
        return _json(Refusal(404, "Not Found"))

    async def _method(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        token, _, name = path.partition("/")
        self.requests += 1
        try:
            self._check_token(token)
            call = await read_call(request, name.lower(), self.suspect)
        except Refusal as refusal:
            return _json(refusal)
        fault = self.faults.of_call(call)
        if fault is None:
            return await self._answer(call, request)
        return await self._faulty(call, request, fault)

    def _check_token(self, token: str) -> None:
        """What is no token at all is not found; a wrong one is not authorized."""
        if not SHAPE.fullmatch(token):
            raise Refusal(404, "Not Found")
        if token != self.token or self.revoked:
            raise Refusal(401, "Unauthorized")

    async def _answer(self, call: Call, request: web.BaseRequest) -> web.Response:
        body, status, sent = await self._body(call, request)
        if sent is not None:
            sent.answered = _stands(request)
        return web.Response(body=body, status=status, content_type="application/json")

    async def _body(self, call: Call, request: web.BaseRequest) -> tuple[bytes, int, Sent | None]:
        """Carry it out: the JSON, the status, and what was taken."""
        before = self._order
        try:
            if call.method == "getupdates":
                return b'{"ok":true,"result":%s}' % await self._updates(call, request), 200, None
            result = self.methods.run(call)
        except Refusal as refusal:
            return refusal.body, refusal.code, None
        sent = self.sent[-1] if self._order > before and self.sent else None
        return b'{"ok":true,"result":%s}' % orjson.dumps(result), 200, sent

    async def _updates(self, call: Call, request: web.BaseRequest) -> bytes:
        self.methods.look_at(call)
        if self.webhook is not None:
            raise conflict(WEBHOOK_ACTIVE)
        self.methods.ask_for(call)
        limit = call.integer("limit", 100, 1, 100)
        timeout = call.integer("timeout", 0, 0, 50)
        return await self.inbox.poll(call.integer("offset"), limit, timeout, lambda: _stands(request))

    async def _faulty(self, call: Call, request: web.BaseRequest, fault: Fault) -> web.StreamResponse:
        match fault.kind:
            case Kind.RESET_BEFORE:
                return _reset(request)
            case Kind.RESET_AFTER:
                await self._body(call, request)
                return _reset(request)
            case Kind.TRUNCATED:
                body, status, _ = await self._body(call, request)
                return web.Response(
                    body=body[: len(body) // 2], status=status, content_type="application/json"
                )
            case Kind.SLOW:
                await asyncio.sleep(fault.lasting)
                return await self._answer(call, request)
            case Kind.LATE:
                return await self._late(call, request, fault.lasting)
            case _:
                return await self._refused(call, request, fault)

    async def _late(self, call: Call, request: web.BaseRequest, seconds: float) -> web.Response:
        body, status, sent = await self._body(call, request)
        await asyncio.sleep(seconds)
        if sent is not None:
            sent.answered = _stands(request)
        return web.Response(body=body, status=status, content_type="application/json")

    async def _refused(self, call: Call, request: web.BaseRequest, fault: Fault) -> web.Response:
        if fault.taken:
            await self._body(call, request)
        match fault.kind:
            case Kind.TOO_MANY:
                seconds = max(1, round(fault.lasting))
                return _json(too_many(self.meter.park(call.chat_id or ANY, seconds)))
            case Kind.UNAUTHORIZED:
                return _json(Refusal(401, "Unauthorized"))
            case Kind.CONFLICT:
                return _json(conflict("terminated by other getUpdates request"))
            case Kind.BAD_GATEWAY:
                return web.Response(body=HTML_502, status=502, content_type="text/html")
            case Kind.GATEWAY_TIMEOUT:
                return _json(Refusal(504, "Gateway Timeout"))
            case _:
                return _json(Refusal(500, "Internal Server Error"))

    def _download(self, path: str) -> web.Response:
        """A file by its path. The real server answers JSON to what it does not find."""
        token, _, name = path.partition("/")
        try:
            self._check_token(token)
        except Refusal as refusal:
            return _json(refusal)
        file = self.files.by_path.get(name)
        if file is None:
            return _json(Refusal(404, "Not Found"))
        return web.Response(body=file.data, content_type="application/octet-stream")


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """A request that may carry 50 MB."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=LARGEST_BODY)


def _json(refusal: Refusal) -> web.Response:
    return web.Response(body=refusal.body, status=refusal.code, content_type="application/json")


def _stands(request: web.BaseRequest) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _reset(request: web.BaseRequest) -> web.Response:
    """Break the connection so that the client sees a reset; what is returned never leaves."""
    transport = request.transport
    if transport is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()
