"""What an update means, as one of a few plain things; nothing here speaks to Telegram or to the database.

Whatever the update, something is made of it: https://core.telegram.org/bots/api#update.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from telegram import CallbackQuery, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus, ChatType

from bot.channels.telegram.can import TELEGRAM
from bot.conversation import Inbound
from handlers.dialogue import Edited, InGroup, SentFile

ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")

_COMMAND = re.compile(r"/(\w{1,32})(?:@(\w+))?(?:\s+(.*))?", re.DOTALL)
_NUMBERED = re.compile(r"\d{1,3}")
_GONE = (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)


@dataclass(frozen=True, slots=True)
class Said:
    """A turn. `fetch` is the id of a file that must be looked into first, `query` that of a tap to be acknowledged."""

    inbound: Inbound
    fetch: str | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """The person, or a group, lets us in or keeps us out."""

    address: str
    inside: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """A group has another id from now on."""

    address: str
    to: str


@dataclass(frozen=True, slots=True)
class TappedInGroup:
    """A button was pressed where others listen; only the presser is told."""

    query: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nobody waits for an answer: a service message, or a kind of update we do not know."""


Received = Said | Membership | Moved | TappedInGroup | Nothing


class Reader:
    """Reads updates for one bot; `slash` are the words its commands stand for."""

    def __init__(self, bot_id: int, bot_name: str, slash: Mapping[str, str]) -> None:
        self._bot_id = bot_id
        self._bot_name = bot_name
        self._slash = slash

    def read(self, update: Update) -> Received:
        """What it means."""
        if update.callback_query:
            return self._tap(update, update.callback_query)
        if update.my_chat_member:
            return self._membership(update, update.my_chat_member)
        if update.edited_message:
            return self._edited(update, update.edited_message)
        if update.message:
            return self._message(update, update.message)
        return Nothing()

    def key(self, update_id: int) -> str:
        """The update key: numbers of updates are a bot's own."""
        return f"{self._bot_id}:{update_id}"

    def _inbound(self, update: Update, chat_id: int, **came: object) -> Inbound:
        return Inbound(TELEGRAM.name, str(chat_id), self.key(update.update_id), **came)  # type: ignore[arg-type]

    def _tap(self, update: Update, query: CallbackQuery) -> Received:
        message = query.message
        if message is None or message.chat.type != ChatType.PRIVATE:
            return TappedInGroup(query.id, query.from_user.language_code)
        seen = message if isinstance(message, Message) and message.is_accessible else None
        inbound = self._inbound(
            update,
            message.chat.id,
            tap=query.data or "",
            label=_label(seen, query.data or "") if seen else None,
            tapped_on=str(seen.message_id) if seen else None,
        )
        return Said(inbound, query=query.id)

    def _membership(self, update: Update, changed: ChatMemberUpdated) -> Received:
        chat, inside = changed.chat, changed.new_chat_member.status not in _GONE
        if inside and chat.type != ChatType.PRIVATE and changed.old_chat_member.status in _GONE:
            return Said(self._inbound(update, chat.id, cue=InGroup()))
        return Membership(str(chat.id), inside)

    def _edited(self, update: Update, message: Message) -> Received:
        if message.chat.type != ChatType.PRIVATE:
            return Nothing()
        return Said(self._inbound(update, message.chat.id, cue=Edited()))

    def _message(self, update: Update, message: Message) -> Received:
        if message.migrate_to_chat_id:
            return Moved(str(message.chat.id), str(message.migrate_to_chat_id))
        if message.chat.type != ChatType.PRIVATE:
            return self._in_group(update, message)
        return self._private(update, message)

    def _in_group(self, update: Update, message: Message) -> Received:
        if not self._is_spoken_to(message):
            return Nothing()
        return Said(self._inbound(update, message.chat.id, cue=InGroup()))

    def _is_spoken_to(self, message: Message) -> bool:
        """A command, a mention, or an answer to a message of ours."""
        text = message.text or message.caption or ""
        found = _COMMAND.fullmatch(text)
        if found and (found[2] is None or found[2].casefold() == self._bot_name.casefold()):
            return True
        answered = message.reply_to_message
        ours = answered and answered.from_user and answered.from_user.id == self._bot_id
        return bool(ours) or f"@{self._bot_name}".casefold() in text.casefold()

    def _private(self, update: Update, message: Message) -> Received:
        chat = message.chat.id
        if text := message.text or message.caption:  # a picture with words is answered by its words
            return Said(self._typed(update, chat, text))
        if message.contact:
            return Said(self._inbound(update, chat, text=_phone(message.contact.phone_number)))
        if document := message.document:
            file = SentFile(document.file_name or "file", document.mime_type or "application/octet-stream")
            fetch = document.file_id
            return Said(self._inbound(update, chat, file=file), fetch=fetch)
        kind = _kind(message)
        if kind is None:
            return Nothing()
        return Said(self._inbound(update, chat, file=SentFile(*kind)))

    def _typed(self, update: Update, chat: int, text: str) -> Inbound:
        command = _COMMAND.fullmatch(text.strip())
        if command and command[1] == "start":
            return self._inbound(update, chat, start=(command[3] or "").strip())
        if command and not command[3] and (words := self._slash.get(command[1].casefold())):
            return self._inbound(update, chat, text=words)
        return self._inbound(update, chat, text=text)


def _label(message: Message, data: str) -> str | None:
    """What the tapped button read; of one that carries only a number, the line of the text with that number."""
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    label = next((button.text for row in rows for button in row if button.callback_data == data), None)
    if label and _NUMBERED.fullmatch(label):
        start = f"{label}. "
        lines = (message.text or "").splitlines()
        return next((line.removeprefix(start) for line in lines if line.startswith(start)), label)
    return label


def _phone(number: str) -> str:
    """A shared number as people write one; Telegram leaves the plus sign out."""
    return number if number.startswith("+") else f"+{number}"


def _kind(message: Message) -> tuple[str, str] | None:
    """Name and media type of what is no text; None for a service message."""
    kinds = (
        (message.photo, "photo.jpg", "image/jpeg"),
        (message.animation, "animation.mp4", "video/mp4"),
        (message.video, "video.mp4", "video/mp4"),
        (message.video_note, "video.mp4", "video/mp4"),
        (message.voice, "voice.ogg", "audio/ogg"),
        (message.audio, "audio", "audio/mpeg"),
        (message.sticker, "sticker.webp", "image/webp"),
        (message.location or message.venue, "location", "application/geo+json"),
        (
            message.poll or message.dice or message.game or message.story,
            "message",
            "application/octet-stream",
        ),
    )
    return next(((name, media_type) for value, name, media_type in kinds if value), None)
