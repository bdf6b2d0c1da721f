"""The real service in this event loop, and a fake Telegram beside it; people who answer a form there."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from bot.app import App
from bot.server import Service, listening_socket
from tests.fakes.telegram import FakeTelegram, Faults, Limits, Message, Person
from tests.fakes.telegram.keyboards import Button
from tests.persona import Count, Persona, Screen, Tap, Tick, Write
from tests.world import Clock, new_app

REVIEW = "Sửa câu nào thì gõ số của câu đó"

OVER = "Vâng."  # said where a keyboard is taken away and what follows has buttons


@dataclass
class Stage:
    """A service that is met on Telegram."""

    telegram: FakeTelegram
    app: App
    address: str  # of the service's own web server

    def stored(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """What a statement finds."""
        with self.app.database.reader.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement), values)]


@asynccontextmanager
async def on_telegram(
    url: str,
    mode: str = "polling",
    *,
    faults: Faults | None = None,
    limits: Limits | None = None,
    telegram: FakeTelegram | None = None,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """The service on a database, met on a fake Telegram of its own or on the one given."""
    if telegram is None:
        async with (
            FakeTelegram(faults=faults, limits=limits) as new,
            on_telegram(url, mode, telegram=new, **settings) as stage,
        ):
            yield stage
        return
    bound = listening_socket("127.0.0.1", 0)
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    app = new_app(
        url,
        settings.pop("clock", None) or Clock(),
        telegram_token=SecretStr(telegram.token),
        telegram_base_url=telegram.address,
        telegram_mode=mode,
        public_url=address,
        **{"instance": "tests", "process_name": "tests", **settings},
    )
    stopping = asyncio.Event()
    serving = asyncio.create_task(Service(app).serve(bound, stopping))
    try:
        yield Stage(telegram, app, address)
    finally:
        stopping.set()
        await serving


@dataclass
class Respondent:
    """Somebody on Telegram who answers a form's questions as they come."""

    person: Person
    persona: Persona

    async def answers(self, until: str = REVIEW, most: int = 60) -> Message:
        """Answer whatever is asked until these words are seen; gives back the message that holds them."""
        for _ in range(most):
            asked = self.person.chat[-1]
            if until in asked.text:
                return asked
            await self.does(self.persona.answer(_screen(asked)))
        raise AssertionError(f"not seen after {most} answers: {until}")

    async def does(self, answer: Tap | Tick | Count | Write) -> None:
        """Give one answer with what Telegram has."""
        match answer:
            case Tap(label):
                await self.taps(label)
            case Tick(labels):
                for label in labels:
                    await self.taps(label)
                await self.taps(next(one for one in self.person.choices() if one.startswith("Xong")))
            case Count(numbers):
                await self.says(" ".join(numbers.values()))
                await self.taps("Đúng")
            case Write(text):
                await self.says(text)

    async def taps(self, label: str) -> Message:
        """Tap what has this label, or the number of it, and wait for what comes of it."""
        button = _named(self.person.chat[-1]).get(label)
        return await heard(self.person, self.person.taps(button.label if button else label))

    async def says(self, text: str) -> Message:
        """Write, and wait for the answer."""
        return await heard(self.person, self.person.says(text))


async def heard(person: Person, update: int) -> Message:
    """The answer to an update, behind the word that only takes a keyboard away."""
    answer = await person.answered(update)
    if answer.text != OVER:
        return answer
    found: Message = await person.private.changed.until(
        lambda: person.chat[-1] if person.chat[-1].text != OVER else None, 10, "what follows"
    )
    return found


def _screen(asked: Message) -> Screen:
    """Telegram draws boxes as buttons that are ticked, and no steppers: counts are typed."""
    named = _named(asked)
    boxes = tuple(label for label, button in named.items() if button.data.startswith("form:pick:"))
    return Screen(asked.text, rows=tuple(label for label in named if label not in boxes), boxes=boxes)


def _named(asked: Message) -> dict[str, Button]:
    """What can be tapped, by what it means: a button with a number stands for the line with that number."""
    lines = dict(line.split(". ", 1) for line in asked.text.splitlines() if re.match(r"\d+\. ", line))
    buttons = (button for row in asked.keyboard for button in row)
    return {lines.get(button.label, button.label): button for button in buttons}
