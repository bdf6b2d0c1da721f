"""The desk of one process: its addresses, who is in, and what is done in one transaction with its line of the audit."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import sqlalchemy as sa
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import ImmutableMultiDict, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message as Received

from bot.app import App
from bot.channels.web.limits import Limit
from bot.conversation import clean
from bot.desk import enterprises, journal, login, people, results, today
from bot.desk.frame import (
    Again,
    Declared,
    Fault,
    Job,
    Leads,
    NoSuch,
    Outcome,
    Page,
    Pages,
    Services,
    Visit,
    Went,
)
from bot.desk.shown import day, masked, minute
from bot.logs import log
from bot.mail import Mail
from content.model import Language
from handlers.showing import shown_contact, shown_number
from storage import audit, staff
from storage.audit import By
from storage.errors import StoreError, is_unavailable
from storage.keys import keyed
from storage.staff import Session

MODULES: Sequence[Pages] = (
    login.pages,
    today.pages,
    enterprises.pages,
    results.pages,
    people.pages,
    journal.pages,
)

HERE = Path(__file__).parent
LOOK = HERE.parent / "look.css"
CHARTS = HERE.parent / "charts/charts.css"
TOUCHED = timedelta(minutes=5)  # how exactly it is known when a session was last in use
TRIES_PER_MINUTE = 20  # of one network address at the way in
ASKED_PER_MINUTE = 3  # of one name
LANGUAGE: Language = "vi"
_TOKEN = "csrf"  # noqa: S105  the name of a field
_SAME = ("same-origin", "none")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it browsers send «Origin: null» with our own forms.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _Out(Exception):
    """Nobody is in, or not any more."""


class _Denied(Exception):
    """Somebody is in who may not."""


class Desk:
    """Leads requests to pages."""

    def __init__(
        self,
        app: App,
        modules: Sequence[Pages] = MODULES,
        leads: Sequence[Leads] = (),
    ) -> None:
        self._app = app
        self._key = app.settings.key()
        self._modules = modules
        blocks = _in_order(one for pages in modules for one in pages.blocks)
        settings = _in_order(one for pages in modules for one in pages.settings)
        self._services = Services(
            app,
            Mail.of(app.settings),
            Limit(TRIES_PER_MINUTE),
            Limit(ASKED_PER_MINUTE),
            leads,
            blocks,
            settings,
        )
        self._is_https = (app.settings.public_url or "").startswith("https://")
        self._cookie = "__Host-desk" if self._is_https else "desk"
        self._look = Look(app, modules)
        self._later: set[asyncio.Task[None]] = set()
        self._shown_at = {  # where a page is found that an act shows again
            one.getter: one.path for pages in modules for one in pages.declared if not one.poster
        }

    def routes(self) -> list[BaseRoute]:
        """Every address of the desk; what is none of them is not there, for anybody."""
        declared = [one for pages in self._modules for one in pages.declared]
        files: list[BaseRoute] = [Route("/desk/static/{name}", self._look.file)]
        own: list[BaseRoute] = [
            Route(one.path, self._endpoint(one), methods=["POST" if one.poster else "GET"])
            for one in declared
        ]
        lost = "/desk/{rest:path}"
        return [
            *files,
            *own,
            Route(lost, self._endpoint(Declared(lost, "viewer", _nothing)), methods=["GET"]),
            Route(lost, self._endpoint(Declared(lost, "viewer", _nothing, _nowhere)), methods=["POST"]),
        ]

    def _endpoint(self, declared: Declared) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            visit = self._visit(request)
            try:
                if declared.poster is not None:
                    return await self._act(request, declared, visit)
                return await self._page(declared, visit)
            except _Out:
                return RedirectResponse("/desk/login", 303, headers=HEADERS)
            except (HTTPException, ClientDisconnect, OSError, StoreError, sa.exc.SQLAlchemyError) as error:
                if isinstance(error, HTTPException):
                    return self._look.error(visit, "desk_fault_form", error.status_code)
                if not is_unavailable(error) and not isinstance(error, ClientDisconnect):
                    raise
                return self._look.error(visit, "desk_fault_busy", 503)
            except Exception as error:  # noqa: BLE001  a page that says what to do, and a line for the operator
                log.error("a page of the desk failed", page=declared.path, exc_info=error)
                return self._look.error(visit, "desk_fault_ours", 500)

        return answer

    def _visit(self, request: Request) -> Visit:
        host = request.client.host if request.client else ""
        return Visit(
            self._services,
            self._app.now(),
            request.url.path,
            {name: str(value) for name, value in request.path_params.items()},
            _cleaned(request.query_params.multi_items()),
            cookie=request.cookies.get(self._cookie, ""),
            agent=clean(request.headers.get("user-agent", ""))[:200],
            host=host,
            remote=keyed(self._key, "remote", host)[:32],
        )

    # Pages

    async def _page(self, declared: Declared, visit: Visit) -> Response:
        response, session = await asyncio.to_thread(self._shown, declared, visit)
        if session and visit.at - session.seen_at > TOUCHED:
            await self._touch(session, visit)
        return response

    def _shown(self, declared: Declared, visit: Visit) -> tuple[Response, Session | None]:
        """In a thread: one moment of the database for the session and the page."""
        with self._app.database.reader.connect() as connection:
            session = staff.session(connection, visit.cookie, visit.at) if visit.cookie else None
            visit = visit.with_(connection=connection, session=session)
            return self._look.page(visit, declared), session

    async def _touch(self, session: Session, visit: Visit) -> None:
        try:
            await self._app.conversation.run(lambda connection: staff.touch(connection, session.id, visit.at))
        except StoreError as error:
            log.warning("a session was not touched", error=str(error))

    # Acts

    async def _act(self, request: Request, declared: Declared, visit: Visit) -> Response:
        if not _is_ours(request):
            return self._look.error(visit, "desk_fault_origin", 403)
        form, files = await _form(request, declared.largest)
        try:
            return await self._acted(declared, visit.with_(form=form, files=files))
        finally:
            for file in files.values():
                await file.close()

    async def _acted(self, declared: Declared, visit: Visit) -> Response:
        try:
            outcome = await self._done(declared, visit)
        except _Out:
            return self._look.signed_out(visit)
        except Fault as fault:
            return await self._again(declared, visit.with_(fault=fault))
        except NoSuch:
            return await self._again(Declared(declared.path, declared.role, getter=_nothing), visit)
        except (StoreError, sa.exc.SQLAlchemyError) as error:
            if not is_unavailable(error):
                raise
            return await self._again(declared, visit.with_(fault=Fault("desk_fault_busy", status=503)))
        return await self._led_on(declared, visit, outcome)

    async def _done(self, declared: Declared, visit: Visit) -> Outcome:
        poster, role = declared.poster, declared.role
        assert poster is not None
        if role is None:
            job: Job = await asyncio.to_thread(poster, visit)
            return await self._app.conversation.run(lambda connection: self._whole(connection, visit, job))
        session = await asyncio.to_thread(self._session, visit)
        visit = visit.with_(session=session)
        if not session.member.may(role):
            raise Fault("desk_fault_denied", status=403)
        given = visit.form.get(_TOKEN, "")
        if not hmac.compare_digest(given.encode(), session.csrf.encode()):
            raise Fault("desk_fault_stale", status=403)
        job = await asyncio.to_thread(poster, visit)

        def whole(connection: sa.Connection) -> Outcome:
            now = staff.session(connection, visit.cookie, visit.at)
            if now is None:  # revoked while this was under way
                raise _Out
            if not now.member.may(role):
                raise Fault("desk_fault_denied", status=403)
            return self._whole(connection, visit, job)

        return await self._app.conversation.run(whole)

    def _whole(self, connection: sa.Connection, visit: Visit, job: Job) -> Outcome:
        """The act and its lines of the audit: both, or neither."""
        outcome = job(connection)
        who = visit.session.member.id if visit.session else None
        if isinstance(outcome, Went) and outcome.by is not None:
            who = outcome.by
        audit.add(connection, By(who, visit.at, visit.remote), outcome.acts)
        return outcome

    def _session(self, visit: Visit) -> Session:
        with self._app.database.reader.connect() as connection:
            session = staff.session(connection, visit.cookie, visit.at) if visit.cookie else None
        if session is None:
            raise _Out
        return session

    async def _led_on(self, declared: Declared, visit: Visit, outcome: Outcome) -> Response:
        if outcome.then is not None:
            task = asyncio.create_task(_quietly(outcome.then))
            self._later.add(task)
            task.add_done_callback(self._later.discard)
        if isinstance(outcome, Again):
            return await self._again(declared, visit.with_(shown=outcome.shown, form=ImmutableMultiDict()))
        response = RedirectResponse(outcome.to, 303, headers=HEADERS)
        if outcome.cookie is not None:
            self._set_cookie(response, outcome.cookie)
        return response

    async def _again(self, declared: Declared, visit: Visit) -> Response:
        """The page an act belongs to, with what was typed, what is wrong, or what must be shown at once."""
        if declared.getter in self._shown_at:
            visit = visit.with_(where=self._shown_at[declared.getter].format(**visit.path))
        response, _ = await asyncio.to_thread(self._shown, declared, visit)
        return response

    def _set_cookie(self, response: Response, token: str) -> None:
        # Lax, not Strict: a link a colleague sent must open for whoever is in. Every act wants the token and the Origin.
        options: dict[str, Any] = {
            "path": "/",
            "httponly": True,
            "samesite": "lax",
            "secure": self._is_https,
        }
        if token:
            response.set_cookie(self._cookie, token, max_age=round(staff.LONGEST.total_seconds()), **options)
        else:
            response.delete_cookie(self._cookie, **options)


class Look:
    """Fills templates."""

    def __init__(self, app: App, modules: Sequence[Pages]) -> None:
        self._app = app
        self._entries = _in_order(one for pages in modules for one in pages.entries)
        self._settings = [one for pages in modules for one in pages.settings]
        self._files = {
            "desk.css": (
                b"".join(part.read_bytes() for part in (LOOK, HERE / "desk.css", CHARTS)),
                "text/css",
            ),
            "desk.js": ((HERE / "desk.js").read_bytes(), "text/javascript"),
            "icon.svg": ((HERE.parent / "channels/web/static/icon.svg").read_bytes(), "image/svg+xml"),
        }
        zone = app.settings.zone
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            day=partial(day, zone=zone),
            moment=partial(minute, zone=zone),
            number=partial(shown_number, language=LANGUAGE),
            national=shown_contact,
            masked=masked,
        )
        self._environment.globals |= {
            "words": Words(app),
            "static": self._static,
            "office": app.content.office.name,
            "demo": app.settings.demo,
        }

    def page(self, visit: Visit, declared: Declared) -> Response:
        """A page for this visit; raises _Out where nobody is in who must be."""
        if declared.role is not None:
            if visit.session is None:
                raise _Out
            if not visit.staff.may(declared.role):
                return self.error(visit, "desk_fault_denied", 403)
        assert declared.getter is not None
        try:
            page = declared.getter(visit)
        except NoSuch:
            return self.error(visit, "desk_fault_nothing", 404)
        except Fault as fault:  # of the question in the address
            return self.error(visit, fault.key, fault.status, **fault.values)
        return page if isinstance(page, Response) else self._html(visit, page)

    def error(self, visit: Visit, key: str, status: int, **values: object) -> Response:
        """A page that says in one sentence what is wrong and what to do."""
        return self._html(visit, Page("error.html", sentence=visit.say(key, **values), status=status))

    def signed_out(self, visit: Visit) -> Response:
        """Nobody is in any more: what was typed waits in the page until somebody is."""
        typed = [(name, value) for name, value in visit.form.multi_items() if name != _TOKEN]
        return self._html(visit.with_(session=None), Page("signed_out.html", kept=typed, status=401))

    async def file(self, request: Request) -> Response:
        """The style and the script; their address carries their version, so browsers keep them for a year."""
        found = self._files.get(request.path_params["name"])
        if found is None:
            return Response(status_code=404, headers=HEADERS)
        data, kind = found
        kept = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(data, media_type=kind, headers=kept)

    def _static(self, name: str) -> str:
        return f"/desk/static/{name}?v={hashlib.sha256(self._files[name][0]).hexdigest()[:12]}"

    def _html(self, visit: Visit, page: Page) -> Response:
        status = visit.fault.status if visit.fault else page.status
        session = visit.session
        token = Markup('<input type="hidden" name="{}" value="{}">').format(
            _TOKEN, session.csrf if session else ""
        )
        html = self._environment.get_template(page.template).render(
            visit=visit,
            staff=session.member if session else None,
            token=token,
            typed=visit.form,
            fault=self._told(visit),
            told=self._done(visit),
            shown=visit.shown,
            entries=self._rail(visit),
            with_query=lambda **changes: _with_query(visit, changes),
            **page.context,
        )
        return Response(html, status, media_type="text/html", headers=HEADERS)

    def _rail(self, visit: Visit) -> list[dict[str, Any]]:
        if visit.session is None:
            return []
        seen = [one for one in self._entries if one.role and visit.staff.may(one.role)]
        under = {one.path: "/desk/settings" for one in self._settings} | {one.path: one.path for one in seen}
        here = max((path for path in under if _is_under(visit.where, path)), key=len, default="")
        return [
            {"label": visit.say(one.label), "href": one.path, "is_here": one.path == under.get(here)}
            for one in seen
        ]

    def _told(self, visit: Visit) -> dict[str, str] | None:
        if visit.fault is None:
            return None
        return {"text": visit.say(visit.fault.key, **visit.fault.values), "field": visit.fault.field}

    def _done(self, visit: Visit) -> str:
        """The sentence that an act just done asked for; any other name is nobody's."""
        key = f"desk_done_{visit.query.get('done', '')}"
        return visit.say(key) if key in self._app.content.say.keys() else ""  # noqa: SIM118  a catalogue is no dict


