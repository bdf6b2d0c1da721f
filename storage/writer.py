"""The one thread in which everything is written.

Turns that queued together are one group and one transaction. What a group cannot settle (an outcome, desk work) runs
right after it, each in a savepoint of a second transaction. Acknowledgements leave only after the commit.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from handlers.messages import Message
from storage.errors import StoreError, StoreUnavailable, is_unavailable
from storage.unit_of_work import Done, Registry, Router, Turn, settle, settle_as_failed

MOST_TOGETHER = 64  # turns in one transaction
TRIES = 3  # a turn that fails so often is kept as failed
LINGER = 0.001  # seconds; only when the last group shows that more is coming

Result = Done | BaseException | Any
Probe = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Work of the desk or the clock, done in the writer's thread; it may run again, so it holds no clock or I/O."""

    function: Callable[[sa.Connection], Any]


Work = Turn | Job
Release = Callable[[Sequence[tuple[Work, Result]]], None]
Apologise = Callable[[Turn], Message | None]


def _no_probe(_moment: str) -> None:
    """In production nothing watches; the crash proof stops the process at these moments."""


class Writer:
    """Takes turns and jobs from any thread and releases their results together, after the commit.

    `release` is called in the writer's thread with everything that one transaction settled.
    """

    def __init__(
        self,
        engine: sa.Engine,
        router: Router,
        registry: Registry,
        release: Release,
        apologise: Apologise,
        *,
        failed: Callable[[Turn, BaseException], None] = lambda _turn, _error: None,
        probe: Probe = _no_probe,
    ) -> None:
        self._engine = engine
        self._router = router
        self._registry = registry
        self._release = release
        self._apologise = apologise
        self._failed = failed
        self._probe = probe
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(self, work: Work) -> None:
        """Queue a turn or a job."""
        self._queue.put(work)

    def stop(self) -> None:
        """Finish what is queued, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        busy = False
        while (first := self._queue.get()) is not None:
            if busy:
                time.sleep(LINGER)
            batch, stopping = self._drain(first)
            busy = len(batch) > 1
            try:
                self.work(batch)
            except Exception as error:  # noqa: BLE001  whatever happens, the thread takes the next batch
                self._refuse(batch, error)
            if stopping:
                return

    def _drain(self, first: Work) -> tuple[list[Work], bool]:
        batch = [first]
        while len(batch) < MOST_TOGETHER:
            try:
                one = self._queue.get_nowait()
            except queue.Empty:
                break
            if one is None:
                return batch, True
            batch.append(one)
        return batch, False

    def work(self, batch: Sequence[Work]) -> None:
        """Settle one batch: its turns as a group, then what must be settled one by one."""
        turns = [one for one in batch if isinstance(one, Turn)]
        rest: list[Work] = [*self._together(turns), *(one for one in batch if isinstance(one, Job))]
        if rest:
            self._apart(rest)

    def _together(self, turns: Sequence[Turn]) -> Sequence[Turn]:
        """Settle turns in one transaction; gives back those that must be settled alone."""
        if not turns:
            return ()
        try:
            return self._transact(turns)
        except Exception as error:  # noqa: BLE001  whatever it was, the group left no trace
            if is_unavailable(error) and not _may_pass_alone(error):
                self._refuse(turns, error)
                return ()
            return turns

    def _transact(self, turns: Sequence[Turn]) -> Sequence[Turn]:
        self._probe("before begin")
        with self._engine.connect() as connection, connection.begin():
            done = settle(connection, turns, self._router, self._registry)
            self._probe("before commit")
        self._probe("after commit")
        self._let_go([(turn, one) for turn, one in zip(turns, done, strict=True) if one is not None])
        return [turn for turn, one in zip(turns, done, strict=True) if one is None]

    def _let_go(self, settled: Sequence[tuple[Work, Result]]) -> None:
        if settled:
            self._release(settled)
            self._probe("after release")

    def _apart(self, works: Sequence[Work]) -> None:
        """Settle each in a savepoint; a fault of one leaves the others whole."""
        while works:
            works = self._apart_until_a_fault(works)

    def _apart_until_a_fault(self, works: Sequence[Work]) -> Sequence[Work]:
        """Settle in one transaction until a turn fails, try that one again; gives back those still to be settled.

        Those behind a failing turn wait for it: the same person's next turn must not overtake it.
        """
        results: list[tuple[Work, Result]] = []
        self._probe("before begin")
        try:
            with self._engine.connect() as connection, connection.begin():
                for work in works:
                    results.append((work, self._in_savepoint(connection, work)))
                    if isinstance(results[-1][1], _Again):
                        break
                self._probe("before commit")
        except Exception as error:  # noqa: BLE001  the transaction itself is gone, nothing was kept
            if len(works) > 1 and _may_pass_alone(error):
                self._apart(works[:1])
                return works[1:]
            self._refuse(works, error)
            return ()
        self._probe("after commit")
        self._let_go([(work, result) for work, result in results if not isinstance(result, _Again)])
        last, result = results[-1]
        if isinstance(result, _Again):
            self._again(last, result)
        return works[len(results) :]

    def _in_savepoint(self, connection: sa.Connection, work: Work) -> Result:
        try:
            with connection.begin_nested():
                if isinstance(work, Job):
                    return work.function(connection)
                return settle(connection, [work], self._router, self._registry, alone=True)[0]
        except Exception as error:
            if is_unavailable(error) or not connection.in_transaction():
                raise
            return error if isinstance(work, Job) else _Again(error)

    def _again(self, turn: Work, first: "_Again") -> None:
        """Try a turn that failed twice more, then keep it as failed."""
        assert isinstance(turn, Turn)
        error: BaseException = first.error
        for _ in range(TRIES - 1):
            try:
                done = self._alone(
                    lambda connection: settle(connection, [turn], self._router, self._registry, alone=True)[0]
                )
            except Exception as again:  # noqa: BLE001  counted below
                if is_unavailable(again):
                    self._refuse([turn], again)
                    return
                error = again
            else:
                self._let_go([(turn, done)])
                return
        self._keep_failed(turn, error)

    def _keep_failed(self, turn: Turn, error: BaseException) -> None:
        self._failed(turn, error)
        why = f"{type(error).__name__}: {error}"
        try:
            done = self._alone(
                lambda connection: settle_as_failed(connection, turn, why, self._apologise(turn))
            )
        except Exception as fault:  # noqa: BLE001  not even that could be kept: it comes again
            self._refuse([turn], fault)
            return
        self._let_go([(turn, done)])

    def _alone(self, function: Callable[[sa.Connection], Any]) -> Any:
        with self._engine.connect() as connection, connection.begin():
            result = function(connection)
            self._probe("before commit")
        self._probe("after commit")
        return result

    def _refuse(self, works: Sequence[Work], error: BaseException) -> None:
        """Acknowledge nobody: nothing was kept and everything may come again."""
        if not isinstance(error, StoreError):
            unavailable = StoreUnavailable(str(getattr(error, "orig", error)))
            unavailable.__cause__ = error
            error = unavailable
        self._release([(work, error) for work in works])


@dataclass(frozen=True, slots=True)
class _Again:
    """A turn failed for a reason of its own and is tried again."""

    error: BaseException


def _may_pass_alone(error: BaseException) -> bool:
    """A deadlock or a lost race between processes: the same turns one by one will do."""
    return isinstance(error, sa.exc.OperationalError) and getattr(error.orig, "sqlstate", "") in _RACES


_RACES = frozenset({"40001", "40P01", "55P03"})  # serialization failure, deadlock, lock_timeout
