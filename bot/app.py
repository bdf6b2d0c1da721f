"""The only place where the real parts meet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.conversation import Conversation, log_failed
from bot.settings import Settings
from content.everything import Content, load_content
from handlers.dialogue import Said
from handlers.effects import HandToStaff, KeepState, QuestionByTicket, StoreQuestion
from handlers.hearing import Hearing
from handlers.messages import Message
from handlers.router import Router
from storage import people, questions
from storage.database import Database, open_database
from storage.unit_of_work import Registry, Turn
from storage.writer import Result, Work, Writer


@dataclass(frozen=True)
class App:
    """Everything that runs, put together."""

    settings: Settings
    content: Content
    router: Router
    database: Database
    conversation: Conversation


def registry(settings: Settings) -> Registry:
    """Who makes which effect happen, decides which outcome, answers which query."""
    return Registry(
        writers={StoreQuestion: questions.store, KeepState: people.keep_states},
        deciders={HandToStaff: questions.hand},
        readers={QuestionByTicket: questions.TicketReader(settings.zone)},
    )


def assemble(
    settings: Settings, *, make_writer: type[Writer] = Writer, now: Callable[[], datetime] | None = None
) -> App:
    """Put the parts together without connecting; raises ContentError and ValueError."""
    content = load_content()
    hearing = Hearing(content)
    router = Router(content, hearing)
    database = open_database(
        settings.database_url.get_secret_value(), busy_seconds=settings.database_busy_seconds
    )

    def writer(release: Callable[[Sequence[tuple[Work, Result]]], None]) -> Writer:
        return make_writer(
            database.writer, router, registry(settings), release, _apology(content), failed=log_failed
        )

    clock = {"now": now} if now else {}
    return App(settings, content, router, database, Conversation(writer, hearing, **clock))


def _apology(content: Content) -> Callable[[Turn], Message]:
    def apologise(turn: Turn) -> Message:
        language = turn.cue.understood.language if isinstance(turn.cue, Said) else "vi"
        return Message(content.say(language, "apology"))

    return apologise
