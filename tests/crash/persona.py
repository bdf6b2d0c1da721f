"""Somebody who answers the demand survey in the web chat, reads each question from the reply, and keeps an own record.

The record says what must stand in the database after each message, and what is asked next; it is made from what was
said, by the rules of the form, and never from the database.
"""

import asyncio
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from http import HTTPStatus
from typing import Any

import aiohttp

from bot.channels.web.channel import COOKIE, address_of, new_visitor
from content.forms import Form
from handlers.fills import KEPT_APART, NOT_APPLICABLE, NOT_KNOWN, PASSED, Fill
from handlers.walk import Prompt, Walk
from tests.crash.load import Refused, until_taken

LONGEST_PAUSE = 0.02  # seconds between two messages
OFTEN, SELDOM = 0.3, 0.12  # how often an earlier answer is edited, and how often a question is passed over

Shown = Mapping[str, Any]  # a message as the web chat gives it
Screen = tuple[str, str]  # what is on it: ask, line, review, notice, more; and which prompt

# What is typed where nothing can be picked, and what it means.
TYPED: Mapping[str, tuple[tuple[str, str | int], ...]] = {
    "enterprise": (("Công ty TNHH Gỗ Hoài Nhơn",) * 2, ("HTX Đồ gỗ An Nhơn",) * 2, ("Cơ khí Bồng Sơn",) * 2),
    "tax_code": (("0100109106",) * 2, ("0101248141",) * 2, ("0300588569",) * 2),
    "commune": (
        ("phường bồng sơn", "bong_son"),
        ("xã tuy phước", "tuy_phuoc"),
        ("xã nhơn châu", "nhon_chau"),
    ),
    "division": (("dệt", "d13"), ("đồ uống", "d11"), ("máy móc", "d28")),
    "due_12_months": (("7", 7), ("12 cái", 12)),
    "next_expiry": (("6/2029", "2029-06"), ("12/2031", "2031-12")),
    "unmet_measurement": (("Đo độ ẩm dăm gỗ",) * 2, ("Hiệu chuẩn lò sấy",) * 2),
    "registration_no": (("TDC 1234/GCN",) * 2, ("TDC 77/GCN",) * 2),
    "registration_date": (("15/3/2024", "2024-03-15"), ("1/12/2023", "2023-12-01")),
    "registration_scope": (("Cân đến 60 tấn",) * 2, ("Đồng hồ nước lạnh",) * 2),
    "designation_no": (("QĐ 55/TĐC",) * 2, ("QĐ 9/TĐC",) * 2),
    "accredited_until": (("6/2028", "2028-06"), ("1/2030", "2030-01")),
    "verifiers": (("6", 6), ("11", 11)),
    "comparison_needs": (("Khối lượng, áp suất",) * 2, ("Nhiệt độ",) * 2),
    "suggestions": (("Mở lớp vào cuối tuần",) * 2, ("Báo lịch kiểm định sớm hơn",) * 2),
    "respondent_name": (("Nguyễn Văn An",) * 2, ("Trần Thị Bình",) * 2),
    "respondent_role": (("Kế toán",) * 2, ("Phụ trách kỹ thuật",) * 2),
    "contact": (("0905 123 456", "+84905123456"), ("an@congty.vn",) * 2),
}


def screen_of(values: list[str]) -> Screen:
    """What the choices of a message say is asked."""
    if "survey:yes" in values:
        return "notice", ""
    if "form:editing" in values:
        return "review", ""
    if "form:more" in values:
        return "more", ""
    for kind, head in (("line", "form:yes:"), ("ask", "form:later:")):
        for value in values:
            if value.startswith(head) and value != head:
                return kind, value.removeprefix(head)
    return "nothing", ""


