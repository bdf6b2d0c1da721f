"""A small page to chat in by hand, as any of several people."""

import contextlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from aiohttp import web

from tests.fakes.telegram.chats import Message
from tests.fakes.telegram.faults import Fault, Kind
from tests.fakes.telegram.people import Person
from tests.fakes.telegram.server import FakeTelegram

HTML = Path(__file__).with_name("page.html")
WAIT = 25.0  # seconds a page waits for news
SWITCHES = (Kind.TOO_MANY, Kind.BAD_GATEWAY, Kind.RESET_BEFORE, Kind.RESET_AFTER, Kind.SLOW, Kind.DUPLICATE)


class Page:
    """Serves the page and what it asks for."""

    def __init__(self, telegram: FakeTelegram) -> None:
        self._telegram = telegram
        self._people = [telegram.person(name) for name in ("An", "Bình", "Chi")]
        telegram.other_pages = self.serve

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """The page, its state, or an act of somebody."""
        match request.method, request.path:
            case "GET", "/":
                return web.Response(body=HTML.read_bytes(), content_type="text/html", charset="utf-8")
            case "GET", "/hand/state":
                return await self._state(request)
            case "GET", "/hand/file":
                return self._file(request.query["id"])
            case "POST", "/hand/act":
                return self._act(orjson.loads(await request.read()))
            case "POST", "/hand/send":
                who = self._person(request.query)
                who.sends(request.query["name"], await request.read(), request.content_type)
                return _answer(True)
            case _:
                return web.Response(status=404)

    async def _state(self, request: web.BaseRequest) -> web.Response:
        """What somebody sees, once something changed since `after`."""
        who, world = self._person(request.query), self._telegram.world
        after = int(request.query.get("after", -1))
        with contextlib.suppress(TimeoutError):
            await who.private.changed.until(lambda: world.moment > after, WAIT, "news")
        return _answer(
            {
                "moment": world.moment,
                "people": [{"id": str(person.id), "name": person.first_name} for person in self._people],
                "started": who.started,
                "blocked": who.blocked,
                "messages": [_shown(message) for message in who.chat[-200:]],
                "keys": [[b.label for b in row] for row in who.private.replies.markup.rows]
                if who.private.replies
                else [],
                "toast": next(iter(who.toasts[-1:]), ""),
                "commands": next(iter(self._telegram.commands.values()), []),
                "faults": [str(kind) for kind in SWITCHES],
                "counts": {str(kind): count for kind, count in self._telegram.faults.counts.items()},
                "suspicions": self._telegram.suspicions[-5:],
                "violations": self._telegram.violations[-5:],
            }
        )

    def _act(self, given: dict[str, Any]) -> web.Response:
        who = self._person(given)
        try:
            self._acts(who, given)
        except AssertionError as refusal:
            return _answer({"no": str(refusal)})
        who.private.changed.ring()
        return _answer(True)

    def _acts(self, who: Person, given: dict[str, Any]) -> None:
        match given["what"]:
            case "starts":
                who.starts(given.get("text", ""))
            case "says":
                who.says(given["text"])
            case "taps":
                message = who.private.find(int(given["message"])) if "message" in given else None
                who.taps(given["text"], message)
            case "edits":
                message = who.private.find(int(given["message"]))
                assert message is not None, "it is not there any more"
                who.edits(message, given["text"])
            case "contact":
                who.sends_contact("+84905123456")
            case "blocks":
                who.unblocks() if who.blocked else who.blocks()
            case "fault":
                kind = Kind(given["text"])
                self._telegram.faults.next(Fault(kind, 5 if kind is Kind.SLOW else -1), _method(kind))

    def _person(self, given: Any) -> Person:
        return self._telegram.world.people.get(int(given.get("person") or 0), self._people[0])

    def _file(self, file_id: str) -> web.Response:
        file = self._telegram.files.by_id[file_id]
        kept = f"attachment; filename*=UTF-8''{quote(file.name)}"
        return web.Response(
            body=file.data, content_type=file.media_type, headers={"Content-Disposition": kept}
        )


def _method(kind: Kind) -> str:
    return "" if kind is Kind.DUPLICATE else "sendMessage"


def _shown(message: Message) -> dict[str, Any]:
    return {
        "id": message.message_id,
        "mine": not message.from_bot,
        "text": message.text or next((f"[{kind}]" for kind in message.content if kind != "document"), ""),
        "edited": message.edited,
        "rows": [[{"label": b.label, "url": b.url} for b in row] for row in message.keyboard],
        "file": {"id": message.file.file_id, "name": message.file.name} if message.file else None,
    }


def _answer(what: Any) -> web.Response:
    return web.Response(body=orjson.dumps(what), content_type="application/json")
