"""A person at a terminal, through the same turn, database and outbox as everybody."""

import asyncio
import json
import sys
import threading
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from bot.app import App
from bot.channels.base import Capabilities, render
from bot.conversation import Inbound
from bot.files import Files
from bot.logs import log
from bot.received import received
from handlers.messages import Attachment, Choice, Message
from storage import outbox, talks
from storage.errors import StoreUnavailable, is_unavailable

PROGRAM = Capabilities("terminal", text_length=100_000, buttons=100, label_length=1_000, files=True)
PEOPLE = Capabilities("terminal", text_length=100_000, buttons=0, label_length=0, files=True)
TRIES = 3


class Terminal:
    """One person at one terminal; `files` makes what attachments refer to."""

    def __init__(
        self, app: App, name: str, save: Path | None, looks: Capabilities, files: Files | None = None
    ) -> None:
        self._app = app
        self._name = name
        self._save = save
        self._looks = looks
        self._files = files
        self._screen: tuple[Choice, ...] = ()
        self._transcript: dict[str, Any] = {}

    async def start(self) -> None:
        """Take up the conversation where it stands."""
        self._app.conversation.start()
        with self._app.database.reader.connect() as connection:
            found = talks.recent(connection, self._looks.name, self._name)
            begins = talks.standing(connection, self._looks.name, self._name)
        for entry in found.entries if found else ():
            if entry.message and entry.message.choices:
                self._screen = entry.message.choices
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._transcript = {"at": now, "begins": begins, "talk": []}

    async def stop(self) -> None:
        """Commit what is under way and write the transcript."""
        await self._app.conversation.stop()
        self._app.database.close()
        if self._save:
            text = yaml.dump(
                self._transcript, Dumper=_Readable, allow_unicode=True, sort_keys=False, width=110
            )
            self._save.write_text(text, encoding="utf-8")

    async def turn(self, line: str) -> list[Message]:
        """Give one line of input to the assistant; raises StoreUnavailable and FileNotFoundError."""
        said = _said(line)
        inbound = self._inbound(said)
        done = await self._take(inbound)
        lines = await self._app.conversation.run(
            lambda connection: outbox.fetch_waiting(
                connection, self._looks.name, self._name, datetime.now(UTC)
            )
        )
        self._record(said, inbound, [message for _, message in done.lines])
        for said_line in lines:
            if said_line.message.choices:
                self._screen = said_line.message.choices
        pieces = [piece for one in lines for piece in render(one.message, self._looks)]
        return [await asyncio.to_thread(self._handed, piece) for piece in pieces]

    def _handed(self, message: Message) -> Message:
        """The message with its files written where the terminal's user finds them."""
        return replace(message, attachments=tuple(map(self._written, message.attachments)))

    def _written(self, attachment: Attachment) -> Attachment:
        try:
            path = self._files.write(self._looks.name, self._name, attachment) if self._files else None
        except Exception as error:
            if not isinstance(error, OSError) and not is_unavailable(error):
                raise
            log.warning("file not written", error=str(error))
            path = None
        return replace(attachment, path=str(path)) if path else attachment

    async def _take(self, inbound: Inbound) -> Any:
        for left in reversed(range(TRIES)):
            try:
                return await self._app.conversation.take(inbound)
            except StoreUnavailable:
                if not left:
                    raise
        raise AssertionError("unreachable")

    def _inbound(self, said: dict[str, str]) -> Inbound:
        empty = Inbound(self._looks.name, self._name, str(uuid.uuid4()))
        match said:
            case {"tap": tap}:
                return self._tapped(empty, tap)
            case {"start": payload}:
                return replace(empty, start=payload)
            case {"file": name}:
                path = Path(name)
                if not _is_file(path):
                    raise FileNotFoundError(f"no such file: {name}")
                return replace(empty, file=received(path.name, path.read_bytes()))
            case _:
                return replace(empty, text=said["say"])

    def _tapped(self, empty: Inbound, tap: str) -> Inbound:
        """A tap names a button of the last message by its label or number; anything else is an old button's value."""
        value = next(iter(self._app.router.picker.pick(self._screen, tap)), tap)
        label = next((choice.label for choice in self._screen if choice.value == value), tap)
        return replace(empty, tap=value, label=label)

    def _record(self, said: dict[str, str], inbound: Inbound, messages: list[Message]) -> None:
        asked = {"tap": inbound.tap} if inbound.tap is not None else said
        seen = [
            {
                "text": one.text,
                **({"choices": [choice.label for choice in one.choices]} if one.choices else {}),
            }
            for one in messages
        ]
        self._transcript["talk"].append({**asked, "see": seen})


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # no name that a file could have
        return False


class _Readable(yaml.SafeDumper):
    """Writes texts of several lines as several lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)


async def program_mode(terminal: Terminal) -> None:
    """Lines in, objects out: `chat --json`."""
    async for line in _talking(terminal):
        try:
            for message in await terminal.turn(line):
                _print_object(_shown(message))
        except (StoreUnavailable, FileNotFoundError) as error:
            _print_object({"error": str(error)})
        _print_object({"end_of_turn": True})


async def people_mode(terminal: Terminal) -> None:
    """A plain talk: what is said, then the choices with their numbers."""
    async for line in _talking(terminal, prompt="> "):
        try:
            for message in await terminal.turn(line):
                print(f"\n{message.text}")
                for one in message.attachments:
                    print(f"{one.name}: {one.path}")
        except (StoreUnavailable, FileNotFoundError) as error:
            print(error)
        print()


async def _talking(terminal: Terminal, prompt: str = "") -> AsyncIterator[str]:
    """The lines of a talk; however it ends, what was said is committed and the transcript written."""
    await terminal.start()
    try:
        async for line in _lines(prompt):
            yield line
    finally:
        await terminal.stop()


async def _lines(prompt: str) -> AsyncIterator[str]:
    """Standard input line by line, until its end; read in a thread that an interrupted talk leaves behind."""
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with open(0, "rb", closefd=False) as given:
            for line in given:
                loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, name="input", daemon=True).start()
    while True:
        if prompt and sys.stdin.isatty():
            print(prompt, end="", flush=True)
        line = await lines.get()
        if line is None:
            return
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _said(line: str) -> dict[str, str]:
    """What a line means: {"tap": …}, {"start": …} or {"file": …} as JSON, else words."""
    if line.startswith("{"):
        try:
            given = json.loads(line)
        except (ValueError, RecursionError):
            given = None
        if isinstance(given, dict) and len(given) == 1:
            [(key, value)] = given.items()
            if key in ("tap", "start", "file") and isinstance(value, str | int):
                return {key: str(value)}
    return {"say": line}


def _shown(message: Message) -> dict[str, Any]:
    return {
        "text": message.text,
        "choices": [
            {"label": one.label, "value": one.value, **({"url": one.url} if one.url else {})}
            for one in message.choices
        ],
        "attachments": [
            {"name": one.name, "media_type": one.media_type, "path": one.path} for one in message.attachments
        ],
    }


def _print_object(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)
