"""The clock: it only asks «what is due?»; the tables remember."""

from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.app import App
from bot.logs import log
from storage import outbox
from storage.errors import StoreError

HOURLY = 3600


class Schedule:
    """What the service does by itself, in the running event loop."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._scheduler = AsyncIOScheduler(timezone=app.settings.zone)

    def start(self) -> None:
        """Begin to ask."""
        self._scheduler.add_job(
            self._skip_old,
            "interval",
            seconds=HOURLY,
            next_run_time=datetime.now(UTC),
            misfire_grace_time=None,
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Ask no more."""
        self._scheduler.shutdown(wait=False)

    async def _skip_old(self) -> None:
        before = datetime.now(UTC) - timedelta(days=self._app.settings.waiting_days)
        try:
            skipped = await self._app.conversation.run(lambda connection: outbox.skip_old(connection, before))
        except StoreError as error:
            log.warning("old messages could not be skipped", error=str(error))
            return
        if skipped:
            log.info("old messages skipped", count=skipped)
