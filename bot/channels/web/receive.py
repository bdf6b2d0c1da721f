"""The web chat's doors: the page, what comes in, what goes out.

GET  /                            the page, with the greeting and the talk so far in its HTML
POST /chat                        one message, JSON or multipart; 200 after the commit
GET  /chat/events?after=CURSOR    what is new, as server-sent events; as JSON with &wait=SECONDS;
                                      with &mine the visitor's own words too, for a second tab
GET  /chat/files/REFERENCE        a file of the visitor's own; 404 for any other
POST /chat/leave                  «không phải tôi»: ends this conversation on this machine
"""

import asyncio
import base64
import hashlib
import json
import math
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from bot.channels.base import render
from bot.channels.web.channel import COOKIE, IDLE_DAYS, WEB, address_of, is_visitor, new_visitor
from bot.channels.web.limits import Limit
from bot.channels.web.pages import Pages
from bot.channels.web.record import recorded
from bot.conversation import MOST_KEPT, Conversation, Inbound
from bot.files import FileMade, Files
from bot.logs import log
from bot.received import received
from bot.settings import Settings
from content.catalogue import Catalogue
from content.model import Language
from handlers.home import Home
from handlers.messages import Choice, Control, Message
from storage import people, talks
from storage.database import Database
from storage.errors import StoreUnavailable, is_unavailable
from storage.outbox import Line

HERE = Path(__file__).parent
LARGEST_JSON = 512 * 1024
LARGEST_FILE = 10 * 1024 * 1024
LONGEST_WAIT = 25.0  # seconds
FILES = "/chat/files/"
RETRY_AFTER = 2  # seconds, when the store cannot take a message