@dataclass(frozen=True)
class Record:
    """What must be kept, as the person who answered knows it.

    `walk` is the way so far, `log` the history by turn, `typed` what is being read back.
    """

    walk: Walk | None = None
    log: tuple[dict[str, Any], ...] = ()
    own: Mapping[str, str] = field(default_factory=dict)
    consents: tuple[tuple[str, str], ...] = ()
    screen: Screen = ("nothing", "")
    status: str = "partial"
    last_question: str = ""
    typed: Mapping[str, Fill] = field(default_factory=dict)

    @property
    def answers(self) -> dict[str, Any]:
        """The answers by place, as they are stored."""
        return {place: fill.dump() for place, fill in self.walk.fills.items()} if self.walk else {}

    def answered(self) -> list[Prompt]:
        """The prompts of the review, in order."""
        assert self.walk
        fills = self.walk.fills
        return [
            prompt
            for prompt in self.walk.prompts()
            if any(fills.get(place.name, Fill("", NOT_APPLICABLE)).mark != "n" for place in prompt.places)
        ]

    def on(self, kind: str, key: str = "") -> "Record":
        """The same, with something else on the screen."""
        return replace(self, screen=(kind, key))

    def going_on(self) -> "Record":
        """The same, with the first open question on the screen, or the review."""
        assert self.walk
        following = self.walk.next()
        return self.on("ask", following.key) if following else self.on("review")

    def begun(self, form: Form, today: date) -> "Record":
        """After the yes to the notice."""
        assert form.gate
        yes = Fill("yes")
        walk = Walk(form, {form.gate.name: yes}, today)
        return Record(walk, ({form.gate.name: yes.dump()},), consents=(("survey", "yes"),)).going_on()

    def given(self, fills: Mapping[str, Fill], own: Mapping[str, str]) -> "Record":
        """After these answers: what they change is changed, and the next question is asked."""
        assert self.walk
        walk, change = self.walk.after(fills)
        logged = {
            place: fill.dump() if fill else None
            for place, fill in change.fills.items()
            if fill is None or fill.mark != NOT_APPLICABLE
        }
        upcoming = walk.next()
        return replace(
            self,
            walk=walk,
            log=(*self.log, logged),
            own={**self.own, **own},
            consents=(*self.consents, *self._agreed(fills), *self._taken_back(walk)),
            last_question=upcoming.key if upcoming else "",
            typed={},
        ).going_on()

    def _taken_back(self, walk: Walk) -> list[tuple[str, str]]:
        """What was agreed to by an answer that no longer stands."""
        assert self.walk
        return [
            (question.row.consent, "withdrawn")
            for question in walk.form.questions
            if question.row.consent
            and self.walk.fills.get(question.name) == Fill("yes")
            and walk.fills.get(question.name, Fill("", NOT_APPLICABLE)).mark
        ]

    def _agreed(self, fills: Mapping[str, Fill]) -> list[tuple[str, str]]:
        assert self.walk
        asked = [(self.walk.form.by_name[place.partition(".")[0]], fill) for place, fill in fills.items()]
        return [
            (question.row.consent, "yes" if fill.value == "yes" else "no")
            for question, fill in asked
            if question.row.consent and not fill.mark
        ]


@dataclass(frozen=True)
class Move:
    """One message with the id its sender made, and the record once it is kept."""

    id: str
    body: dict[str, str]
    after: Record
    edits: bool = False


