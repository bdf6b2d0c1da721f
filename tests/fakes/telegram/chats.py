"""Chats and the messages in them, as they look now and as they looked before."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fakes.telegram.entities import Entities
from tests.fakes.telegram.files import File
from tests.fakes.telegram.keyboards import NOTHING, Markup, Rows

if TYPE_CHECKING:
    from tests.fakes.telegram.people import Person

Json = dict[str, Any]


class Signal:
    """Wakes whoever waits for something to happen."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def ring(self) -> None:
        """Something happened."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for future in waiting:
                if not future.done():
                    future.set_result(None)

    async def until(self, holds: Callable[[], Any], bound: float, what: str) -> Any:
        """What `holds` gives once it is true; an error that says what was awaited after `bound` seconds."""
        try:
            async with asyncio.timeout(bound):
                while not (result := holds()):
                    future = asyncio.get_running_loop().create_future()
                    self._waiting.append(future)
                    await future
                return result
        except TimeoutError:
            raise TimeoutError(f"{what}: not within {bound:g} s") from None


@dataclass(slots=True, eq=False)
class Message:
    """A message; `text` is the caption where it carries a file. `history`: the texts before each edit.

    `former`: the markups before each edit, so that somebody may tap what they still see.
    `taken_at`, `changed_at`: when the server took it and when it last changed, on the fake's count of events.
    """

    chat: "Chat"
    message_id: int
    sender: "Person | None"  # nobody: the bot
    date: int
    text: str = ""
    entities: Entities = field(default_factory=list)
    markup: Markup = NOTHING
    content: Json = field(default_factory=dict)
    file: File | None = None
    reply_to: "Message | None" = None
    edited: int = 0
    edit_date: int = 0
    history: list[str] = field(default_factory=list)
    former: list[Markup] = field(default_factory=list)
    deleted: bool = False
    taken_at: int = 0
    changed_at: int = 0

    def __repr__(self) -> str:
        who = self.sender.first_name if self.sender else "the bot"
        return f"<{self.message_id} of {who}: {self.text!r} {self.labels}>"

    @property
    def from_bot(self) -> bool:
        """Whether the bot wrote it."""
        return self.sender is None

    @property
    def keyboard(self) -> Rows:
        """The rows of buttons under it."""
        return self.markup.inline

    @property
    def labels(self) -> list[str]:
        """What its buttons say."""
        return [button.label for row in self.keyboard for button in row]

    @property
    def document(self) -> File | None:
        """The file it carries."""
        return self.file

    @property
    def json(self) -> Json:
        """The Message of the Bot API."""
        answer = self.brief
        if self.reply_to is not None:
            answer["reply_to_message"] = self.reply_to.brief
        return answer

    @property
    def brief(self) -> Json:
        """The Message without the one it replies to."""
        chat = self.chat
        sender = self.sender.json if self.sender else chat.world.bot
        answer: Json = {
            "message_id": self.message_id,
            "from": sender,
            "chat": chat.json,
            "date": self.date,
            **self.content,
        }
        if self.edit_date:
            answer["edit_date"] = self.edit_date
        if self.text:
            name = "caption" if self.content.keys() & {"document", "photo", "voice"} else "text"
            answer[name] = self.text
            if self.entities:
                answer["entities" if name == "text" else "caption_entities"] = self.entities
        if self.keyboard:
            answer["reply_markup"] = {"inline_keyboard": [[b.json for b in row] for row in self.keyboard]}
        return answer


@dataclass(slots=True, eq=False)
class Chat:
    """A private chat, a group or a supergroup. Messages are kept in order of their ids."""

    world: "World"
    id: int
    kind: str
    title: str = ""
    person: "Person | None" = None
    instance: str = ""
    messages: dict[int, Message] = field(default_factory=dict)
    replies: Message | None = None  # whose keyboard stands where one types
    bot_status: str = "member"
    upgraded_to: int = 0
    changed: Signal = field(default_factory=Signal)
    last_id: int = 0  # of a supergroup, which counts for itself

    def __repr__(self) -> str:
        return f"<{self.kind} chat {self.id}>"

    @property
    def private(self) -> bool:
        """Whether it is between one person and the bot."""
        return self.kind == "private"

    @property
    def json(self) -> Json:
        """The Chat of the Bot API."""
        if self.person is not None:
            return {**self.person.name, "id": self.id, "type": "private"}
        return {"id": self.id, "title": self.title, "type": self.kind}

    @property
    def visible(self) -> list[Message]:
        """What is on the screen."""
        return [message for message in self.messages.values() if not message.deleted]

    def find(self, message_id: int) -> Message | None:
        """A message that is still there."""
        message = self.messages.get(message_id)
        return None if message is None or message.deleted else message


@dataclass(repr=False)
class World:
    """Everybody and everything on this Telegram, and the count of what happened."""

    bot: Json
    chance: random.Random
    now: Callable[[], float]
    keep: int | None = None  # messages kept in each chat
    chats: dict[int, Chat] = field(default_factory=dict)
    people: dict[int, "Person"] = field(default_factory=dict)
    moment: int = 0
    _last_message_id: int = 0

    def chat(self, chat_id: int, kind: str, **more: Any) -> Chat:
        """A new chat."""
        instance = str(self.chance.randrange(-(2**63), 2**63))
        chat = self.chats[chat_id] = Chat(self, chat_id, kind, instance=instance, **more)
        return chat

    def tick(self) -> int:
        """Count one more thing that happened."""
        self.moment += 1
        return self.moment

    def next_message_id(self, chat: Chat) -> int:
        """Ids grow in a supergroup by itself, elsewhere over all chats of the bot.

        Source: TDLib's notes on message identifiers; private chats and basic groups share one sequence.
        """
        if chat.kind == "supergroup":
            chat.last_id += 1
            return chat.last_id
        self._last_message_id += 1
        return self._last_message_id

    def write(self, chat: Chat, sender: "Person | None", **parts: Any) -> Message:
        """Put a message into a chat."""
        moment = self.tick()
        message = Message(
            chat,
            self.next_message_id(chat),
            sender,
            int(self.now()),
            taken_at=moment,
            changed_at=moment,
            **parts,
        )
        chat.messages[message.message_id] = message
        if self.keep is not None and len(chat.messages) > self.keep:
            del chat.messages[next(iter(chat.messages))]
        if message.markup.kind == "keyboard":
            chat.replies = message
        elif message.markup.kind == "remove":
            chat.replies = None
        chat.changed.ring()
        return message

    def edit(self, message: Message, text: str, entities: Entities, markup: Markup) -> None:
        """Change a message, keeping what it was."""
        message.history.append(message.text)
        message.former.append(message.markup)
        message.text, message.entities, message.markup = text, entities, markup
        message.edited += 1
        message.edit_date = int(self.now())
        message.changed_at = self.tick()
        message.chat.changed.ring()


@dataclass(slots=True)
class Sent:
    """One thing the server took: in which order, where, what, and whether the answer reached the client.

    `answered` is what the server can know: the answer was handed to a connection that stood.
    """

    order: int
    method: str
    chat_id: int
    message_id: int
    text: str
    at: float
    answered: bool = False
