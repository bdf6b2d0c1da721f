"""One request to the Bot API, read as the real server reads it.

Parameters come in the query, as a form, as multipart or as JSON, and are strings afterwards; an empty one is absent;
integers that are none are 0. Source: `Client::get_integer_arg`, `to_bool`, and td's `HttpReader`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import BodyPartReader, web

from tests.fakes.telegram.refusals import Refusal, bad

Suspect = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a request."""

    name: str
    data: bytes
    media_type: str


@dataclass(slots=True)
class Call:
    """A method and what it was called with; `number` counts the calls other than getUpdates from 1."""

    method: str
    values: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    types: dict[str, type] = field(default_factory=dict)  # what JSON values were before they became strings
    number: int = 0

    def text(self, name: str) -> str:
        """A string, empty if absent."""
        return self.values.get(name, "")

    def integer(self, name: str, default: int = 0, low: int = -(2**31), high: int = 2**31 - 1) -> int:
        """An integer within its limits; what is no integer is 0, as td::to_integer has it."""
        value = self.values.get(name, "")
        return max(low, min(high, to_integer(value))) if value else default

    def flag(self, name: str) -> bool:
        """Whether it is true, yes or 1."""
        return self.values.get(name, "").strip().lower() in {"true", "yes", "1"}

    def json(self, name: str, complaint: str) -> Any:
        """A value given as JSON, None if absent."""
        value = self.values.get(name, "")
        if not value:
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise bad(complaint) from None

    @property
    def chat_id(self) -> int:
        """The chat it is about, 0 if none."""
        return to_integer(self.values.get("chat_id", ""))

    @property
    def size(self) -> int:
        """Bytes in all files."""
        return sum(len(upload.data) for upload in self.uploads.values())


def to_integer(value: str) -> int:
    """The digits at the beginning of a string."""
    sign, digits = (-1, value[1:]) if value[:1] == "-" else (1, value)
    end = next((n for n, letter in enumerate(digits) if letter not in "0123456789"), len(digits))
    return sign * int(digits[:end]) if end else 0


async def read_call(request: web.BaseRequest, method: str, suspect: Suspect) -> Call:
    """Read a request of any form."""
    call = Call(method)
    if request.query_string:
        _add_form(call, request.rel_url.raw_query_string.encode())
    if request.method != "POST":
        return call
    kind = request.content_type
    if kind == "multipart/form-data":
        await _add_parts(call, request)
    elif kind == "application/json":
        _add_json(call, await request.read(), suspect)
    elif request.can_read_body:
        _add_form(call, await request.read())
    return call


def _add_form(call: Call, body: bytes) -> None:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except UnicodeDecodeError:
        raise not_utf8() from None
    for name, value in pairs:
        call.values.setdefault(name, _encodable(value))


async def _add_parts(call: Call, request: web.BaseRequest) -> None:
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            continue
        data = bytes(await part.read())
        if part.filename is not None:
            media_type = part.headers.get("Content-Type", "application/octet-stream")
            call.uploads[part.name] = Upload(part.filename, data, media_type)
            continue
        try:
            call.values.setdefault(part.name, data.decode())
        except UnicodeDecodeError:
            raise not_utf8() from None


def _add_json(call: Call, body: bytes, suspect: Suspect) -> None:
    """JSON; not sure what the real server says to a body that is none, so the sentence is our own."""
    if not body:
        return
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        _blame(body)
    if not isinstance(given, dict):
        raise bad("can't parse request body as a JSON object")
    for name, value in given.items():
        if value is None:
            suspect(f"{call.method}: {name} is null; leave it out")
            continue
        call.types[name] = type(value)
        call.values[name] = value if isinstance(value, str) else orjson.dumps(value).decode()


def _blame(body: bytes) -> None:
    """Tell a lone surrogate or bad UTF-8 from what is no JSON at all."""
    try:
        json.loads(body)
    except UnicodeDecodeError:
        raise not_utf8() from None
    except ValueError:
        raise bad("can't parse request body as a JSON object") from None
    raise not_utf8()


def _encodable(value: str) -> str:
    """The value, unless it has half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise not_utf8() from None
    return value


def not_utf8() -> Refusal:
    """What is not UTF-8 is refused. Source: TDLib's `fix_formatted_text`."""
    return bad("Strings must be encoded in UTF-8")
