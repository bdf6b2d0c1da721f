"""A lane sends what is to be said: in order, at least once, replies first, and writes what became of it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.app import App
from bot.budget import Budget
from bot.channels.base import Capabilities, Failure, NotSent, Rates, Trouble
from bot.conversation import Inbound
from bot.delivery import Delivery
from handlers.messages import Attachment, Message
from storage import posts
from storage.database import Database, open_database
from storage.outbox import dump
from storage.tables import instant, outbox
from tests.world import Clock, Postgres, Sqlite, new_app

LIFTED = Rates(per_second=100_000, per_chat=100_000, chat_burst=1_000, group_per_minute=100_000)


@dataclass
class Post:
    """A channel in memory that fails as it is told: the nth send by the nth entry, None for none."""

    rates: Rates = LIFTED
    fails: deque[Failure | Exception | None] = field(default_factory=deque)
    sent: list[tuple[str, str, str | None]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    gate: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self.can = Capabilities(
            "post",
            text_length=4_000,
            buttons=0,
            label_length=0,
            edits=True,
            files=True,
            push=True,
            rates=self.rates,
        )
        self.news = asyncio.Event()

    def routes(self) -> list[Any]:
        return []

    def hooks(self) -> dict[str, Any]:
        return {}

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def close(self) -> None: ...

    def health(self) -> str:
        return "open"

    def is_group(self, address: str) -> bool:
        return address.startswith("-")

    async def send(self, address: str, part: Message, replaces: str | None) -> None:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            if self.gate:
                await self.gate.wait()
            fault = self.fails.popleft() if self.fails else None
            if isinstance(fault, Failure):
                raise NotSent(fault)
            if fault:
                raise fault
            self.sent.append((address, part.text or part.attachments[0].name, replaces))
        finally:
            self.under_way -= 1
            self.news.set()


@dataclass
class House:
    app: App
    post: Post
    me: str = "here"

    async def says(self, address: str, text: str, **more: Any) -> None:
        await self.app.conversation.take(
            Inbound("post", address, f"{address} {text} {len(self.post.sent)}", text=text, **more)
        )

    async def sent(self, count: int) -> list[tuple[str, str, str | None]]:
        """What was sent, once it is so much."""
        async with asyncio.timeout(15):
            while len(self.post.sent) < count:
                self.post.news.clear()
                await self.post.news.wait()
        return self.post.sent

    @property
    def clock(self) -> Clock:
        assert isinstance(self.app.now, Clock)
        return self.app.now

    def rows(self, columns: str = "status") -> list[tuple[Any, ...]]:
        with self.app.database.reader.connect() as connection:
            return [
                tuple(row) for row in connection.execute(sa.text(f"SELECT {columns} FROM outbox ORDER BY id"))
            ]

    async def settles(self, *statuses: str, columns: str = "status") -> None:
        """Until the rows stand so."""
        async with asyncio.timeout(15):
            while [row[0] for row in self.rows(columns)] != list(statuses):  # noqa: ASYNC110  a database rings no bell
                await asyncio.sleep(0.02)


@asynccontextmanager
async def house(url: str, post: Post | None = None, me: str = "here") -> AsyncIterator[House]:
    app = new_app(url)
    post = post or Post()
    app.conversation.start()
    delivery = Delivery([post], app.conversation, me, app.now)
    await delivery.start()
    try:
        yield House(app, post, me)
    finally:
        await delivery.stop()
        await app.conversation.stop()
        app.database.close()


def queue(url: str, rows: list[dict[str, Any]]) -> None:
    """Rows as another part of the program would leave them; `address` is made where it is missing."""
    app = new_app(url)
    now = app.now()
    with app.database.writer.begin() as connection:
        for row in rows:
            address = row.pop("address")
            met = sa.text("SELECT id FROM addresses WHERE address = :address")
            number = connection.execute(met, {"address": address}).scalar()
            if number is None:
                person = connection.execute(
                    sa.text(
                        "INSERT INTO people (created_at, seen_at, language, language_chosen, greeted)"
                        " VALUES (:now, :now, 'vi', false, true) RETURNING id"
                    ),
                    {"now": instant(now)},
                ).scalar_one()
                number = connection.execute(
                    sa.text(
                        "INSERT INTO addresses (person_id, channel, address, created_at)"
                        " VALUES (:person, 'post', :address, :now) RETURNING id"
                    ),
                    {"person": person, "address": address, "now": instant(now)},
                ).scalar_one()
            given = {
                "address_id": number, "position": 0, "status": "queued", "at": instant(now), "channel": "post",
                "bulk": True, "due_at": instant(now), "owner": None, "message": dump(Message(row.pop("text"))),
                **row,
            }  # fmt: skip
            names = ", ".join(given)
            values = ", ".join(f":{name}" for name in given)
            connection.execute(sa.text(f"INSERT INTO outbox ({names}) VALUES ({values})"), given)
    app.database.close()


async def test_a_reply_is_sent_and_marked(url: str) -> None:
    async with house(url) as here:
        await here.says("an", "menu")

        sent = await here.sent(2)

        assert [address for address, _, _ in sent] == ["an", "an"]
        await here.settles("sent", "sent")
        assert here.rows("owner, channel, tries, reason, due_at") == [("here", "post", 0, None, None)] * 2


async def test_of_one_chat_one_message_is_under_way_and_they_arrive_in_order(sqlite: Sqlite) -> None:
    async with house(sqlite.new()) as here:
        here.post.gate = asyncio.Event()
        for number in range(5):
            await here.says("an", f"câu {number}")
        for number in range(40):
            await here.says(f"người {number}", "menu")
        here.post.gate.set()

        sent = await here.sent(5 + 1 + 80)

        assert here.post.most_under_way == 32
        mine = [text for address, text, _ in sent if address == "an"]
        with here.app.database.reader.connect() as connection:
            stored = connection.execute(
                sa.text(
                    "SELECT o.message FROM outbox o JOIN addresses a ON a.id = o.address_id WHERE a.address = 'an' ORDER BY o.id"
                )
            ).scalars()
            assert [text[:20] for text in mine] == [message[2:22] for message in stored]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Failure(Trouble.NOT_TAKEN, "away"), id="not reached"),
        pytest.param(Failure(Trouble.IN_DOUBT, "time-out"), id="in doubt"),
        pytest.param(Failure(Trouble.LIMITED, "too many", seconds=0.1), id="too many"),
        pytest.param(RuntimeError("a fault of our own"), id="a fault of our own"),
    ],
)
async def test_a_reply_that_fails_is_sent_again_and_holds_back_what_follows(
    sqlite: Sqlite, fault: Failure | Exception
) -> None:
    async with house(sqlite.new(), Post(fails=deque([fault]))) as here:
        await here.says("an", "menu")

        sent = await here.sent(2)

        assert sent[0][1].startswith("Chào Anh/Chị")
        await here.settles("sent", "sent")


async def test_what_can_never_be_sent_stops_nothing(sqlite: Sqlite) -> None:
    async with house(sqlite.new(), Post(fails=deque([Failure(Trouble.REFUSED, "text is too long")]))) as here:
        await here.says("an", "menu")

        await here.settles("failed", "sent")

        assert here.rows("reason")[0] == ("text is too long",)


async def test_a_blocked_address_is_marked_and_left_alone(url: str) -> None:
    async with house(url, Post(fails=deque([Failure(Trouble.GONE, "blocked by the user")]))) as here:
        await here.says("an", "menu")

        await here.settles("skipped", "skipped")

        with here.app.database.reader.connect() as connection:
            assert connection.execute(sa.text("SELECT blocked_at IS NOT NULL FROM addresses")).scalar()
        assert here.post.sent == []


async def test_who_wrote_again_since_they_blocked_is_answered(url: str) -> None:
    gate, gone = asyncio.Event(), Failure(Trouble.GONE, "blocked by the user")
    async with house(url, Post(fails=deque([gone]), gate=gate)) as here:
        await here.says("an", "menu")
        here.clock.pass_(seconds=1)
        await here.says("an", "kinh phí lấy từ đâu")
        gate.set()

        await here.settles("skipped", "skipped", "sent")

        with here.app.database.reader.connect() as connection:
            assert connection.execute(sa.text("SELECT blocked_at FROM addresses")).scalar() is None


async def test_who_moved_is_found_again(sqlite: Sqlite) -> None:
    async with house(sqlite.new(), Post(fails=deque([Failure(Trouble.MOVED, "moved", to="-100")]))) as here:
        await here.says("-1", "menu")

        sent = await here.sent(2)

        assert [address for address, _, _ in sent] == ["-100", "-100"]


async def test_a_restart_goes_on_at_once_with_what_it_had_in_hand(url: str) -> None:
    later = instant(datetime.now(UTC) + timedelta(hours=1))
    queue(
        url,
        [
            {
                "address": "an",
                "text": "một",
                "bulk": False,
                "status": "leased",
                "owner": "here",
                "due_at": later,
            },
            {
                "address": "an",
                "text": "hai",
                "bulk": False,
                "status": "retry_at",
                "owner": "here",
                "due_at": later,
            },
            {
                "address": "ba",
                "text": "của máy khác",
                "bulk": False,
                "status": "leased",
                "owner": "there",
                "due_at": later,
            },
        ],
    )
    async with house(url) as here:
        await here.sent(2)
        await here.settles("sent", "sent", "leased")

        assert [text for _, text, _ in here.post.sent] == ["một", "hai"]


async def test_what_another_process_left_is_taken_up_when_its_lease_lapses(url: str) -> None:
    queue(url, [{"address": "an", "text": "bỏ lại", "bulk": False, "status": "leased", "owner": "there"}])
    async with house(url) as here:
        await here.settles("sent")

        assert here.rows("owner") == [("here",)]


async def test_bulk_that_was_being_sent_when_the_process_ended_is_nobodys_to_repeat(url: str) -> None:
    queue(
        url,
        [
            {"address": "an", "text": "đang gửi", "status": "sending", "owner": "here"},
            {"address": "ba", "text": "chưa gửi", "status": "leased", "owner": "here"},
            {"address": "cu", "text": "chưa ai nhận"},
        ],
    )
    async with house(url) as here:
        await here.settles("unknown", "sent", "sent")

        assert sorted(text for _, text, _ in here.post.sent) == ["chưa ai nhận", "chưa gửi"]


async def test_bulk_in_doubt_is_not_sent_again(sqlite: Sqlite) -> None:
    url = sqlite.new()
    queue(url, [{"address": "an", "text": "thông báo"}])
    async with house(url, Post(fails=deque([Failure(Trouble.IN_DOUBT, "time-out")]))) as here:
        await here.settles("unknown")

        assert here.post.sent == []


async def test_bulk_is_said_to_be_sending_before_it_is_sent(sqlite: Sqlite) -> None:
    url = sqlite.new()
    queue(url, [{"address": f"người {number}", "text": "thông báo"} for number in range(100)])
    async with house(url) as here:
        here.post.gate = asyncio.Event()
        async with asyncio.timeout(10):
            while here.post.under_way < 32:  # noqa: ASYNC110  workers ring no bell
                await asyncio.sleep(0.01)
        sending = sum(status == "sending" for (status,) in here.rows())
        here.post.gate.set()
        await here.settles(*["sent"] * 100)

    assert sending == 32


async def test_replies_go_before_bulk(sqlite: Sqlite) -> None:
    url = sqlite.new()
    queue(url, [{"address": f"người {number}", "text": "thông báo"} for number in range(60)])
    async with house(url, Post(replace(LIFTED, per_second=30))) as here:
        await here.sent(10)
        await here.says("an", "menu")
        before = len(here.post.sent)

        await here.sent(before + 4)

        assert "an" in [address for address, _, _ in here.post.sent[before : before + 4]]


async def test_one_process_alone_sends_bulk(url: str) -> None:
    async with house(url, me="here") as here, house(url, me="there") as there:
        queue(url, [{"address": f"người {number}", "text": "thông báo"} for number in range(150)])
        await here.settles(*["sent"] * 150)

        total = [*here.post.sent, *there.post.sent]
        assert len(total) == len({address for address, _, _ in total}) == 150
        assert not here.post.sent or not there.post.sent


async def test_taps_that_follow_each_other_faster_than_they_are_answered_end_in_the_last_answer(
    sqlite: Sqlite,
) -> None:
    async with house(sqlite.new()) as here:
        for text in (
            "khảo sát",
            "đồng ý",
            "Công ty Gỗ",
            "công ty tnhh",
            "0100109106",
            "phường bồng sơn",
            "3",
            "2",
        ):
            await here.says("an", text)
        before = len(here.rows())
        await here.settles(*["sent"] * before)
        here.post.gate = asyncio.Event()
        tick = "form:pick:instrument_types:{}"
        for name in ("bench_scale", "truck_scale", "other_scale"):
            await here.app.conversation.take(
                Inbound("post", "an", name, tap=tick.format(name), tapped_on="77")
            )
        here.post.gate.set()

        await here.settles(*["sent"] * (before + 1), "skipped", "sent")

        assert [replaces for _, _, replaces in here.post.sent[-2:]] == ["77", "77"]


async def test_a_file_follows_its_words(sqlite: Sqlite) -> None:
    url = sqlite.new()
    message = Message("Phiếu của Anh/Chị.", attachments=(Attachment("phieu.docx", "x/y", "responses/1"),))
    queue(url, [{"address": "an", "text": "", "message": dump(message), "bulk": False}])
    async with house(url) as here:
        await here.settles("sent")

        assert [text for _, text, _ in here.post.sent] == ["Phiếu của Anh/Chị.", "phieu.docx"]


async def test_an_answer_does_not_wait_for_bulk_that_is_tried_again(sqlite: Sqlite) -> None:
    url = sqlite.new()
    away = Failure(Trouble.NOT_TAKEN, "away")
    async with house(url) as here:
        await here.says("an", "menu")
        await here.settles("sent", "sent")
    queue(url, [{"address": "an", "text": "thông báo"}])
    async with house(url, Post(fails=deque([away] * 4))) as here:
        await here.settles("sent", "sent", "retry_at")
        here.post.fails.clear()
        await here.says("an", "kinh phí lấy từ đâu")

        sent = await here.sent(2)

        assert [text == "thông báo" for _, text, _ in sent] == [False, True]


async def test_a_reply_behind_bulk_that_is_half_sent_comes_after_it(sqlite: Sqlite) -> None:
    url = sqlite.new()
    away = Failure(Trouble.NOT_TAKEN, "away")
    async with house(url, Post()) as here:
        await here.says("an", "menu")
        await here.settles("sent", "sent")
    queue(url, [{"address": "an", "text": "Dài. " * 900}])
    async with house(url, Post(fails=deque([None, away]))) as here:
        await here.settles("sent", "sent", "retry_at")
        await here.says("an", "kinh phí lấy từ đâu")

        sent = await here.sent(3)

        assert [text.startswith("Dài") for _, text, _ in sent] == [True, True, False]


async def test_a_fault_in_what_follows_a_failure_silences_nobody(
    sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.AFTER_A_FAULT", 0.05)
    gone = deque([True])

    def explodes(*_: object) -> None:
        if gone:
            gone.popleft()
            raise RuntimeError("a fault of our own")

    monkeypatch.setattr("bot.delivery.posts.move", explodes)
    async with house(sqlite.new(), Post(fails=deque([Failure(Trouble.MOVED, "moved", to="-7")]))) as here:
        await here.says("-1", "menu")

        await here.sent(2)


async def test_what_a_channel_told_to_wait_for_is_still_waited_for_after_a_renewal(url: str) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    queue(
        url,
        [{"address": "an", "text": "một", "status": "retry_at", "owner": "here", "due_at": instant(later)}],
    )
    app = new_app(url)
    with app.database.writer.begin() as connection:
        posts.renew(connection, "here", [1], datetime.now(UTC))
        [due] = connection.execute(sa.select(outbox.c.due_at)).scalars()
    app.database.close()

    assert due == later


async def test_a_limit_that_was_told_is_kept_at_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.delivery.MARKS_EVERY", 3600)
    limited = Failure(Trouble.LIMITED, "too many", seconds=600)
    async with house(url, Post(fails=deque([limited]))) as here:
        await here.says("an", "menu")

        await here.settles("retry_at", "leased")


async def test_what_is_said_to_one_is_taken_up_in_its_order(url: str) -> None:
    later = instant(datetime.now(UTC) + timedelta(hours=1))
    rows = [
        {"address": "an", "text": "một", "status": "retry_at", "owner": "there", "due_at": later},
        {"address": "an", "text": "hai", "status": "leased", "owner": "there"},
        {"address": "ba", "text": "ba", "status": "leased", "owner": "there"},
    ]
    queue(url, [{**row, "bulk": False} for row in rows])
    async with house(url) as here:
        await here.settles("retry_at", "leased", "sent")

        assert [text for _, text, _ in here.post.sent] == ["ba"]


async def test_bulk_of_a_process_that_ended_is_found_in_doubt_by_another(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.RENEW_EVERY", 0.05)
    async with house(url) as here:
        queue(url, [{"address": "an", "text": "đang gửi", "status": "sending", "owner": "there"}])

        await here.settles("unknown")


async def test_processes_share_what_a_channel_lets_through(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.delivery.SHARE_EVERY", 0.05)
    shares: dict[str, int] = {}
    monkeypatch.setattr(Budget, "share", lambda self, among: shares.update({str(id(self)): among}))
    async with house(url, me="here"), house(url, me="there"):
        async with asyncio.timeout(10):
            while sorted(shares.values()) != [2, 2]:  # noqa: ASYNC110  a budget rings no bell
                await asyncio.sleep(0.02)
    async with house(url, me="here"):
        assert list(shares.values())[-1] == 1


async def test_what_a_killed_process_left_half_committed_is_waited_for(postgres: Postgres) -> None:
    """A server of PostgreSQL commits what its client had sent, whether or not the client lives."""
    url = postgres.new()
    queue(url, [{"address": "an", "text": "một", "bulk": False, "status": "leased", "owner": "there"}])
    database = open_database(url)
    late = datetime.now(UTC) + timedelta(hours=1)
    dying = database.writer.connect()
    dying.begin()
    dying.execute(sa.update(outbox).values(owner="here", due_at=late))
    commits = asyncio.get_running_loop().run_in_executor(None, _commit_once_waited_for, dying, database)
    async with house(url) as here:
        await here.settles("sent")
    await commits
    dying.close()
    database.close()


def _commit_once_waited_for(dying: sa.Connection, database: Database) -> None:
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while True:
        with database.reader.connect() as connection:
            if connection.execute(waiting).scalar():
                dying.commit()
                return


async def test_what_one_process_is_told_to_wait_for_all_wait_for(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.SHARE_EVERY", 0.05)
    limited = Failure(Trouble.LIMITED, "too many", seconds=600)
    heard = asyncio.Event()
    share = Budget.share
    looks = 0

    def look(self: Budget, among: int) -> None:
        nonlocal looks
        looks += 1
        heard.set()
        share(self, among)

    monkeypatch.setattr(Budget, "share", look)
    async with house(url, Post(fails=deque([limited])), me="here") as here, house(url, me="there") as there:
        await here.says("an", "menu")
        await here.settles("retry_at", "leased")
        seen = looks
        async with asyncio.timeout(15):
            while looks < seen + 6:  # both have looked again since, whoever looked first
                heard.clear()
                await heard.wait()
        await there.says("ba", "menu")
        for _ in range(20):  # every turn of the loop that a request would need to begin and end
            await asyncio.sleep(0)

        assert there.post.sent == []
