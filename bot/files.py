"""Files people are given: a reference in a message becomes bytes for whoever may have them, and for nobody else.

    responses/CODE/form.docx            the completed form, with the asker's own personal values
    responses/CODE/instruments.xlsx     the firm's list of instruments
    my-data.xlsx                        what is held about the person who asks

Nothing is made until it is fetched, so that a file shows what is known then.
"""

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

import sqlalchemy as sa

from bot.documents import counts_instruments, form_docx, instruments_xlsx, my_data_xlsx
from content.everything import Content
from handlers.messages import Attachment
from handlers.people import Person
from handlers.responses import ALPHABET, CODE_LENGTH, DraftOf, PersonalOf
from storage.consents import subject
from storage.database import Database
from storage.forms import FormShelf
from storage.privacy import HeldReader
from storage.responses import DraftReader, read_personal
from storage.tables import addresses, people

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MY_DATA = "my-data.xlsx"
LONGEST_NAME = 80  # characters of a file's name on disk

_CODE = re.compile(rf"[{ALPHABET}]{{{CODE_LENGTH}}}")
_OF_RESPONSE = re.compile(rf"responses/({_CODE.pattern})/(form\.docx|instruments\.xlsx)")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')

_WHO = (
    sa.select(people.c.id, people.c.language)
    .join(addresses, addresses.c.person_id == people.c.id)
    .where(
        addresses.c.channel == sa.bindparam("met_channel"),
        addresses.c.address == sa.bindparam("met_address"),
        addresses.c.closed_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class FileMade:
    """A file for one person; `of` is the code of its response, or what stands for the person."""

    name: str
    media_type: str
    data: bytes
    of: str


class Files:
    """Makes the files people ask for; `folder` is where those are written that a terminal is given."""

    def __init__(
        self,
        database: Database,
        shelf: FormShelf,
        content: Content,
        key: bytes,
        zone: tzinfo,
        now: Callable[[], datetime],
        folder: Path,
    ) -> None:
        self._database = database
        self._content = content
        self._key = key
        self._zone = zone
        self._now = now
        self._folder = folder
        self._drafts = DraftReader(shelf)
        self._held = HeldReader(shelf, key, zone)

    def make(self, channel: str, address: str, reference: str) -> FileMade | None:
        """The file, or None for one that does not exist or is not theirs; takes a while, so called in a thread."""
        of_response = _OF_RESPONSE.fullmatch(reference)
        if of_response is None and reference != MY_DATA:
            return None
        with self._database.reader.connect() as connection:
            person = _person(connection, channel, address)
            if person is None:
                return None
            if of_response is None:
                return self._my_data(connection, person)
            return self._of_response(connection, person, *of_response.groups())

    def write(self, channel: str, address: str, attachment: Attachment) -> Path | None:
        """The file an attachment refers to, written whole under its own name; None as in `make`. Raises OSError."""
        made = self.make(channel, address, attachment.path)
        if made is None:
            return None
        folder = self._folder.absolute() / made.of
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / (safe_name(attachment.name) or made.name)
        partial = path.with_name(f"{path.name}.part")
        partial.touch(mode=0o600)
        partial.write_bytes(made.data)
        return partial.replace(path)

    def forget(self, codes: Iterable[str], person_id: int | None = None) -> None:
        """Remove what was written of these responses, and of a person."""
        own = [subject(self._key, person_id)] if person_id is not None else []
        for name in [*(code for code in codes if _CODE.fullmatch(code)), *own]:
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def _of_response(
        self, connection: sa.Connection, person: Person, code: str, kind: str
    ) -> FileMade | None:
        draft = self._drafts(connection, [(person, DraftOf(code))]).get((person.id, DraftOf(code)))
        if draft is None:
            return None
        today = self._now().astimezone(self._zone).date()
        about = {"year": draft.year, "code": code}
        if kind == "form.docx":
            query = PersonalOf(code)
            own = read_personal(connection, [(person, query)]).get((person.id, query), {})
            # It goes to a Vietnamese office, whatever language it was asked in.
            return FileMade(
                self._content.say("vi", "form_file_form", **about),
                DOCX,
                form_docx(draft, own, self._content, today),
                code,
            )
        if not counts_instruments(draft.form):
            return None
        return FileMade(
            self._content.say(person.language, "form_file_instruments", **about),
            XLSX,
            instruments_xlsx(draft, self._content, today, person.language),
            code,
        )

    def _my_data(self, connection: sa.Connection, person: Person) -> FileMade:
        held = self._held.held(connection, person.id, person.language)
        asked = [(person, DraftOf(code)) for code in held.responses]
        drafts = list(self._drafts(connection, asked).values()) if asked else []
        return FileMade(
            self._content.say(person.language, "privacy_file"),
            XLSX,
            my_data_xlsx(held, drafts, self._content, person.language),
            subject(self._key, person.id),
        )


def safe_name(name: str) -> str:
    """A name as a file on any disk may be called; '' where nothing is left of it."""
    stem, dot, end = _UNSAFE.sub("-", name).strip(" .").rpartition(".")
    whole = f"{stem[: LONGEST_NAME - len(end) - 1]}{dot}{end}"
    return whole[:LONGEST_NAME].strip(" .")


def _person(connection: sa.Connection, channel: str, address: str) -> Person | None:
    """Who is met there; None for nobody, and for an address that was closed."""
    found = connection.execute(_WHO, {"met_channel": channel, "met_address": address}).first()
    return Person(found.id, found.language) if found else None