class Words:
    """The desk's words, by key."""

    def __init__(self, app: App) -> None:
        self._say = app.content.say

    def __getitem__(self, key: str) -> str:
        return self._say(LANGUAGE, key)

    def __call__(self, key: str, /, **values: object) -> str:
        return self._say(LANGUAGE, key, **values)


def _in_order(declared: Iterable[Declared]) -> list[Declared]:
    return sorted(declared, key=lambda one: one.place)


def _nothing(_visit: Visit) -> Page:
    raise NoSuch


def _nowhere(_visit: Visit) -> Job:
    raise NoSuch


def _is_under(where: str, path: str) -> bool:
    return where == path or (path != "/desk" and where.startswith(f"{path}/"))


def _with_query(visit: Visit, changes: Mapping[str, object]) -> str:
    """This address with another question; None takes a part away."""
    kept = {name: value for name, value in visit.query.items() if name not in changes and name != "done"}
    asked = {**kept, **{name: value for name, value in changes.items() if value not in (None, "")}}
    return f"{visit.where}?{urlencode(asked)}" if asked else visit.where


def _is_ours(request: Request) -> bool:
    """Whether a page of our own sent this, as far as the browser says."""
    if request.headers.get("sec-fetch-site", "same-origin") not in _SAME:
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _cleaned(items: Sequence[tuple[str, str]]) -> ImmutableMultiDict[str, str]:
    return ImmutableMultiDict([(clean(name), clean(value).strip()) for name, value in items])


async def _form(request: Request, largest: int) -> tuple[ImmutableMultiDict[str, str], dict[str, UploadFile]]:
    """What was typed, and the files; raises HTTPException 413 as soon as it is too much, 400 for what is no form."""
    received = request.receive
    size = 0

    async def counted() -> Received:
        nonlocal size
        part = await received()
        size += len(part.get("body", b""))
        if size > largest:
            raise HTTPException(413)
        return part

    limited = Request(request.scope, counted)
    form = await limited.form(max_files=4, max_fields=2_000, max_part_size=largest)
    texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    files = {name: value for name, value in form.multi_items() if isinstance(value, UploadFile)}
    return _cleaned(texts), files


async def _quietly(then: Callable[[], Awaitable[None]]) -> None:
    try:
        await then()
    except Exception as error:  # noqa: BLE001  the answer has long been given
        log.error("what was to follow an act did not", exc_info=error)


__all__ = ["MODULES", "Desk"]
