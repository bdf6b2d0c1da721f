"""What an error of the Bot API means for the message that was to be sent.

Descriptions are the Bot API server's own (https://github.com/tdlib/telegram-bot-api); where one is not known, the class
of the error decides.
"""

from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.channels.base import Failure, Trouble
from bot.channels.telegram.request import NotReached

_NOBODY = (
    "chat not found",
    "user not found",
    "peer_id_invalid",
    "group chat was deleted",
    "user is deactivated",
)
NOT_CHANGED = "message is not modified"
_NOT_EDITABLE = ("message to edit not found", "message can't be edited", "message_id_invalid")


def failure(error: TelegramError) -> Failure:
    """The error as a failure of ours."""
    match error:
        case RetryAfter():
            return Failure(Trouble.LIMITED, "too many requests", seconds=_seconds(error))
        case ChatMigrated(new_chat_id=to):
            return Failure(Trouble.MOVED, "moved", to=str(to))
        case InvalidToken() | EndPointNotFound():  # their words may hold the token
            return Failure(Trouble.CLOSED, "the token is not accepted")
        case Forbidden():
            return Failure(Trouble.GONE, _short(error))
        case BadRequest() if _is(error, _NOBODY):
            return Failure(Trouble.GONE, _short(error))
        case BadRequest():
            return Failure(Trouble.REFUSED, _short(error))
        case NotReached():
            return Failure(Trouble.NOT_TAKEN, "not reached")
        case NetworkError():
            return Failure(Trouble.IN_DOUBT, _short(error))
    return Failure(Trouble.IN_DOUBT, type(error).__name__)


def is_not_changed(error: BadRequest) -> bool:
    """Whether an edit changed nothing, so that the message stands as it should."""
    return NOT_CHANGED in error.message.lower()


def is_not_editable(error: BadRequest) -> bool:
    """Whether the message cannot be edited any more, so that a new one must take its place."""
    return _is(error, _NOT_EDITABLE)


def _is(error: TelegramError, words: tuple[str, ...]) -> bool:
    return any(word in error.message.lower() for word in words)


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return float(after if isinstance(after, int | float) else after.total_seconds())


def _short(error: TelegramError) -> str:
    return error.message[:60]
