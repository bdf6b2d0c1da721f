"""Somebody who answers the survey on Telegram, stops in the middle, and goes on after the service died.

What must stand in the database, and what is asked next, is told by the record of tests/crash/persona.py; here it is
typed and tapped with what Telegram has.
"""

import random
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from stdnum.vn import mst

from content.forms import Form
from handlers.fills import Fill
from tests.crash.persona import SELDOM, Move, Persona, Record, Screen, Shown
from tests.fakes.telegram import Message, Person
from tests.telegram_proof.people import PATIENCE, SURVEY, InVain, Somebody, Taken

GO_ON = "form:next"
LENGTH_OF_TAX_CODE = 10

Names = tuple[str, ...]


@dataclass(frozen=True)
class Ticks(Move):
    """Boxes that are tapped one by one, then done."""

    values: Names = ()
    done: str = ""


def _ticking(standing: Names, wanted: Sequence[str], alone: Container[str]) -> tuple[list[str], Names]:
    """Which boxes are to be tapped for these to be ticked, and in which order they stand then."""
    off = [name for name in standing if name not in wanted and name not in alone]
    on = [name for name in wanted if name not in standing]
    if wanted[0] in alone and on:
        return on, tuple(on)  # it clears the others by itself
    kept = [name for name in standing if name in wanted]
    if not off and not on:  # «done» is offered once something was tapped
        return [kept[0], kept[0]], (*kept[1:], kept[0])
    return off + on, (*kept, *on)


class Answers(Persona):
    """Decides what is said next, from the question as Telegram shows it."""

    def __init__(self, form: Form, today: date, chance: random.Random) -> None:
        super().__init__(form, today, chance)
        self._contact = next(one.name for one in form.questions if one.row.format == "phone_or_email")

    def looks_at(self, asked: Message) -> Screen:
        """See a message: which question it is."""
        if asked.markup.kind == "keyboard":  # its keys carry nothing but words
            self._shown = {"choices": [{"value": f"form:later:{self._contact}"}]}
        else:
            values = [button.data for row in asked.keyboard for button in row]
            self._shown = {"choices": [{"value": value} for value in values]}
        return self._screen()

    def moves(self, *, edits: bool) -> Move:
        """What is said next."""
        kind, key = self._screen()
        if kind == "ask" and (control := self._control(key)):
            self._shown = {**self._shown, "control": control}
        return self._next_move(edits=edits)

    def submits(self) -> Move:
        """The survey is sent."""
        return self._tap("form:submit", replace(self.record.on("more"), status="submitted"))

    def _control(self, key: str) -> Shown | None:
        """Telegram draws no controls: boxes are buttons, numbers are typed."""
        head = f"form:pick:{key}:"
        if any(choice["value"].startswith(head) for choice in self._shown["choices"]):
            alone = [one.name for one in self._form.by_name[key].choices if one.exclusive]
            return {"kind": "several", "value": head, "alone": alone}
        assert self.record.walk
        prompt = self.record.walk.prompt(key)
        if prompt is not None and prompt.group is not None:
            return {"kind": "numbers", "value": "", "labels": prompt.places}
        return None

    def _ticked(self, key: str, control: Shown) -> Move:
        """Boxes: those of the answer that stands are ticked already."""
        head, alone = control["value"], control["alone"]
        names = [one.removeprefix(head) for one in self._values() if one.startswith(head)]
        some = [name for name in names if name not in alone and name != "other"]
        wanted = self._chance.sample(some, self._chance.randint(1, min(3, len(some))))
        if alone and self._may(SELDOM):
            wanted = [alone[0]]
        taps, ticked = _ticking(self._standing(key), wanted, alone)
        after = self.record.given({key: Fill(ticked)}, {})
        return Ticks("", {}, after, values=tuple(f"{head}{name}" for name in taps), done=f"form:done:{key}")

    def _typed(self, key: str) -> Move:
        """A tax code is one's own: of one that somebody else has given, the assistant would ask whose it is."""
        if key != "tax_code":
            return super()._typed(key)
        code = ""
        while len(code) != LENGTH_OF_TAX_CODE:  # one body in eleven has no check digit
            body = f"41{self._chance.randrange(1, 10**7):07}"
            code = f"{body}{mst.calc_check_digit(body)}"
        return self._say(code, self.record.given({key: Fill(code)}, {}))

    def _standing(self, key: str) -> Names:
        assert self.record.walk
        fill = self.record.walk.fills.get(key)
        return fill.value if fill and isinstance(fill.value, tuple) else ()

    def _values(self) -> list[str]:
        return [choice["value"] for choice in self._shown["choices"]]

    def _numbered(self, key: str, control: Shown) -> Move:
        """Numbers of a line: typed, and read back."""
        places = self._places(key)
        numbers = sorted((self._chance.randint(1, 40) for _ in places), reverse=True)
        fills = {place: Fill(number) for place, number in zip(places, numbers, strict=True)}
        return self._say(" ".join(map(str, numbers)), replace(self.record.on("line", key), typed=fills))


