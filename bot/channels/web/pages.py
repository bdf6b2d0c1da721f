"""The open pages of this process: what is new for each is read from the database, once a second and after each commit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import sqlalchemy as sa

from bot.conversation import Conversation
from bot.logs import log
from storage import outbox
from storage.database import Database
from storage.errors import StoreUnavailable, is_unavailable
from storage.outbox import Line
from storage.unit_of_work import Done, Turn

POLL = 1.0  # seconds between looks for what other processes wrote
HEARTBEAT = 15.0  # seconds of silence after which a page is told that the line still stands


class Page:
    """One open page: a reader's cursor and the lines it has not fetched yet."""

    def __init__(self, address: str, cursor: int) -> None:
        self.address = address
        self.cursor = cursor
        self.closed = False
        self._lines: list[Line] = []
        self._news = asyncio.Event()

    def bring(self, lines: list[Line]) -> None:
        """Add what is new for this page."""
        for line in lines:
            if line.cursor > self.cursor:
                self.cursor = line.cursor
                self._lines.append(line)
        if self._lines:
            self._news.set()

    def close(self) -> None:
        """Wake the reader for the last time."""
        self.closed = True
        self._news.set()

    async def fetch(self, seconds: float) -> list[Line]:
        """The lines that are new, waiting up to `seconds` for the first; [] when there were none."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        if not self.closed:
            self._news.clear()
        lines, self._lines = self._lines, []
        return lines

    async def stream(self) -> AsyncIterator[list[Line]]:
        """What is new, again and again; [] after each HEARTBEAT of silence; ends when the page is closed."""
        while not self.closed:
            yield await self.fetch(HEARTBEAT)


class Pages:
    """Keeps every open page supplied, with one query for all of them."""

    def __init__(
        self,
        database: Database,
        conversation: Conversation,
        channel: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._conversation = conversation
        self._channel = channel
        self._now = now
        self._open: set[Page] = set()
        self._seen: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._woken: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        conversation.on_settled(self._settled)

    def start(self) -> None:
        """Begin to look for news."""
        self._task = asyncio.create_task(self._run(), name="pages")

    async def stop(self) -> None:
        """Close every page and mark what was seen."""
        for page in self._open:
            page.close()
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._mark_seen()

    @contextmanager
    def opened(self, address: str, cursor: int) -> Iterator[Page]:
        """A page at this cursor, supplied as long as the block lasts."""
        page = Page(address, cursor)
        self._open.add(page)
        self.seen(address, cursor)
        self._wake_for(address)
        try:
            yield page
        finally:
            self._open.discard(page)

    async def read(self, address: str, cursor: int) -> list[Line]:
        """What is after this cursor at this moment."""
        self.seen(address, cursor)
        return (await asyncio.to_thread(self._read, {address: cursor})).get(address, [])

    def seen(self, address: str, cursor: int) -> None:
        """The reader's cursor has passed these messages; they are marked in the next batch."""
        if cursor > self._seen.get(address, 0):
            self._seen[address] = cursor

    def close(self, address: str) -> None:
        """End every open page of this address."""
        for page in self._open:
            if page.address == address:
                page.close()

    def _settled(self, turn: Turn, done: Done) -> None:
        if turn.channel == self._channel and done.lines:
            self._wake_for(turn.address)

    def _wake_for(self, address: str) -> None:
        self._woken.add(address)
        self._wake.set()

    async def _run(self) -> None:
        due = 0.0
        loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0.0, due - loop.time()))
            self._wake.clear()
            woken, self._woken = self._woken, set()
            everyone = loop.time() >= due
            if everyone:
                due = loop.time() + POLL
            try:
                await self._supply([page for page in self._open if everyone or page.address in woken])
                if everyone:
                    await self._mark_seen()
            except (sa.exc.SQLAlchemyError, StoreUnavailable) as error:
                log.warning("pages could not be read", error=type(error).__name__)

    async def _supply(self, pages: list[Page]) -> None:
        """Read for these pages until nothing more is there: one with much to fetch keeps no other waiting."""
        while pages:
            cursors: dict[str, int] = {}
            for page in pages:
                cursors[page.address] = min(page.cursor, cursors.get(page.address, page.cursor))
            lines = await asyncio.to_thread(self._read, cursors)
            for page in pages:
                page.bring(lines.get(page.address, []))
            if sum(map(len, lines.values())) < outbox.MOST_AT_ONCE:
                return

    def _read(self, cursors: dict[str, int]) -> dict[str, list[Line]]:
        with self._database.reader.connect() as connection:
            return outbox.after(connection, self._channel, cursors.items())

    async def _mark_seen(self) -> None:
        seen, self._seen = self._seen, {}
        if not seen:
            return
        now = self._now()
        try:
            await self._conversation.run(
                lambda connection: outbox.mark_seen(connection, self._channel, seen.items(), now)
            )
        except Exception as error:
            if not is_unavailable(error):
                raise
            self._seen = {**seen, **self._seen}
