"""Messages out: sent, edited, deleted.

Sources: Bot API, «Available methods» and «Updating messages»; `Client::check_chat_access`, `check_message`,
`process_edit_message_text_query`, `process_delete_message_query`; TDLib's `MessagesManager::can_edit_message`. Not
sure: whether an edit in a chat whose person blocked the bot is refused; here it is, with the same 403.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fakes.telegram.calls import Call
from tests.fakes.telegram.chats import Chat, Json, Message, Sent
from tests.fakes.telegram.entities import Entities, found, invisible, parse, units
from tests.fakes.telegram.files import File
from tests.fakes.telegram.keyboards import NOTHING, Markup, read_markup
from tests.fakes.telegram.refusals import NOT_MODIFIED, Refusal, bad, forbidden, too_many

if TYPE_CHECKING:
    from tests.fakes.telegram.server import FakeTelegram

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
MOST_ENTITIES = 100
DELETABLE = 48 * 3600  # seconds in which a message can be deleted for everyone


@dataclass(frozen=True, slots=True)
class Words:
    """What is written, without marks."""

    text: str
    entities: Entities


def read_text(call: Call) -> Words:
    """The text of a message. Source: `Client::get_input_message_text`, TDLib's `fix_formatted_text`."""
    if not call.text("text"):
        raise bad("Message text is empty")
    words = _formatted(call, "text", "entities")
    if invisible(words.text):
        raise bad("Text must be non-empty")
    if units(words.text) > LONGEST_TEXT:
        raise bad("Message is too long")
    return words


def read_caption(call: Call) -> Words:
    """The caption of a file. Source: `Client::get_caption`."""
    words = _formatted(call, "caption", "caption_entities")
    if units(words.text) > LONGEST_CAPTION:
        raise bad("Message caption is too long")
    return words


def _formatted(call: Call, name: str, entities: str) -> Words:
    mode = call.text("parse_mode")
    given = None if mode else call.json(entities, "Can't parse entities: Can't parse entities JSON object")
    text, marked = parse(call.text(name), mode)
    if isinstance(given, list):
        marked = given[:MOST_ENTITIES]
    return Words(text, sorted((*marked, *found(text)), key=lambda entity: entity["offset"]))