class Respondent(Somebody):
    """Answers so many questions; `pending` is the update that makes the record the next one, if it is kept."""

    def __init__(
        self,
        person: Person,
        chance: random.Random,
        taken: Taken,
        moved: Callable[[], None],
        *,
        form: Form,
        today: date,
        most: int,
        died: Callable[[], Awaitable[None]],
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(person, chance, taken, moved, patience)
        self.answers = Answers(form, today, chance)
        self.pending: tuple[int, Record] | None = None
        self.most = most
        self.moves = 0
        self.resumed = 0
        self._died = died

    async def talks(self) -> None:
        """Answer until enough is answered, or all."""
        await self.hears(self.notes(self.person.starts(), "start", "", "trợ lý tự động"), "trợ lý tự động")
        rest_after = self.chance.randrange(1, max(2, self.most))
        while self.moves < self.most:
            screen = self._seen()
            if screen[0] == "review":
                await self._does(self.answers.submits())
                break
            await self._does(self.answers.moves(edits=self.moves < self.most - 5))
            self.moves += 1
            if self.moves == rest_after:
                await self._rests()
            await self.pauses(0.5)
        self.done = True

    @property
    def record(self) -> Record:
        """What must be kept now, without what is pending."""
        return self.answers.record

    async def _rests(self) -> None:
        """Stop in the middle until the service has died, and go on: some by the menu, some as if nothing were."""
        await self._died()
        if self.record.screen[0] != "ask" or self.record.walk is None or self.chance.random() < 0.5:
            return
        self.resumed += 1
        await self._gives(self.says("menu"), self.record.on("nothing"))
        following = self.record.going_on()
        if following.screen[0] == "ask":
            await self._gives(self.says(SURVEY), self.record)  # how far it is, and what may be done
            await self._gives(await self._taps(GO_ON), following)
        else:
            await self._gives(self.says(SURVEY), following)

    async def _does(self, move: Move) -> None:
        if isinstance(move, Ticks):
            await self._ticks(move)
        elif "text" in move.body:
            await self._gives(self.says(move.body["text"]), move.after)
        else:
            await self._gives(await self._taps(move.body["tap"]), move.after)

    async def _ticks(self, move: Ticks) -> None:
        for value in move.values:
            await self.is_taken(await self._taps(value))
        await self._gives(await self._taps(move.done), move.after)

    def _button(self, value: str) -> str:
        """What the button of a value says, empty if there is none."""
        rows = self._asked().keyboard
        return next((button.label for row in rows for button in row if button.data == value), "")

    async def _taps(self, value: str) -> int:
        """Tap as soon as it can be: an earlier question may stand there again for a moment."""
        await self._until(lambda: self._button(value), f"a button {value}")
        return self.notes(self.person.taps(self._button(value), self._asked()), "tap")

    async def _gives(self, update: int, after: Record) -> None:
        """Wait until what was said is answered by the question that is expected next."""
        self.pending = (update, after)
        await self.hears(update)
        await self._until(lambda: self._seen() == after.screen, f"{after.screen}")
        self.answers.record, self.pending = after, None

    async def _until(self, holds: Callable[[], Any], what: str) -> None:
        try:
            await self.person.private.changed.until(holds, self.patience, what)
        except TimeoutError:
            raise InVain(
                f"{self.address}: {what} was expected, the chat is {self.person.chat[-3:]}"
            ) from None

    def _asked(self) -> Message:
        """The message with choices that changed last."""
        bots = [one for one in self.person.chat if one.from_bot and one.markup.rows]
        return max(bots, key=lambda message: message.changed_at)

    def _seen(self) -> Screen:
        return self.answers.looks_at(self._asked())
