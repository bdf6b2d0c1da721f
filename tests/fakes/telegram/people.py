"""The people's side: who says, taps and sees.

What they do comes about at once and gives the id of the update it made, 0 if the bot is not told of it (a kind it did
not ask for, or a message in a group that privacy keeps from it). Source of the shapes: Bot API, «Update», «Message»,
«CallbackQuery», «ChatMemberUpdated»; of what a bot sees in a group: Bot features, «Privacy mode».
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fakes.telegram.chats import Chat, Json, Message, World
from tests.fakes.telegram.entities import found, units
from tests.fakes.telegram.files import File
from tests.fakes.telegram.keyboards import Button, Markup

if TYPE_CHECKING:
    from tests.fakes.telegram.server import FakeTelegram

LONGEST_TEXT = 4096
BOUND = 10.0  # seconds somebody waits for an answer unless they say otherwise


@dataclass(slots=True)
class Tap:
    """A callback query; `answers` are the texts it was answered with, `alert` whether one had to be closed."""

    id: str
    data: str
    by: "Person"
    message: Message
    at: float
    answers: list[str] = field(default_factory=list)
    alert: bool = False


@dataclass(slots=True, eq=False)
class Person:
    """Somebody with a phone."""

    telegram: "FakeTelegram"
    id: int
    first_name: str
    language_code: str = "vi"
    username: str = ""
    private: Chat = field(init=False)
    started: bool = False
    met: bool = False  # in a group the bot is in
    blocked: bool = False
    deactivated: bool = False
    taps_made: list[Tap] = field(default_factory=list)
    last_update: int = 0
    _since: int = 0

    def __repr__(self) -> str:
        return f"<{self.first_name} {self.id}>"

    def __post_init__(self) -> None:
        self.private = self._world.chat(self.id, "private", person=self)

    @property
    def _world(self) -> World:
        return self.telegram.world

    @property
    def name(self) -> Json:
        """The names as a Chat has them."""
        return {"first_name": self.first_name, **({"username": self.username} if self.username else {})}

    @property
    def json(self) -> Json:
        """The User of the Bot API."""
        return {"id": self.id, "is_bot": False, **self.name, "language_code": self.language_code}

    # What is seen.

    @property
    def chat(self) -> list[Message]:
        """The messages with the bot as they look now, their own and the bot's."""
        return self.private.visible

    def sees(self) -> list[str]:
        """The texts of the bot."""
        return [message.text for message in self.chat if message.from_bot]

    def choices(self) -> list[str]:
        """What can be tapped on the newest keyboard."""
        for message in reversed(self.chat):
            if message.from_bot and message.labels:
                return message.labels
            if message is self.private.replies:
                return [button.label for row in message.markup.rows for button in row]
        return []

    @property
    def files(self) -> list[File]:
        """The files the bot sent."""
        return [message.file for message in self.chat if message.from_bot and message.file is not None]

    @property
    def toasts(self) -> list[str]:
        """What the answers to taps said."""
        return [text for tap in self.taps_made for text in tap.answers if text]

    # What is done.

    def starts(self, payload: str = "") -> int:
        """Press Start, or follow a link that carries a payload (at most 64 of A-Za-z0-9_-)."""
        if self.blocked:
            self.unblocks()
        return self.says(f"/start {payload}".rstrip())

    def says(self, text: str, group: "Group | None" = None, reply_to: Message | None = None) -> int:
        """Write; a text that is too long is cut by the app into several messages."""
        pieces = _cut(text)
        for piece in pieces[:-1]:
            self._writes(group, text=piece, entities=found(piece), reply_to=reply_to)
        return self._writes(group, text=pieces[-1], entities=found(pieces[-1]), reply_to=reply_to)

    def taps(self, label: str, message: Message | None = None, group: "Group | None" = None) -> int:
        """Tap the newest button with this label; with `message`, also one that was on it before an edit.

        A link is opened: no update. A key of a keyboard for replies writes its label.
        """
        chat = group.chat_now if group else self.private
        if message is None and (button := _key(chat, label)):
            if chat.replies is not None and chat.replies.markup.once:
                chat.replies = None
            return self._presses(button, group)
        shown, button = _shown(chat, label, message)
        if button.url:
            self.telegram.opened.append(button.url)
            return 0
        return self._query(shown, button, shown.json)

    def taps_old(self, message: Message, label: str) -> int:
        """Tap a message the bot can no longer look at (48 hours and more): it comes with date 0."""
        _, button = _shown(message.chat, label, message)
        return self._query(
            message, button, {"chat": message.chat.json, "message_id": message.message_id, "date": 0}
        )

    def sends(
        self,
        name: str,
        data: bytes,
        media_type: str = "",
        caption: str = "",
        size: int = -1,
        group: "Group | None" = None,
    ) -> int:
        """Send a file; `size` lets it pass for a larger one."""
        file = self.telegram.files.add(name, data, media_type, size=size)
        return self._carries(group, {"document": file.document}, file, caption)

    def sends_photo(self, data: bytes, caption: str = "", group: "Group | None" = None) -> int:
        """Send a photo; it comes in three sizes, the last the largest."""
        add = self.telegram.files.add
        largest = add("photo.jpg", data, "image/jpeg", "photos")
        smaller = [add("photo.jpg", data[: len(data) // part], "image/jpeg", "photos") for part in (8, 2)]
        sizes = [
            {**file.brief, "width": width, "height": width * 3 // 4}
            for file, width in zip((*smaller, largest), (90, 320, 1280), strict=True)
        ]
        return self._carries(group, {"photo": sizes}, largest, caption)

    def sends_sticker(self, emoji: str = "👍", group: "Group | None" = None) -> int:
        """Send a sticker."""
        file = self.telegram.files.add("sticker.webp", b"RIFF....WEBP", "image/webp", "stickers")
        shape = {"width": 512, "height": 512, "is_animated": False, "is_video": False, "type": "regular"}
        return self._carries(group, {"sticker": {**file.brief, **shape, "emoji": emoji}}, file)

    def sends_voice(self, data: bytes = b"OggS", seconds: int = 3, group: "Group | None" = None) -> int:
        """Speak."""
        file = self.telegram.files.add("voice.oga", data, "audio/ogg", "voice")
        return self._carries(
            group, {"voice": {**file.brief, "duration": seconds, "mime_type": "audio/ogg"}}, file
        )

    def sends_location(self, latitude: float, longitude: float, group: "Group | None" = None) -> int:
        """Send where one is."""
        return self._carries(group, {"location": {"latitude": latitude, "longitude": longitude}})

    def sends_contact(self, phone: str, *, own: bool = True, group: "Group | None" = None) -> int:
        """Send a contact: their own, with their id, or somebody else's, who may not be on Telegram."""
        contact = {"phone_number": phone, "first_name": self.first_name if own else "Bình"}
        return self._carries(group, {"contact": {**contact, "user_id": self.id} if own else contact})

    def forwards(self, text: str, group: "Group | None" = None) -> int:
        """Forward what somebody else wrote, who hides who they are."""
        origin = {"type": "hidden_user", "sender_user_name": "Bình", "date": int(self._world.now()) - 3600}
        return self._writes(group, text=text, entities=found(text), content={"forward_origin": origin})

    def sends_anything(self, content: Json, group: "Group | None" = None) -> int:
        """Send a message of a kind nobody thought of: these fields stand in the Message."""
        return self._carries(group, content)

    def edits(self, message: Message, text: str) -> int:
        """Change what they wrote."""
        assert message.sender is self, "people edit their own messages"
        self._world.edit(message, text, found(text), message.markup)
        chat = message.chat
        if not chat.private and not self._told(chat, message):
            return 0
        return self._did(self.telegram.inbox.add("edited_message", message.json, chat.id))

    def deletes(self, message: Message) -> int:
        """Delete a message for both; bots are not told."""
        message.deleted = True
        message.chat.changed.ring()
        return 0

    def blocks(self) -> int:
        """Stop the bot."""
        assert self.started, "who never started has nothing to block"
        self.blocked = True
        return self._member(self.private, "member", "kicked")

    def unblocks(self) -> int:
        """Let it write again."""
        self.blocked = False
        return self._member(self.private, "kicked", "member")

    def deletes_account(self) -> int:
        """Be gone; bots are not told."""
        self.deactivated = True
        return 0

    async def answered(self, after: int | None = None, bound: float = BOUND) -> Message:
        """The newest message of the bot that is new or was edited since an update, or since the last they made."""
        since = self._since if after is None else self.telegram.inbox.moments[after]
        what = f"{self.first_name} waits for an answer"
        answer: Message = await self.private.changed.until(lambda: self._newest(since), bound, what)
        return answer

    async def reads(self, words: str, bound: float = BOUND) -> Message:
        """The newest message of the bot in which these words stand, as soon as there is one."""
        what = f"{self.first_name} waits for «{words}», sees {self.sees()[-3:]}"
        message: Message = await self.private.changed.until(lambda: _saying(self.chat, words), bound, what)
        return message

    def _newest(self, since: int) -> Message | None:
        changed = [m for m in self.chat if m.from_bot and m.changed_at > since]
        return max(changed, key=lambda message: message.changed_at, default=None)

    # How it comes about.

    def _did(self, update_id: int) -> int:
        self._since = self._world.moment
        if update_id:
            self._since = self.telegram.inbox.moments[update_id]
            self.last_update = update_id
        return update_id

    def _writes(self, group: "Group | None", **parts: Any) -> int:
        chat = group.chat_now if group else self.private
        if not group:
            assert not self.blocked, "the app lets nobody write to a bot they blocked"
            self.started = True
        assert not self.deactivated, "who deleted their account is silent"
        message = self._world.write(chat, self, **parts)
        if not self._told(chat, message):
            return self._did(0)
        return self._did(self.telegram.inbox.add("message", message.json, chat.id))

    def _carries(
        self, group: "Group | None", content: Json, file: File | None = None, caption: str = ""
    ) -> int:
        return self._writes(group, content=content, file=file, text=caption, entities=found(caption))

    def _told(self, chat: Chat, message: Message) -> bool:
        """Whether the bot gets to see it."""
        if chat.private:
            return True
        if chat.bot_status != "member":
            return False
        bot = f"@{self._world.bot['username']}".lower()
        if message.reply_to is not None and message.reply_to.from_bot:
            return True
        words = message.text.lower().split()
        command = words[0] if words and words[0].startswith("/") else ""
        return ("@" not in command and command != "") or any(bot in word for word in words)

    def _presses(self, button: Button, group: "Group | None") -> int:
        if button.asks == "contact":
            return self.sends_contact(f"+849{self.id % 10**8:08}")
        if button.asks == "location":
            return self.sends_location(13.98, 108.0)
        return self.says(button.label, group)

    def _query(self, message: Message, button: Button, shown: Json) -> int:
        world = self._world
        tap = Tap(
            str(world.chance.randrange(2**62, 2**63)), button.data, self, message, self.telegram.clock()
        )
        self.taps_made.append(tap)
        self.telegram.taps[tap.id] = tap
        body = {
            "id": tap.id,
            "from": self.json,
            "message": shown,
            "chat_instance": message.chat.instance,
            "data": button.data,
        }
        inbox = self.telegram.inbox
        return self._did(inbox.add("callback_query", body, message.chat.id, ("callback_query", self.id)))

    def _member(self, chat: Chat, before: str, after: str) -> int:
        body = member_update(self._world, chat, self, before, after)
        return self._did(self.telegram.inbox.add("my_chat_member", body, chat.id))


def member_update(world: World, chat: Chat, by: Person, before: str, after: str) -> Json:
    """A ChatMemberUpdated about the bot."""
    return {
        "chat": chat.json,
        "from": by.json,
        "date": int(world.now()),
        "old_chat_member": _member_json(world, before),
        "new_chat_member": _member_json(world, after),
    }


def _member_json(world: World, status: str) -> Json:
    member: Json = {"user": world.bot, "status": status}
    return {**member, "until_date": 0} if status == "kicked" else member


@dataclass(slots=True, eq=False)
class Group:
    """A group of people, into which the bot may be taken."""

    telegram: "FakeTelegram"
    chat: Chat
    members: list[Person]
    supergroup: Chat | None = None

    def __repr__(self) -> str:
        return f"<{self.chat.title} {self.chat_now.id}>"

    @property
    def chat_now(self) -> Chat:
        """The chat as it is: the supergroup, once it was upgraded."""
        return self.supergroup or self.chat

    @property
    def messages(self) -> list[Message]:
        """What is on everybody's screen."""
        return self.chat_now.visible

    async def reads(self, words: str, bound: float = BOUND) -> Message:
        """The newest message of the bot in which these words stand, as soon as there is one."""
        what = f"{self.chat.title} waits for «{words}»"
        message: Message = await self.chat_now.changed.until(
            lambda: _saying(self.messages, words), bound, what
        )
        return message

    def adds_bot(self, by: Person | None = None) -> int:
        """Take the bot in."""
        chat, who = self.chat_now, by or self.members[0]
        chat.bot_status = "member"
        for member in self.members:
            member.met = True
        update = self._member(who, "left", "member")
        self._service(who, {"new_chat_members": [self.telegram.world.bot]})
        return update

    def kicks_bot(self, by: Person | None = None) -> int:
        """Throw it out."""
        self.chat_now.bot_status = "kicked"
        return self._member(by or self.members[0], "member", "kicked")

    def upgrades(self) -> int:
        """Become a supergroup, with a new id: said in the old chat, and in the new one where it came from."""
        old, world = self.chat, self.telegram.world
        new_id = -(10**12) - world.chance.randrange(2**30, 2**31)
        self.supergroup = world.chat(new_id, "supergroup", title=old.title, bot_status=old.bot_status)
        update = self._service(self.members[0], {"migrate_to_chat_id": new_id}, old)
        old.upgraded_to = new_id
        self._service(self.members[0], {"migrate_from_chat_id": old.id})
        return update

    def _service(self, by: Person, content: Json, chat: Chat | None = None) -> int:
        chat = chat or self.chat_now
        message = self.telegram.world.write(chat, by, content=content)
        return self.telegram.inbox.add("message", message.json, chat.id)

    def _member(self, by: Person, before: str, after: str) -> int:
        chat = self.chat_now
        body = member_update(self.telegram.world, chat, by, before, after)
        return self.telegram.inbox.add("my_chat_member", body, chat.id)


def _saying(messages: list[Message], words: str) -> Message | None:
    """The newest message of the bot with these words, in its text or as one of its labels."""
    bots = (message for message in reversed(messages) if message.from_bot)
    return next((message for message in bots if words in message.text or words in message.labels), None)


def _cut(text: str) -> list[str]:
    pieces = []
    while units(text) > LONGEST_TEXT:
        pieces.append(text[: LONGEST_TEXT // 2])
        text = text[LONGEST_TEXT // 2 :]
    return [*pieces, text]


def _key(chat: Chat, label: str) -> Button | None:
    """The key of the keyboard for replies, unless a newer message shows the label."""
    if chat.replies is None:
        return None
    newer = [m for m in chat.visible if m.message_id > chat.replies.message_id and label in m.labels]
    return None if newer else _button(chat.replies.markup, label)


def _button(markup: Markup, label: str) -> Button | None:
    return next((button for row in markup.rows for button in row if button.label == label), None)


def _shown(chat: Chat, label: str, message: Message | None) -> tuple[Message, Button]:
    """Where a label is shown: on this message now or before, or on the newest that shows it."""
    if message is None:
        for candidate in reversed(chat.visible):
            if candidate.from_bot and label in candidate.labels:
                message = candidate
                break
        else:
            shown: Sequence[list[str]] = [m.labels for m in chat.visible if m.labels]
            raise AssertionError(f"nothing to tap says «{label}»; there is {shown[-2:]}")
    kinds = [markup for markup in (message.markup, *reversed(message.former)) if markup.kind == "inline"]
    for markup in kinds:
        if button := _button(markup, label):
            return message, button
    raise AssertionError(f"no button of this message says or said «{label}»")
