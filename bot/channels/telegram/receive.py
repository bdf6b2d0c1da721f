"""What an update means, as one of a few plain things; nothing here speaks to Telegram or to the database.

Whatever the update, something is made of it: https://core.telegram.org/bots/api#update. It is read as the plain values
it comes in: objects of it would cost an eighth of a whole turn, and a dozen fields are looked at.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from telegram.constants import ChatMemberStatus, ChatType

from bot.channels.base import TICK
from bot.channels.telegram.can import TELEGRAM
from bot.conversation import Inbound
from bot.received import ANY
from handlers.dialogue import Edited, InGroup, Kind, SentFile, SentOther

ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")

_GROUPS = (ChatType.GROUP, ChatType.SUPERGROUP)
_COMMAND = re.compile(r"/(\w{1,32})(?:@(\w+))?(?:\s+(.*))?", re.DOTALL)
_NUMBERED = re.compile(r"\d{1,3}")
_GONE = (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)

# What may have words of its own beside it, by its field: a name and a media type.
_FILES = {
    "photo": ("photo.jpg", "image/jpeg"),
    "animation": ("animation.mp4", "video/mp4"),
    "video": ("video.mp4", "video/mp4"),
    "voice": ("voice.ogg", "audio/ogg"),
    "audio": ("audio.mp3", "audio/mpeg"),
}
# What is neither words nor a file, by its field; the first that is there counts: a venue is a location as well.
_KINDS: dict[str, Kind] = {
    "voice": "voice",
    "audio": "audio",
    "animation": "video",
    "video": "video",
    "video_note": "video",
    "sticker": "sticker",
    "venue": "location",
    "location": "location",
    "poll": "poll",
    "dice": "dice",
    "game": "dice",
    "checklist": "checklist",
    "paid_media": "paid_media",
    "story": "story",
}
_WORDS = ("question", "title", "emoji")  # the fields of these in which there may be words
# What Telegram itself says in a private chat, by the beginning of its field; nobody waits for an answer to it.
_SERVICE = (
    "pinned_message",
    "message_auto_delete",
    "write_access",
    "connected_website",
    "chat_background",
    "checklist_tasks",
    "proximity_alert",
    "boost_added",
    "forum_topic",
    "general_forum",
    "video_chat",
    "new_chat",
    "left_chat",
    "delete_chat",
    "group_chat",
    "supergroup_chat",
    "channel_chat",
    "migrate_",
    "successful_payment",
    "refunded_payment",
    "giveaway_c",
    "paid_message_price",
    "direct_message_price",
    "suggested_post",
)
# What stands around a message of any kind.
_AROUND = (
    "message_",
    "direct_messages_topic",
    "from",
    "sender_",
    "date",
    "business_connection_id",
    "chat",
    "forward_",
    "is_",
    "reply_",
    "external_reply",
    "quote",
    "via_bot",
    "edit_date",
    "has_",
    "media_group_id",
    "author_signature",
    "paid_star_count",
    "entities",
    "link_preview_options",
    "effect_id",
    "caption",
    "show_caption",
)

Json = dict[str, Any]


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
    number: int  # of the update: what came about later has a higher one


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
        self._mention = re.compile(rf"(?<!\w)@{re.escape(bot_name)}(?!\w)", re.IGNORECASE)

    def read(self, update: Json) -> Received:
        """What it means; raises KeyError, TypeError and the like for one that is no update."""
        number = update["update_id"]
        if message := update.get("message"):
            return self._message(number, message)
        if query := update.get("callback_query"):
            return self._tap(number, query)
        if changed := update.get("my_chat_member"):
            return self._membership(number, changed)
        if message := update.get("edited_message"):
            return self._edited(number, message)
        return Nothing()

    def key(self, update_id: int) -> str:
        """The update key: numbers of updates are a bot's own."""
        return f"{self._bot_id}:{update_id}"

    def number(self, key: str) -> int:
        """The number of the update that has this key."""
        return int(key.rpartition(":")[2])

    def _inbound(self, number: int, chat: Json, **came: Any) -> Inbound:
        return Inbound(TELEGRAM.name, str(int(chat["id"])), self.key(number), **came)

    def _tap(self, number: int, query: Json) -> Received:
        message, data = query.get("message"), query.get("data", "")
        if message is None or message["chat"]["type"] != ChatType.PRIVATE:
            return TappedInGroup(query["id"], query["from"].get("language_code"))
        if not message["date"]:  # Telegram no longer has the message: #inaccessiblemessage
            return Said(self._inbound(number, message["chat"], tap=data), query=query["id"])
        on = str(message["message_id"])
        inbound = self._inbound(number, message["chat"], tap=data, label=_label(message, data), tapped_on=on)
        return Said(inbound, query=query["id"])

    def _membership(self, number: int, changed: Json) -> Received:
        chat, inside = changed["chat"], changed["new_chat_member"]["status"] not in _GONE
        was_outside = changed["old_chat_member"]["status"] in _GONE
        if inside and was_outside and chat["type"] in _GROUPS:
            return Said(self._inbound(number, chat, cue=InGroup()))
        return Membership(str(chat["id"]), inside, number)

    def _edited(self, number: int, message: Json) -> Received:
        if message["chat"]["type"] != ChatType.PRIVATE:
            return Nothing()
        return Said(self._inbound(number, message["chat"], cue=Edited()))

    def _message(self, number: int, message: Json) -> Received:
        chat = message["chat"]
        if to := message.get("migrate_to_chat_id"):
            return Moved(str(chat["id"]), str(to))
        if chat["type"] == ChatType.PRIVATE:
            return self._private(number, message)
        if chat["type"] in _GROUPS and self._is_spoken_to(message):
            return Said(self._inbound(number, chat, cue=InGroup()))
        return Nothing()

    def _is_spoken_to(self, message: Json) -> bool:
        """A command, a mention, or an answer to a message of ours; by a person, for what a channel says goes to all."""
        if message.get("is_automatic_forward") or message.get("from", {}).get("is_bot"):
            return False
        text = message.get("text") or message.get("caption") or ""
        if found := _COMMAND.match(text):
            return found[2] is None or found[2].casefold() == self._bot_name.casefold()
        answered = message.get("reply_to_message", {}).get("from", {}).get("id")
        return answered == self._bot_id or self._mention.search(text) is not None

    def _private(self, number: int, message: Json) -> Received:
        chat = message["chat"]
        if text := message.get("text"):
            return Said(self._typed(number, chat, text))
        if contact := message.get("contact"):
            if contact.get("user_id") != message["from"]["id"]:
                return Said(self._inbound(number, chat, cue=SentOther("contact")))
            return Said(self._inbound(number, chat, text=_phone(contact["phone_number"])))
        if caption := message.get("caption"):  # it is answered by its words
            inbound = replace(self._typed(number, chat, caption), file=_file(message))
            return Said(inbound, fetch=message.get("document", {}).get("file_id"))
        if document := message.get("document") if "animation" not in message else None:
            return Said(self._inbound(number, chat, file=_document(document)), fetch=document["file_id"])
        if "photo" in message:
            return Said(self._inbound(number, chat, file=_file(message)))
        other = _other(message)
        return Said(self._inbound(number, chat, cue=other)) if other else Nothing()

    def _typed(self, number: int, chat: Json, text: str) -> Inbound:
        command = _COMMAND.fullmatch(text.strip()) if text.startswith("/") else None
        if command and command[1] == "start":
            return self._inbound(number, chat, start=(command[3] or "").strip())
        if command and not command[3] and (words := self._slash.get(command[1].casefold())):
            return self._inbound(number, chat, text=words)
        return self._inbound(number, chat, text=text)