# The style stands in the page itself: as a file of its own it would keep a slow phone waiting for one more journey
# before the first word is shown. The policy names its hash, so no other style runs.
STYLE = "".join(
    path.read_text(encoding="utf-8") for path in (HERE.parents[1] / "look.css", HERE / "page.css")
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'sha256-{_STYLE_HASH}'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class _Refused(Exception):
    """A request is answered with one clear sentence."""

    def __init__(self, status: int, key: str, *, retry_after: int | None = None) -> None:
        self.status, self.key, self.retry_after = status, key, retry_after


class Posted(BaseModel):
    """What the page posts to /chat: a client-made id and exactly one of text, tap and start."""

    model_config = ConfigDict(extra="ignore", strict=True)

    id: str = Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")
    text: str | None = None
    tap: str | None = Field(default=None, max_length=MOST_KEPT)  # of tick boxes, all that are ticked
    label: str | None = Field(default=None, max_length=MOST_KEPT)
    start: str | None = Field(default=None, max_length=500)

    @model_validator(mode="after")
    def _one(self) -> "Posted":
        if sum(value is not None for value in (self.text, self.tap, self.start)) != 1:
            raise ValueError("exactly one of text, tap and start")
        return self


class Web:
    """The web chat of one process."""

    can = WEB

    def __init__(
        self,
        settings: Settings,
        say: Catalogue,
        home: Home,
        database: Database,
        conversation: Conversation,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        files: Files | None = None,
    ) -> None:
        self._settings = settings
        self._say = say
        self._home = home
        self._database = database
        self._conversation = conversation
        self._now = now
        self._files = files
        self.pages = Pages(database, conversation, WEB.name, now)
        self._messages = Limit(settings.messages_per_minute)
        self._visitors = Limit(settings.visitors_per_minute)
        self._versions: dict[str, str] = {}
        environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
        self._template = environment.get_template("page.html")

    def routes(self) -> list[BaseRoute]:
        """What this channel answers."""
        return [
            Route("/", self._page),
            Route("/chat", self._post, methods=["POST"]),
            Route("/chat/events", self._events),
            Route(f"{FILES}{{reference:path}}", self._download),
            Route("/chat/leave", self._leave, methods=["POST"]),
            Mount("/static", _Static(directory=HERE / "static")),
        ]

    def hooks(self) -> dict[str, ASGIApp]:
        """None: only browsers come here."""
        return {}

    async def start(self) -> None:
        """Begin to supply open pages."""
        self.pages.start()

    async def stop(self) -> None:
        """Close them."""
        await self.pages.stop()

    def health(self) -> str:
        """It is open as long as the process answers."""
        return "open"

    # The page

    async def _page(self, request: Request) -> Response:
        cookie = _cookie(request)
        status = 200
        try:
            talk = await asyncio.to_thread(self._talk, cookie) if cookie else None
        except Exception as error:
            if not is_unavailable(error):
                raise
            talk, status = None, 503  # the greeting needs no database; the page asks again by itself
        if talk and (talk.closed or self._now() - talk.seen_at > timedelta(days=IDLE_DAYS)):
            cookie, talk = None, None
        language: Language = "en" if talk and talk.language == "en" else "vi"
        greeting = {**_shown(self._home.greeting(language)), "who": "assistant"}
        shown = recorded([greeting, *(_entry(entry) for entry in (talk.entries if talk else ()))])
        html = self._template.render(
            words=_Words(self._say, language),
            language=language,
            office=self._home.office(language),
            demo=self._settings.demo,
            talk=shown,
            progress=next(
                (one.get("progress") for one in reversed(shown) if one["who"] == "assistant"), None
            ),
            cursor=talk.cursor if talk else 0,
            style=Markup(STYLE),  # noqa: S704  our own file
            static=self._static,
        )
        response = Response(html, status, media_type="text/html", headers=_HEADERS)
        self._set_cookie(response, cookie or new_visitor())
        return response

    def _talk(self, cookie: str) -> talks.Talk | None:
        with self._database.reader.connect() as connection:
            return talks.recent(connection, WEB.name, address_of(cookie))

    def _static(self, name: str) -> str:
        """The address of a file, different for each version of it, so that browsers may keep it for a year."""
        if name not in self._versions:
            self._versions[name] = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
        return f"/static/{name}?v={self._versions[name]}"

    def _set_cookie(self, response: Response, cookie: str) -> None:
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=IDLE_DAYS * 24 * 3600,
            httponly=True,
            samesite="lax",
            secure=(self._settings.public_url or "").startswith("https://"),
        )

    # What comes in

    async def _post(self, request: Request) -> Response:
        language = _language(request)
        try:
            return await self._take(request)
        except _Refused as refused:
            return self._refusal(language, refused)
        except StoreUnavailable as error:
            log.warning("message not taken", error=str(error))
            return self._refusal(language, _Refused(503, "busy", retry_after=RETRY_AFTER))

    async def _take(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise _Refused(403, "malformed")
        cookie = _cookie(request)
        self._check_pace(request, cookie)
        visitor = cookie or new_visitor()
        address = address_of(visitor)
        done = await self._conversation.take(await self._inbound(request, address))
        if done.closed:
            raise _Refused(410, "visitor_gone")
        cursor = max((cursor for cursor, _ in done.lines), default=0)
        response = JSONResponse({"cursor": cursor}, headers=_HEADERS)
        self._set_cookie(response, visitor)
        return response

    def _check_pace(self, request: Request, cookie: str | None) -> None:
        now = time.monotonic()
        wait = 0.0
        if cookie is None or not self._messages.knows(cookie):  # a made-up cookie is a new visitor too
            wait = self._visitors.wait(request.client.host if request.client else "", now)
        if cookie and not wait:
            wait = self._messages.wait(cookie, now)
        if wait:
            raise _Refused(429, "too_many", retry_after=math.ceil(wait))

    async def _inbound(self, request: Request, address: str) -> Inbound:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return await self._file(request, address)
        if kind != "application/json":
            raise _Refused(415, "malformed")
        body = await _body(request, LARGEST_JSON)
        try:
            posted = Posted.model_validate(json.loads(body))
        except (ValidationError, ValueError, RecursionError):
            raise _Refused(400, "malformed") from None
        return Inbound(
            WEB.name,
            address,
            _key(address, posted.id),
            text=posted.text,
            tap=posted.tap,
            label=posted.label,
            start=posted.start,
            shows_greeting=WEB.greets,
        )

    async def _file(self, request: Request, address: str) -> Inbound:
        if int(request.headers.get("content-length", LARGEST_FILE + 1)) > LARGEST_FILE:
            raise _Refused(413, "too_large")
        try:
            async with request.form(max_files=1, max_fields=4) as form:
                name = Posted.model_validate({"id": str(form.get("id") or ""), "text": ""}).id
                file = form.get("file")
                if file is None or isinstance(file, str):
                    raise _Refused(400, "malformed")
                sent = received(file.filename or "file", await file.read(), file.content_type)
        except (ValidationError, HTTPException):
            raise _Refused(400, "malformed") from None
        return Inbound(WEB.name, address, _key(address, name), file=sent, shows_greeting=WEB.greets)

    def _refusal(self, language: Language, refused: _Refused) -> Response:
        sentence = self._say(
            language, refused.key, **({"seconds": refused.retry_after} if refused.key == "too_many" else {})
        )
        body: dict[str, Any] = {"error": sentence}
        headers = dict(_HEADERS)
        if refused.retry_after is not None:
            body["retry_after"] = refused.retry_after
            headers["Retry-After"] = str(refused.retry_after)
        return JSONResponse(body, refused.status, headers)

    # What goes out

    async def _events(self, request: Request) -> Response:
        language = _language(request)
        try:
            return await self._news(request)
        except _Refused as refused:
            return self._refusal(language, refused)
        except Exception as error:
            if not is_unavailable(error):
                raise
            return self._refusal(language, _Refused(503, "busy", retry_after=RETRY_AFTER))

    async def _news(self, request: Request) -> Response:
        cookie = _cookie(request)
        if cookie is None:
            raise _Refused(410, "visitor_gone")
        try:
            after, wait = _cursor(request), _wait(request)
        except ValueError:
            raise _Refused(400, "malformed") from None
        address = address_of(cookie)
        if await asyncio.to_thread(self._is_closed, address):
            raise _Refused(410, "visitor_gone")
        mine = "mine" in request.query_params
        if wait is not None:
            return await self._waited(address, after, wait, mine=mine)
        headers = {**_HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(
            self._stream(address, after, mine=mine), media_type="text/event-stream", headers=headers
        )

    async def _waited(self, address: str, after: int, wait: float, *, mine: bool) -> Response:
        """What is new, as one JSON answer."""
        lines = await self.pages.read(address, after)
        if not lines and wait:
            with self.pages.opened(address, after) as page:
                lines = await page.fetch(wait)
                if page.closed and not lines:
                    raise _Refused(503, "busy", retry_after=RETRY_AFTER)
        cursor = max((line.cursor for line in lines), default=after)
        messages = [shown for line in lines for shown in _shown_line(line, mine=mine)]
        return JSONResponse({"messages": messages, "cursor": cursor}, headers=_HEADERS)

    def _is_closed(self, address: str) -> bool:
        with self._database.reader.connect() as connection:
            return people.is_closed(connection, WEB.name, address)

    async def _stream(self, address: str, after: int, *, mine: bool) -> AsyncIterator[str]:
        with self.pages.opened(address, after) as page:
            yield ": open\n\n"
            async for lines in page.stream():
                for line in lines:
                    for shown in _shown_line(line, mine=mine):
                        yield f"id: {line.cursor}\ndata: {json.dumps(shown, ensure_ascii=False)}\n\n"
                if lines:
                    self.pages.seen(address, lines[-1].cursor)
                else:
                    yield ": still here\n\n"

    async def _download(self, request: Request) -> Response:
        language = _language(request)
        try:
            made = await self._made(request)
        except _Refused as refused:
            return self._refusal(language, refused)
        except Exception as error:
            if not is_unavailable(error):
                raise
            return self._refusal(language, _Refused(503, "busy", retry_after=RETRY_AFTER))
        if made is None:  # unknown or somebody else's: nobody learns which
            return PlainTextResponse(self._say(language, "doc_no_file"), 404, _HEADERS)
        headers = {**_HEADERS, "Content-Disposition": _disposition(made.name)}
        return Response(made.data, media_type=made.media_type, headers=headers)

    async def _made(self, request: Request) -> FileMade | None:
        cookie = _cookie(request)
        if cookie is None or self._files is None:
            return None
        self._check_pace(request, cookie)
        reference = request.path_params["reference"]
        return await asyncio.to_thread(self._files.make, WEB.name, address_of(cookie), reference)

    async def _leave(self, request: Request) -> Response:
        cookie = _cookie(request)
        if cookie:
            address, now = address_of(cookie), self._now()
            try:
                await self._conversation.run(
                    lambda connection: people.close(connection, WEB.name, address, now)
                )
            except StoreUnavailable:
                return self._refusal(_language(request), _Refused(503, "busy", retry_after=RETRY_AFTER))
            self.pages.close(address)
        response = RedirectResponse("/", 303, headers=_HEADERS)
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return response


class _Static(StaticFiles):
    """Files whose address carries their version: kept for a year."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


class _Words:
    """The page's own words in one language, by key."""

    def __init__(self, say: Catalogue, language: Language) -> None:
        self._say, self._language = say, language

    def __getitem__(self, key: str) -> str:
        return self._say(self._language, key)

    def __call__(self, key: str, /, **values: object) -> str:
        return self._say(self._language, key, **values)


def _cookie(request: Request) -> str | None:
    cookie = request.cookies.get(COOKIE, "")
    return cookie if is_visitor(cookie) else None


def _language(request: Request) -> Language:
    """The language of the page that asks; it says so itself, whatever the browser prefers."""
    return "en" if request.headers.get("accept-language", "").lower() == "en" else "vi"


def _key(address: str, name: str) -> str:
    """The update key: the client's own id, made this visitor's, so that nobody can use up another's.

    The page's ids begin with the time, so that new keys stand side by side in the index.
    """
    return f"{name}:{address[:24]}"


def _name(key: str) -> str:
    """The client's own id in an update key."""
    return key.partition(":")[0]


def _disposition(name: str) -> str:
    """The header that makes a browser save a file under this name."""
    quoted = quote(name, safe="")
    return f'attachment; filename="{name}"' if quoted == name else f"attachment; filename*=UTF-8''{quoted}"


def _cursor(request: Request) -> int:
    """Where the reader stands: Last-Event-ID on a reconnect, else `after`; raises ValueError."""
    cursor = int(request.headers.get("last-event-id") or request.query_params.get("after") or 0)
    if not 0 <= cursor < 2**63:
        raise ValueError("cursor out of range")
    return cursor


def _wait(request: Request) -> float | None:
    asked = request.query_params.get("wait")
    if asked is None:
        return None
    seconds = float(asked)
    if not math.isfinite(seconds):
        raise ValueError("not a number of seconds")
    return min(max(seconds, 0.0), LONGEST_WAIT)


async def _body(request: Request, largest: int) -> bytes:
    """The body, refused as soon as it is larger than allowed."""
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > largest:
                raise _Refused(413, "too_large")
            chunks.append(chunk)
    except ClientDisconnect:
        raise _Refused(400, "malformed") from None
    return b"".join(chunks)


def _shown_line(line: Line, *, mine: bool) -> list[dict[str, Any]]:
    """A line as its reader gets it; with `mine` behind the words it answers, which another tab lacks."""
    said = []
    if mine and line.said:
        key, text = line.said
        said.append({**_plain(text), "cursor": None, "who": "person", "name": None, "id": _name(key)})
    pieces = render(line.message, WEB)
    return said + [
        {**_shown(piece), "cursor": line.cursor, "who": "assistant", "name": None} for piece in pieces
    ]


def _entry(entry: talks.Entry) -> dict[str, Any]:
    # As when it came, in one piece: what this channel cannot draw is not in it.
    shown = _shown(render(entry.message, WEB)[-1]) if entry.message else _plain(entry.text)
    return {
        **shown,
        "who": "assistant" if entry.message else "person",
        "name": None,
        "cursor": entry.cursor,
        "id": _name(entry.key) if entry.key else str(entry.cursor),
        "at": entry.at.isoformat(),
    }


def _plain(text: str) -> dict[str, Any]:
    return {"text": text, "choices": [], "attachments": []}


def _shown(message: Message) -> dict[str, Any]:
    return {
        "text": message.text,
        "choices": [_choice(choice) for choice in message.choices],
        "attachments": [
            {"name": one.name, "media_type": one.media_type, "path": _address(one.path)}
            for one in message.attachments
        ],
        **({"control": _control(message.control)} if message.control else {}),
        **({"progress": list(message.progress)} if message.progress else {}),
    }


def _address(path: str) -> str:
    """Where the page fetches a file; a reference by itself is one of ours."""
    return path if path.startswith("/") else FILES + path


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "label": choice.label,
        "value": choice.value,
        **({"url": choice.url} if choice.url else {}),
        **({"aside": True} if choice.aside else {}),
    }


def _control(control: Control) -> dict[str, Any]:
    return {
        "kind": control.kind,
        "value": control.value,
        "sends": control.sends or control.value,
        "labels": list(control.labels),
        "picked": list(control.picked),
        "alone": list(control.alone),
    }
