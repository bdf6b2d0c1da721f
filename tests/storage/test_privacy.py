"""Erasing beside others: what a colleague answers meanwhile stays, and what was not sent is not sent any more."""

import threading
from collections.abc import Iterator

import orjson
import pytest
import sqlalchemy as sa

from bot.app import App
from content.everything import Content
from handlers.fills import KEPT_APART, Fill
from handlers.people import Person
from handlers.responses import EraseMe, KeepPersonal, OpenByCode, OpenResponse, SaveFills
from storage import people, responses
from storage.database import Database, open_database
from storage.privacy import Eraser
from storage.responses import Door, DraftReader, PersonalWriter
from tests.world import START, Postgres, new_app

CODE = "KQ7MXW29RTB4"
KEY = b"k" * 32


@pytest.fixture
def app(url: str) -> Iterator[App]:
    """An assistant that stands still."""
    made = new_app(url)
    yield made
    made.database.close()


def met(connection: sa.Connection, name: str) -> Person:
    return people.lock(connection, [("web", name)], START)["web", name].standing.person


def prepare(database: Database, content: Content) -> tuple[Person, Person]:
    """A response in which its owner is named in a free text, and a colleague who takes part."""
    form = content.forms["demand_survey"]
    fills = (
        ("enterprise", Fill("Gỗ Hoài Nhơn")),
        ("legal_form", Fill("llc")),
        ("suggestions", Fill("Gọi 0905 333 444.")),
        ("contact", KEPT_APART),
    )
    with database.writer.begin() as connection:
        owner, colleague = met(connection, "owner"), met(connection, "colleague")
        opened = OpenResponse(CODE, form.id, form.version, 2026, {})
        responses.open_responses(connection, [(owner, START, opened)])
        responses.save_fills(connection, [(owner, START, SaveFills(CODE, fills, "contact"))])
        PersonalWriter(KEY)(connection, [(owner, START, KeepPersonal(CODE, "contact", "+84905333444"))])
    return owner, colleague


def erase(database: Database, person: Person) -> None:
    with database.writer.begin() as connection:
        Eraser(KEY)(connection, person, START, EraseMe())


def answers(database: Database) -> dict[str, list[object]]:
    with database.reader.connect() as connection:
        text = connection.execute(sa.text("SELECT CAST(answers AS TEXT) FROM responses")).scalar_one()
    found: dict[str, list[object]] = orjson.loads(text)
    return found


def test_what_a_colleague_answers_while_somebody_is_erased_stays(
    postgres: Postgres, content: Content
) -> None:
    """The colleague's answer is written and not yet committed when the erasure begins: it waits, then keeps it."""
    app = new_app(postgres.new())
    owner, colleague = prepare(app.database, content)
    others = open_database(app.settings.database_url.get_secret_value())
    erasing = threading.Thread(target=erase, args=(others, owner))
    with app.database.writer.begin() as connection:
        more = SaveFills(CODE, (("labour", Fill("to_50")), ("suggestions", Fill("Tìm 0905.333.444"))), "")
        responses.save_fills(connection, [(colleague, START, more)])
        erasing.start()
        while not postgres.psql("SELECT 1 FROM pg_locks WHERE NOT granted"):
            assert erasing.is_alive()
    erasing.join()

    assert answers(app.database) == {
        "enterprise": ["Gỗ Hoài Nhơn"],
        "legal_form": ["llc"],
        "labour": ["to_50"],
        "suggestions": ["", "p"],
        "contact": ["", "p"],
    }
    others.close()
    app.database.close()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("waiting", "skipped"),
        ("queued", "skipped"),
        ("leased", "skipped"),
        ("retry_at", "skipped"),
        ("sending", "sending"),
        ("sent", "sent"),
        ("failed", "failed"),
    ],
)
def test_what_was_not_sent_yet_is_not_sent_empty(app: App, content: Content, before: str, after: str) -> None:
    owner, _ = prepare(app.database, content)
    insert = sa.text(
        "INSERT INTO outbox (address_id, position, status, at, message)"
        f" VALUES (1, 0, '{before}', '2026-11-20T02:00:00.000000+00:00', '[\"0905\",[],[]]')"
    )
    with app.database.writer.begin() as connection:
        connection.execute(insert)
    erase(app.database, owner)

    with app.database.reader.connect() as connection:
        found = connection.execute(sa.text("SELECT status, message FROM outbox")).all()
    assert [tuple(row) for row in found] == [(after, '["",[],[]]')]


def test_a_colleague_by_code_is_erased_without_the_owners_answers(app: App, content: Content) -> None:
    _, colleague = prepare(app.database, content)
    with app.database.writer.begin() as connection:
        Door(DraftReader(app.shelf)).open_by_code(connection, colleague, START, OpenByCode(CODE))
    erase(app.database, colleague)

    assert answers(app.database)["suggestions"] == ["Gọi 0905 333 444."]