def _label(message: Json, data: str) -> str | None:
    """What the tapped button read, ticked or not; of one that carries only a number, the line of the text with that number."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", ())
    label: str | None = next(
        (button["text"] for row in rows for button in row if button.get("callback_data") == data), None
    )
    if label and _NUMBERED.fullmatch(label):
        start = f"{label}. "
        lines = message.get("text", "").splitlines()
        label = next((line.removeprefix(start) for line in lines if line.startswith(start)), label)
    return label.removeprefix(TICK) if label else None


def _document(document: Json) -> SentFile:
    return SentFile(document.get("file_name", "file"), document.get("mime_type", ANY))


def _file(message: Json) -> SentFile:
    """What came with words."""
    name = next((name for name in _FILES if name in message), None)
    if name is None and (document := message.get("document")):
        return _document(document)
    return SentFile(*_FILES[name]) if name else SentFile("file", ANY)


def _other(message: Json) -> SentOther | None:
    """What it is if it is no words and no file; None for what Telegram itself says."""
    for name, kind in _KINDS.items():
        if name in message:
            return SentOther(kind, _words(message[name]))
    if any(name.startswith(_SERVICE) for name in message):
        return None
    return SentOther("other") if any(not name.startswith(_AROUND) for name in message) else None


def _words(content: Json) -> str:
    if "latitude" in content:
        return f"{content['latitude']}, {content['longitude']}"
    return next((str(content[name]) for name in _WORDS if content.get(name)), "")


def _phone(number: str) -> str:
    """A shared number as people write one; Telegram leaves the plus sign out."""
    return number if number.startswith("+") else f"+{number}"
