"""Every talk saved with `chat --save` and dropped into tests/transcripts is replayed through the same turn."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from tests.world import Clock, Postgres, Sqlite, Visitor, new_app

FOLDER = Path(__file__).parent.parent / "transcripts"
TALKS = sorted(FOLDER.glob("*.yaml"))
TRIAL = re.compile(
    "\n(Bản dùng thử|Trial version)$"
)  # whether this is a trial is a matter of the installation, not of the talk
TICKET = re.compile(r"\bQ\d+\b")


class Tickets:
    """Tickets are numbers of rows: what is the same is which ticket is meant, not its number."""

    def __init__(self) -> None:
        self._here: dict[str, str] = {}

    def learn(self, expected: str, heard: str) -> None:
        """Pair the tickets of two texts that say the same."""
        self._here.update(zip(TICKET.findall(expected), TICKET.findall(heard), strict=False))

    def here(self, text: str) -> str:
        """A saved text with the tickets of this replay."""
        return TICKET.sub(lambda found: self._here.get(found[0], found[0]), text)


@pytest.mark.parametrize("path", TALKS, ids=lambda path: path.stem)
async def test_a_saved_talk_is_answered_as_it_was(path: Path, databases: Sqlite | Postgres) -> None:
    saved = _read(path)
    clock = Clock(datetime.fromisoformat(saved["at"]))
    app = new_app(databases.new(), clock)
    app.conversation.start()
    visitor, tickets = Visitor(app), Tickets()
    if saved["begins"]:
        await visitor.says("menu")
        begins = saved["begins"]
        await app.conversation.run(lambda connection: _put(connection, begins))
    for turn in saved["talk"]:
        heard = await _give(visitor, turn, tickets)
        expected = turn["see"]
        tickets.learn("\n".join(one["text"] for one in expected), heard.text)

        texts = [TRIAL.sub("", one.text) for one in heard.messages]
        assert texts == [TRIAL.sub("", tickets.here(one["text"])) for one in expected]
        assert [[choice.label for choice in one.choices] for one in heard.messages] == [
            one.get("choices", []) for one in expected
        ]
    await app.conversation.stop()
    app.database.close()


def test_there_are_talks_to_replay() -> None:
    assert len(TALKS) >= 3


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


async def _give(visitor: Visitor, turn: dict[str, Any], tickets: Tickets) -> Any:
    match turn:
        case {"say": text}:
            return await visitor.says(tickets.here(text))
        case {"tap": value}:
            return await visitor.taps(value)
        case {"start": payload}:
            return await visitor.starts(payload)
        case {"file": name}:
            return await visitor.sends(name, "application/octet-stream")
        case _:
            raise AssertionError(turn)


_HAND = sa.text(
    "INSERT INTO questions (id, person_id, at, language, text, status)"
    " SELECT :number, id, :at, 'vi', :text, 'handed' FROM people"
)


def _put(connection: sa.Connection, begins: dict[str, Any]) -> None:
    connection.execute(
        sa.text(
            "UPDATE people SET language = :language, language_chosen = :language_chosen,"
            " greeted = :greeted, state = :state"
        ),
        {**begins, "language_chosen": bool(begins["language_chosen"]), "greeted": bool(begins["greeted"])},
    )
    for handed in begins["handed"]:
        number = int(handed["ticket"][1:])
        connection.execute(_HAND, {"number": number, "at": handed["at"], "text": handed["text"]})
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT setval('questions_id_seq', :number)"), {"number": number})
