"""The only place where the real parts meet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.conversation import Conversation, log_failed
from bot.files import Files
from bot.settings import Settings
from content.everything import Content, load_content
from handlers.dialogue import Said, Unreadable
from handlers.effects import HandToStaff, KeepState, QuestionByTicket, StoreQuestion
from handlers.hearing import Hearing
from handlers.messages import Message
from handlers.responses import (
    AgreedBeside,
    DraftOf,
    EraseMe,
    HandOver,
    KeepPersonal,
    LastResponse,
    MyData,
    OpenByCode,
    OpenResponse,
    PersonalOf,
    RecordConsent,
    SaveFills,
    SetStatus,
    TakeOver,
    TaxCodeTaken,
)
from handlers.router import Place, Router
from handlers.staff import GiveDeskLink, LinkChat, StaffHere
from storage import consents, installation, people, privacy, questions, responses, staff
from storage.database import Database, open_database
from storage.forms import FormShelf, publish
from storage.migrate import ready
from storage.privacy import Forget
from storage.unit_of_work import Registry, Turn
from storage.writer import Result, Work, Writer

if TYPE_CHECKING:
    from bot.channels.base import Sender


@dataclass(frozen=True)
class App:
    """Everything that runs, put together."""

    settings: Settings
    content: Content
    router: Router
    database: Database
    conversation: Conversation
    shelf: FormShelf
    files: Files
    now: Callable[[], datetime]

    def open(self) -> None:
        """Make the database fit and store the forms of this version; raises StoreError."""
        ready(self.database)
        with self.database.writer.begin() as connection:
            publish(connection, self.content.forms.values(), self.now())

    def may_speak(self) -> str | None:
        """Why channels to people outside must stay closed, None where they need not; raises StoreError."""
        name = self.settings.instance
        if name is None:
            return "DOLUONG_INSTANCE is not set"
        with self.database.writer.begin() as connection:
            if installation.belongs_to(connection, name, self.now()):
                return None
        return f"the database belongs to another installation than {name}"

    def senders(self) -> "list[Sender]":
        """The channels to people outside that the settings name."""
        if self.settings.telegram_token is None:
            return []
        # The library costs a third of a second to import, and most commands speak to nobody.
        from bot.channels.telegram.channel import Telegram

        return [Telegram(self.settings, self.content, self.conversation, self.files, self.now)]


def registry(
    settings: Settings, shelf: FormShelf | None = None, forget: Forget = lambda _codes, _person: None
) -> Registry:
    """Who makes which effect happen, decides which outcome, answers which query; `forget` removes an erased person's files."""
    key, shelf = settings.key(), shelf or FormShelf()
    drafts = responses.DraftReader(shelf, locks=True)
    door = responses.Door(drafts)
    return Registry(
        writers={
            StoreQuestion: questions.store,
            KeepState: people.keep_states,
            OpenResponse: responses.open_responses,
            SaveFills: responses.save_fills,
            KeepPersonal: responses.PersonalWriter(key),
            SetStatus: responses.set_status,
            RecordConsent: consents.ConsentWriter(key),
            HandOver: responses.hand_over,
            GiveDeskLink: staff.give_desk_links,
        },
        deciders={
            HandToStaff: questions.hand,
            OpenByCode: door.open_by_code,
            TakeOver: door.take_over,
            EraseMe: privacy.Eraser(key, forget),
            LinkChat: staff.link_by_turn,
        },
        readers={
            QuestionByTicket: questions.TicketReader(settings.zone),
            DraftOf: drafts,
            PersonalOf: responses.read_personal,
            TaxCodeTaken: responses.read_taken,
            AgreedBeside: responses.read_agreed_beside,
            LastResponse: responses.read_last,
            StaffHere: staff.read_here,
            MyData: privacy.HeldReader(shelf, key, settings.zone),
        },
    )


def assemble(
    settings: Settings,
    *,
    hearing: Hearing | None = None,
    make_writer: type[Writer] = Writer,
    now: Callable[[], datetime] | None = None,
) -> App:
    """Put the parts together without connecting; raises ContentError and ValueError.

    `hearing` is one built before, whose content is then used.
    """
    hearing = hearing or Hearing(load_content())
    content = hearing.content
    router = Router(content, hearing, place=place(settings))
    shelf = FormShelf(content.forms.values())
    database = open_database(
        settings.database_url.get_secret_value(), busy_seconds=settings.database_busy_seconds
    )
    clock = now or (lambda: datetime.now(UTC))
    files = Files(database, shelf, content, settings.key(), settings.zone, clock, settings.files_folder)

    def writer(release: Callable[[Sequence[tuple[Work, Result]]], None]) -> Writer:
        return make_writer(
            database.writer,
            router,
            registry(settings, shelf, files.forget),
            release,
            _apology(content),
            failed=log_failed,
        )

    conversation = Conversation(writer, hearing, clock)
    return App(settings, content, router, database, conversation, shelf, files, clock)


def place(settings: Settings) -> Place:
    """Where the service runs, as dialogues need to know it."""
    return Place(
        settings.zone,
        lambda payload: f"{base(settings)}/?start={payload}",
        settings.demo,
        lambda token: desk_link(settings, token),
    )


def base(settings: Settings) -> str:
    """Where people reach the service."""
    return settings.public_url or f"http://{settings.host}:{settings.port}"


def desk_link(settings: Settings, token: str) -> str:
    """The address that leads an officer into the desk."""
    return f"{base(settings)}/desk/in/{token}"


def _apology(content: Content) -> Callable[[Turn], Message | None]:
    def apologise(turn: Turn) -> Message | None:
        if isinstance(turn.cue, Unreadable) and turn.cue.from_nobody:
            return None
        language = turn.cue.understood.language if isinstance(turn.cue, Said) else "vi"
        return Message(content.say(language, "apology"))

    return apologise