class Persona:
    """One visitor of the web chat and what they know: everything sent, what was acknowledged, what must stand."""

    def __init__(self, form: Form, today: date, chance: random.Random) -> None:
        self._form, self._today, self._chance = form, today, chance
        cookie = new_visitor()
        self._headers = {"Cookie": f"{COOKIE}={cookie}"}
        self.address = address_of(cookie)
        self.record = Record()
        self.pending: Move | None = None
        self.sent: dict[str, Move] = {}
        self.acknowledged: set[str] = set()
        self.sent_again = 0
        self._cursor = self._upto = 0  # what was fetched, and what was acknowledged
        self._shown: Shown = {"choices": []}

    async def talk(self, session: aiohttp.ClientSession, posting: Callable[[], None]) -> None:
        """Answer one question after another until the service is gone; `posting` is told of each message sent."""
        try:
            if self.pending:
                self.sent_again += 1
                await self._settle(session, posting)
            await self._see(session)
            while True:
                await asyncio.sleep(self._chance.uniform(0, LONGEST_PAUSE))
                await self._make(session, self._next_move(), posting)
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError):
            return

    async def finish(self, session: aiohttp.ClientSession) -> None:
        """Answer what is open, then send the survey."""
        if self.pending:
            await self._settle(session)
        await self._see(session)
        while self.record.screen[0] != "review":
            await self._make(session, self._next_move(edits=False))
        submitted = replace(self.record.on("more"), status="submitted")
        await self._make(session, self._tap("form:submit", submitted))

    async def _make(
        self, session: aiohttp.ClientSession, move: Move, posting: Callable[[], None] = lambda: None
    ) -> None:
        self.pending = self.sent[move.id] = move
        await self._settle(session, posting)
        await self._see(session)

    async def _settle(
        self, session: aiohttp.ClientSession, posting: Callable[[], None] = lambda: None
    ) -> None:
        """Post what is pending, the same again until it is taken."""
        if move := self.pending:
            await until_taken(lambda: self._post(session, move, posting))

    async def _post(self, session: aiohttp.ClientSession, move: Move, posting: Callable[[], None]) -> bool:
        posting()
        async with session.post("/chat", json=move.body, headers=self._headers) as response:
            answer = await response.json()
        if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return False
        if response.status != HTTPStatus.OK:
            raise Refused(f"{response.status} for {move.body}: {answer}")
        self.acknowledged.add(move.id)
        self._upto = max(self._upto, answer["cursor"])
        self.record, self.pending = move.after, None
        return True

    async def _see(self, session: aiohttp.ClientSession) -> None:
        """Fetch what is new; the question on the screen must be the one that is expected."""
        await self._fetch(session)
        while self._cursor < self._upto:
            await self._fetch(session, wait=1)
        if self._screen() != self.record.screen:
            raise Refused(f"{self._screen()} is shown, not {self.record.screen}: {self._shown.get('text')}")

    async def _fetch(self, session: aiohttp.ClientSession, wait: int = 0) -> None:
        asked = {"after": str(self._cursor), "wait": str(wait)}
        async with session.get("/chat/events", params=asked, headers=self._headers) as response:
            answer = await response.json()
        if response.status != HTTPStatus.OK:
            raise Refused(f"{response.status} for events: {answer}")
        self._cursor = answer["cursor"]
        for message in answer["messages"]:
            if message["choices"]:
                self._shown = message

    def _screen(self) -> Screen:
        return screen_of([choice["value"] for choice in self._shown["choices"]])

    # What is done next

    def _next_move(self, *, edits: bool = True) -> Move:
        kind, key = self._screen()
        match kind:
            case "nothing":
                return self._say("khảo sát", self.record.on("notice"))
            case "notice":
                return self._tap("survey:yes", self.record.begun(self._form, self._today))
            case "line":
                return self._say("đúng", self.record.given(self.record.typed, {}))
        if kind == "review" or (edits and self._may(OFTEN) and len(self.record.answered()) > 1):
            return self._edit()
        return self._answer(key)

    def _edit(self) -> Move:
        """«sửa 5»: an earlier answer, by its number in the review."""
        prompts = self.record.answered()
        number = self._chance.randint(1, len(prompts))
        move = self._say(f"sửa {number}", self.record.on("ask", prompts[number - 1].key))
        return replace(move, edits=True)

    def _answer(self, key: str) -> Move:
        """An answer to what is asked, in a way that the message offers."""
        values = [choice["value"] for choice in self._shown["choices"]]
        is_open = f"form:keep:{key}" not in values
        if not is_open and self._may(SELDOM):
            return self._tap(f"form:keep:{key}", self.record.going_on())
        if is_open and f"form:skip:{key}" in values and self._may(SELDOM):
            return self._tap(f"form:skip:{key}", self._all(key, PASSED))
        if f"form:unknown:{key}" in values and self._may(SELDOM):
            return self._tap(f"form:unknown:{key}", self._all(key, NOT_KNOWN))
        if control := self._shown.get("control"):
            return (self._ticked if control["kind"] == "several" else self._numbered)(key, control)
        names = [value.split(":")[3] for value in values if value.startswith(f"form:a:{key}:")]
        return self._picked(key, names) if names else self._typed(key)

    def _all(self, key: str, fill: Fill) -> Record:
        return self.record.given(dict.fromkeys(self._places(key), fill), {})

    def _places(self, key: str) -> list[str]:
        assert self.record.walk
        prompt = self.record.walk.prompt(key)
        assert prompt
        return [place.name for place in prompt.places]

    def _ticked(self, key: str, control: Shown) -> Move:
        head = control["value"]
        values = [choice["value"] for choice in self._shown["choices"]]
        names = [value.removeprefix(head) for value in values if value.startswith(head)]
        some = [name for name in names if name not in control["alone"] and name != "other"]
        chosen = self._chance.sample(some, self._chance.randint(1, min(3, len(some))))
        if control["alone"] and self._may(SELDOM):
            chosen = [control["alone"][0]]
        after = self.record.given({key: Fill(tuple(chosen))}, {})
        return self._tap(f"{_sends(control)}{'+'.join(chosen)}", after)

    def _numbered(self, key: str, control: Shown) -> Move:
        """Numbers of a line: by the steppers, or typed and read back."""
        places = self._places(key)
        assert len(places) == len(control["labels"])
        numbers = sorted((self._chance.randint(1, 40) for _ in places), reverse=True)
        fills = {place: Fill(number) for place, number in zip(places, numbers, strict=True)}
        said = " ".join(map(str, numbers))
        if self._may(0.5):
            return self._tap(f"{_sends(control)}{said}", self.record.given(fills, {}))
        return self._say(said, replace(self.record.on("line", key), typed=fills))

    def _picked(self, key: str, names: list[str]) -> Move:
        name = self._chance.choice([name for name in names if name != "other"])
        return self._tap(f"form:a:{key}:{name}", self.record.given({key: Fill(name)}, {}))

    def _typed(self, key: str) -> Move:
        text, value = self._chance.choice(TYPED[key])
        if self._form.by_name[key].row.personal:
            return self._say(text, self.record.given({key: KEPT_APART}, {key: str(value)}))
        return self._say(text, self.record.given({key: Fill(value)}, {}))

    def _may(self, share: float) -> bool:
        return self._chance.random() < share

    def _say(self, text: str, after: Record) -> Move:
        return _move(after, text=text)

    def _tap(self, value: str, after: Record) -> Move:
        return _move(after, tap=value, label=value)


def _move(after: Record, **what: str) -> Move:
    name = uuid.uuid4().hex
    return Move(name, {"id": name, **what}, after)


def _sends(control: Shown) -> str:
    return str(control.get("sends") or control["value"])
