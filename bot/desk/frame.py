"""What a page of the desk is made of: what it declares, what it gets, what it gives back."""

import math
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import sqlalchemy as sa
from starlette.datastructures import ImmutableMultiDict, UploadFile
from starlette.responses import Response

from bot.channels.base import Capabilities
from bot.channels.web.limits import Limit
from handlers.responses import ALPHABET
from handlers.values import Refusal
from storage.audit import Act
from storage.staff import Member, Role, Session

if TYPE_CHECKING:
    from bot.app import App
    from bot.mail import Mail
    from bot.register.importing import Lists

REF_LENGTH = 12
LARGEST_FORM = 256 * 1024  # bytes of a form without a file

Typed = ImmutableMultiDict[str, str]

__all__ = [
    "Act",
    "Again",
    "Block",
    "Fault",
    "Job",
    "NoSuch",
    "Page",
    "Pages",
    "Visit",
    "Went",
    "drawn",
    "limited",
    "new_ref",
    "refused",
]


class Fault(Exception):
    """What somebody asks for cannot be done: the sentence `key`, beside the field it is about."""

    def __init__(self, key: str, *, field: str = "", status: int = 422, **values: object) -> None:
        super().__init__(key)
        self.key, self.field, self.status = key, field, status
        self.values: Mapping[str, object] = values


def refused(refusal: Refusal, field: str) -> Fault:
    """What a reader of typed values says of a field."""
    fault = Fault(refusal.key, field=field)
    fault.values = dict(refusal.values)
    return fault


class NoSuch(Exception):
    """There is nothing at this address, or nothing for this officer: nobody learns which."""


@runtime_checkable
class Leads(Protocol):
    """A channel that an address can lead to, with a payload."""

    can: Capabilities

    def deep_link(self, payload: str) -> str | None:
        """That address; None where there is none yet."""
        ...


@dataclass(frozen=True)
class Services:
    """What pages work with; one for the whole desk."""

    app: "App"
    mail: "Mail | None"
    tries: Limit  # of a network address at the way in
    asked: Limit  # of a name at the way in
    leads: Sequence["Leads"] = ()  # channels beside the web that an address leads to
    blocks: Sequence["Declared"] = ()
    settings: Sequence["Declared"] = ()

    @cached_property
    def lists(self) -> "Lists":
        """The register's lists; what reads them loads when somebody needs it."""
        from bot.register.importing import Lists

        return Lists(self.app.content, self.app.settings.key)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of an officer.

    `path`, `query` and `form` are what was asked, cleaned; `db` reads and is there while a page is made, never in a
    POST. `fault` and `shown` are set when a page is shown in answer to a POST.
    """

    desk: Services
    at: datetime
    where: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Typed = field(default_factory=ImmutableMultiDict)
    form: Typed = field(default_factory=ImmutableMultiDict)
    files: Mapping[str, UploadFile] = field(default_factory=dict)
    session: Session | None = None
    connection: sa.Connection | None = None
    fault: Fault | None = None
    shown: Mapping[str, Any] = field(default_factory=dict)
    cookie: str = ""
    agent: str = ""
    host: str = ""  # the network address
    remote: str = ""  # its keyed hash

    @property
    def db(self) -> sa.Connection:
        """The connection that reads."""
        assert self.connection is not None, "a POST reads and writes in its job"
        return self.connection

    @property
    def staff(self) -> Member:
        """Who it is."""
        assert self.session is not None, "this page needs no session"
        return self.session.member

    def say(self, key: str, /, **values: object) -> str:
        """A sentence of the desk, which speaks Vietnamese."""
        return self.desk.app.content.say("vi", key, **values)

    def with_(self, **changes: Any) -> "Visit":
        """The same visit, changed."""
        return replace(self, **changes)


class Page:
    """What is shown: a template and what it is filled with."""

    def __init__(self, template: str, /, *, status: int = 200, **context: Any) -> None:
        self.template, self.status, self.context = template, status, context


@dataclass(frozen=True, slots=True)
class Went:
    """An act is done; the browser is led on. `cookie` begins a session, "" ends it; `by` is who did it, if not who is in.

    `then` is done after the commit, behind the answer.
    """

    to: str
    acts: Sequence[Act] = ()
    cookie: str | None = None
    by: int | None = None
    then: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """An act is done; its page is shown at once with `shown`, which must not stand in an address."""

    acts: Sequence[Act] = ()
    shown: Mapping[str, Any] = field(default_factory=dict)
    then: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Something on «Hôm nay»: a heading, lines of (what, how many, where it leads), and a sentence below."""

    title: str
    lines: Sequence[tuple[str, int | str, str]] = ()
    note: str = ""
    href: str = ""


Outcome = Went | Again
Job = Callable[[sa.Connection], Outcome]
Getter = Callable[[Visit], Page | Response]
Poster = Callable[[Visit], Job]
Blocker = Callable[[Visit], Block | None]

G = TypeVar("G", bound=Getter)
P = TypeVar("P", bound=Poster)
B = TypeVar("B", bound=Blocker)


@dataclass(frozen=True, slots=True)
class Declared:
    """A page, an act, an entry of the rail or a block, as a module declares it."""

    path: str
    role: Role | None
    getter: Getter | None = None
    poster: Poster | None = None
    largest: int = LARGEST_FORM
    label: str = ""
    note: str = ""
    place: int = 0
    blocker: Blocker | None = None


class Pages:
    """The pages of one module."""

    def __init__(self) -> None:
        self.declared: list[Declared] = []
        self.entries: list[Declared] = []
        self.settings: list[Declared] = []
        self.blocks: list[Declared] = []

    def get(self, path: str, *, role: Role | None = "viewer") -> Callable[[G], G]:
        """Declare a page; `role` is the least that may see it, None: anybody at all."""

        def declare(getter: G) -> G:
            self.declared.append(Declared(path, role, getter=getter))
            return getter

        return declare

    def post(
        self, path: str, *, role: Role | None = "officer", shows: Getter, largest: int = LARGEST_FORM
    ) -> Callable[[P], P]:
        """Declare an act; `shows` is the page shown again on a Fault, `largest` in bytes."""

        def declare(poster: P) -> P:
            self.declared.append(Declared(path, role, getter=shows, poster=poster, largest=largest))
            return poster

        return declare

    def entry(self, label: str, path: str, *, place: int, role: Role = "viewer") -> None:
        """Declare an entry of the rail; they stand by `place`."""
        self.entries.append(Declared(path, role, label=label, place=place))

    def setting(self, label: str, path: str, note: str, *, place: int, role: Role = "admin") -> None:
        """Declare an entry of «Cài đặt»; `label` and `note` are keys."""
        self.settings.append(Declared(path, role, label=label, note=note, place=place))

    def block(self, *, place: int, role: Role = "viewer") -> Callable[[B], B]:
        """Declare something on «Hôm nay»; they stand by `place`."""

        def declare(blocker: B) -> B:
            self.blocks.append(Declared("", role, place=place, blocker=blocker))
            return blocker

        return declare


def limited(limit: Limit, key: str) -> None:
    """Spend one try; raises Fault with the seconds to wait."""
    if wait := limit.wait(key, time.monotonic()):
        raise Fault("desk_fault_too_many", status=429, seconds=math.ceil(wait))


def drawn() -> str:
    """Something nobody can guess (192 bits)."""
    return secrets.token_urlsafe(24)


def new_ref() -> str:
    """A random name for something that addresses will name, so that no id is guessed."""
    return "".join(secrets.choice(ALPHABET) for _ in range(REF_LENGTH))