class Sending:
    """The methods that change chats; all of them count against the limits, except deleting."""

    def __init__(self, telegram: "FakeTelegram") -> None:
        self._telegram = telegram
        self._world = telegram.world

    # The methods.

    def send_message(self, call: Call) -> Json:
        """SendMessage."""
        words = read_text(call)
        return self._send(call, words)

    def send_document(self, call: Call) -> Json:
        """sendDocument: a file, or the id of one."""
        file = self._file(call, "document", self._telegram.limits.upload)
        return self._send(call, read_caption(call), {"document": file.document}, file)

    def send_photo(self, call: Call) -> Json:
        """sendPhoto; pixels are not looked at."""
        file = self._file(call, "photo", self._telegram.limits.photo)
        sizes = [{**file.brief, "width": 1280, "height": 960}]
        return self._send(call, read_caption(call), {"photo": sizes}, file)

    def edit_text(self, call: Call) -> Json:
        """EditMessageText."""
        words = read_text(call)
        message, markup = self._to_edit(call)
        if message.file is not None:
            raise bad("There is no text in the message to edit")
        return self._edit(call, message, words, markup)

    def edit_caption(self, call: Call) -> Json:
        """EditMessageCaption."""
        words = read_caption(call)
        message, markup = self._to_edit(call)
        if message.file is None:
            raise bad("There is no caption in the message to edit")
        return self._edit(call, message, words, markup)

    def edit_markup(self, call: Call) -> Json:
        """EditMessageReplyMarkup."""
        message, markup = self._to_edit(call)
        return self._edit(call, message, Words(message.text, message.entities), markup)

    def delete_message(self, call: Call) -> bool:
        """deleteMessage: the bot's own, and in a private chat anybody's."""
        chat = self.chat(call, "write")
        message = chat.find(call.integer("message_id"))
        if message is None:
            raise bad("Message to delete not found")
        if self._world.now() - message.date > DELETABLE:
            raise bad("Message can't be deleted for everyone")
        if not message.from_bot and not chat.private:
            raise bad("Message can't be deleted")
        message.deleted = True
        self._world.tick()
        chat.changed.ring()
        self._telegram.took(Sent(0, call.method, chat.id, message.message_id, "", self._telegram.clock()))
        return True

    # Steps.

    def chat(self, call: Call, access: str) -> Chat:
        """The chat a call is about, if the bot may `read`, `edit` or `write` there."""
        name = call.text("chat_id")
        if not name:
            raise bad("chat_id is empty")
        chat = self._world.chats.get(call.chat_id)
        if chat is None:
            raise bad("chat not found")
        refusal = _private(chat, access) if chat.private else _group(chat, access)
        if refusal is not None:
            raise refusal
        return chat

    def _send(self, call: Call, words: Words, content: Json | None = None, file: File | None = None) -> Json:
        known = self._world.chats.get(call.chat_id)
        private = known is None or known.private
        markup = read_markup(call, private=private, suspect=self._telegram.suspect)
        chat = self.chat(call, "write")
        reply_to = self._reply_to(call, chat)
        self._charge(call, chat)
        message = self._world.write(
            chat,
            None,
            text=words.text,
            entities=words.entities,
            markup=markup,
            content=content or {},
            file=file,
            reply_to=reply_to,
        )
        self._took(call, message)
        return message.json

    def _reply_to(self, call: Call, chat: Chat) -> Message | None:
        given: Any = call.json("reply_parameters", "Can't parse reply parameters JSON object")
        if given is None:
            given = {
                "message_id": call.integer("reply_to_message_id"),
                "allow_sending_without_reply": call.flag("allow_sending_without_reply"),
            }
        if not isinstance(given, dict):
            raise bad("Object expected as reply parameters")
        wanted = given.get("message_id")
        if not isinstance(wanted, int) or wanted <= 0:
            return None
        message = chat.find(wanted)
        if message is None and not given.get("allow_sending_without_reply"):
            raise bad("Message to be replied not found")
        return message

    def _to_edit(self, call: Call) -> tuple[Message, Markup]:
        markup = read_markup(call, private=True, suspect=self._telegram.suspect)
        if not call.text("chat_id") and not call.integer("message_id"):
            raise bad("Message identifier is not specified")
        chat = self.chat(call, "edit")
        message = chat.find(call.integer("message_id"))
        if message is None:
            raise bad("Message to edit not found")
        if not message.from_bot or message.markup.kind in {"keyboard", "remove", "force"}:
            raise bad("Message can't be edited")
        if markup.kind not in {"", "inline"}:
            raise bad("Inline keyboard expected")
        return message, markup

    def _edit(self, call: Call, message: Message, words: Words, markup: Markup) -> Json:
        same = (message.text, message.entities, message.keyboard) == (
            words.text,
            words.entities,
            markup.inline,
        )
        if same:
            raise bad(NOT_MODIFIED)
        self._charge(call, message.chat)
        self._world.edit(message, words.text, words.entities, markup if markup.inline else NOTHING)
        self._took(call, message)
        return message.json

    def _charge(self, call: Call, chat: Chat) -> None:
        what = f"{call.method} to {chat.id}"
        if seconds := self._telegram.meter.charge(chat.id, what, private=chat.private):
            raise too_many(seconds)

    def _took(self, call: Call, message: Message) -> None:
        at = self._telegram.clock()
        self._telegram.took(Sent(0, call.method, message.chat.id, message.message_id, message.text, at))

    def _file(self, call: Call, name: str, largest: int) -> File:
        """What was uploaded or named. Source: `Client::get_input_file`."""
        given = call.text(name)
        upload = call.uploads.get(given.removeprefix("attach://") if given.startswith("attach://") else name)
        if upload is None and not given:
            raise bad(f"There is no {name} in the request")
        if upload is None:
            file = self._telegram.files.by_id.get(given)
            if file is None:
                raise bad("Wrong file identifier/HTTP URL specified")
            return file
        if len(upload.data) > largest:
            raise Refusal(413, "Request Entity Too Large")
        if not upload.data:
            raise bad("File must be non-empty")
        return self._telegram.files.add(upload.name, upload.data, folder=f"{name}s")


def _private(chat: Chat, access: str) -> Refusal | None:
    """Bots cannot write first. A person met in a group is known, one who never was is not even found."""
    person = chat.person
    assert person is not None
    if not person.started:
        return (
            forbidden("bot can't initiate conversation with a user") if person.met else bad("chat not found")
        )
    if access == "read":
        return None
    if person.deactivated:
        return forbidden("user is deactivated")
    return forbidden("bot was blocked by the user") if person.blocked else None


def _group(chat: Chat, access: str) -> Refusal | None:
    if chat.upgraded_to:
        if access == "write":
            to = {"migrate_to_chat_id": chat.upgraded_to}
            return Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", to)
        return None
    supergroup = chat.kind == "supergroup"
    if access == "read" and not supergroup:
        return None
    if chat.bot_status == "kicked":
        return forbidden(f"bot was kicked from the {chat.kind} chat")
    return forbidden(f"bot is not a member of the {chat.kind} chat") if chat.bot_status == "left" else None
