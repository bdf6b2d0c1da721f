"""The fake Telegram refuses what the real one refuses, and misbehaves on demand; a client that others wrote sees it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from bot.settings import read_settings
from tests.fakes.telegram import FakeTelegram, Fault, Faults, Kind, Limits, Person, Timing
from tests.fakes.telegram.page import Page
from tests.fakes.telegram.server import TOKEN

Say = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture(autouse=True)
def seconds_as_timedelta(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-telegram-bot gives `retry_after` as a timedelta, and warns otherwise."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    """A Telegram where nothing goes wrong by itself."""
    async with FakeTelegram() as started:
        yield started


@pytest.fixture
async def bot(telegram: FakeTelegram) -> AsyncIterator[Bot]:
    """The bot, by python-telegram-bot."""
    async with new_bot(telegram) as started:
        yield started


@pytest.fixture
def an(telegram: FakeTelegram) -> Person:
    """Somebody who pressed Start."""
    person = telegram.person("An")
    person.starts()
    return person


@pytest.fixture
async def say(telegram: FakeTelegram) -> AsyncIterator[Say]:
    """Calls a method with JSON, bare: status and answer."""
    async with aiohttp.ClientSession() as session:

        async def call(method: str, token: str = "", **values: Any) -> tuple[int, Any]:
            address = f"{telegram.base_url}{token or telegram.token}/{method}"
            async with session.post(address, json=values) as answer:
                return answer.status, await answer.json()

        yield call


def new_bot(telegram: FakeTelegram, seconds: float = 5) -> Bot:
    """A bot that waits no longer than this."""
    request = HTTPXRequest(read_timeout=seconds, connection_pool_size=8)
    polls = HTTPXRequest(read_timeout=seconds, connection_pool_size=8)
    return Bot(
        telegram.token,
        base_url=telegram.base_url,
        base_file_url=telegram.base_file_url,
        request=request,
        get_updates_request=polls,
    )


def keyboard(*labels: str) -> InlineKeyboardMarkup:
    """Buttons one below the other; each says its label as data."""
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=label)] for label in labels])


async def fetched(bot: Bot, telegram: FakeTelegram) -> list[Update]:
    """All updates that wait, acknowledged."""
    updates = [*await bot.get_updates(offset=0)]
    if updates:
        await bot.get_updates(offset=updates[-1].update_id + 1)
    await telegram.settled()
    return updates


# What is refused.


def inline(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"inline_keyboard": [[button] for button in buttons]}


TAP = {"text": "Có", "callback_data": "1"}
MESSAGES = [
    ({"text": ""}, "message text is empty"),
    ({}, "message text is empty"),
    ({"text": " \n\u200b"}, "text must be non-empty"),
    ({"text": "<b> </b>", "parse_mode": "HTML"}, "text must be non-empty"),
    ({"text": "x" * 4097}, "message is too long"),
    ({"text": "😀" * 2049}, "message is too long"),
    ({"text": "x", "parse_mode": "RTF"}, "unsupported parse_mode"),
    (
        {"text": "<b>x", "parse_mode": "HTML"},
        "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
    ),
    (
        {"text": "é<p>x</p>", "parse_mode": "HTML"},
        'can\'t parse entities: Unsupported start tag "p" at byte offset 2',
    ),
    (
        {"text": "5 < 6", "parse_mode": "HTML"},
        'can\'t parse entities: Unsupported start tag "" at byte offset 2',
    ),
    ({"text": "x <b", "parse_mode": "HTML"}, "can't parse entities: Unclosed start tag at byte offset 2"),
    ({"text": "x</b>", "parse_mode": "HTML"}, "can't parse entities: Unexpected end tag at byte offset 1"),
    (
        {"text": "<b>x</i>", "parse_mode": "HTML"},
        'can\'t parse entities: Unmatched end tag at byte offset 4, expected "</b>", found "</i>"',
    ),
    (
        {"text": "1.", "parse_mode": "MarkdownV2"},
        "can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
    ),
    (
        {"text": "*x", "parse_mode": "MarkdownV2"},
        "can't parse entities: Can't find end of Bold entity at byte offset 0",
    ),
    (
        {"text": "a_b", "parse_mode": "Markdown"},
        "can't parse entities: Can't find end of the entity starting at byte offset 1",
    ),
    ({"reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
    ({"reply_markup": []}, "object expected as reply markup"),
    ({"reply_markup": inline({**TAP, "callback_data": "ê" * 33})}, "BUTTON_DATA_INVALID"),
    (
        {"reply_markup": inline({"text": "Có"})},
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ),
    (
        {"reply_markup": inline({"callback_data": "1"})},
        "can't parse inline keyboard button: Can't find field \"text\"",
    ),
    ({"reply_markup": inline({**TAP, "text": " "})}, "inline keyboard button text must be non-empty"),
    (
        {"reply_markup": inline({"text": "x", "url": "http://localhost:8080/chat"})},
        "inline keyboard button URL 'http://localhost:8080/chat' is invalid: Wrong HTTP URL",
    ),
    (
        {"reply_markup": inline({"text": "x", "url": "javascript://x.vn"})},
        "inline keyboard button URL 'javascript://x.vn' is invalid: Unsupported URL protocol",
    ),
    ({"reply_markup": inline(*[TAP] * 101)}, "reply markup is too long"),
    ({"reply_markup": {"inline_keyboard": [[TAP] * 9]}}, "reply markup is too long"),
    ({"reply_markup": {"keyboard": [[{"text": ""}]]}}, "keyboard button text must be non-empty"),
    ({"reply_parameters": {"message_id": 999}}, "message to be replied not found"),
    ({"chat_id": ""}, "chat_id is empty"),
    ({"chat_id": 77}, "chat not found"),
]


@pytest.mark.parametrize(("given", "said"), MESSAGES, ids=[said[:60] for _, said in MESSAGES])
async def test_a_message_that_is_wrong(say: Say, an: Person, given: dict[str, Any], said: str) -> None:
    text = {} if given == {} else {"text": "x"}
    status, answer = await say("sendMessage", **{"chat_id": an.id, **text, **given})

    assert (status, answer) == (
        400,
        {"ok": False, "error_code": 400, "description": f"Bad Request: {said}"},
    )
    assert an.sees() == []


OTHERS = [
    ("editMessageText", {"message_id": 999, "text": "x"}, 400, "Bad Request: message to edit not found"),
    ("editMessageText", {"message_id": 1, "text": "x"}, 400, "Bad Request: message can't be edited"),
    ("deleteMessage", {"message_id": 999}, 400, "Bad Request: message to delete not found"),
    ("sendChatAction", {"action": "dance"}, 400, "Bad Request: wrong parameter action in request"),
    ("sendDocument", {}, 400, "Bad Request: there is no document in the request"),
    (
        "sendDocument",
        {"document": "no-such-id"},
        400,
        "Bad Request: wrong file identifier/HTTP URL specified",
    ),
    ("getFile", {"file_id": "no-such-id"}, 400, "Bad Request: invalid file_id"),
    (
        "answerCallbackQuery",
        {"callback_query_id": "1"},
        400,
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
    ),
    (
        "setWebhook",
        {"url": "http://example.com/"},
        400,
        "Bad Request: bad webhook: An HTTPS URL must be provided for webhook",
    ),
    (
        "setWebhook",
        {"url": "https://example.com:8080/"},
        400,
        "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
    ),
    (
        "setWebhook",
        {"url": "https://example.com/", "secret_token": "a b"},
        400,
        "Bad Request: secret token contains unallowed characters",
    ),
    (
        "setMyCommands",
        {"commands": [{"command": "Hỏi", "description": "x"}]},
        400,
        "Bad Request: BOT_COMMAND_INVALID",
    ),
    (
        "setMyCommands",
        {"commands": [{"command": "help", "description": " "}]},
        400,
        "Bad Request: command description must be non-empty",
    ),
    ("noSuchMethod", {}, 404, "Not Found: method not found"),
]


@pytest.mark.parametrize(
    ("method", "given", "code", "said"), OTHERS, ids=[f"{m} {s[:50]}" for m, _, _, s in OTHERS]
)
async def test_a_call_that_is_wrong(
    say: Say, an: Person, method: str, given: dict[str, Any], code: int, said: str
) -> None:
    assert await say(method, chat_id=an.id, **given) == (
        code,
        {"ok": False, "error_code": code, "description": said},
    )


async def test_a_token_that_is_wrong(say: Say) -> None:
    assert await say("getMe", token="nonsense") == (
        404,
        {"ok": False, "error_code": 404, "description": "Not Found"},
    )
    assert await say("getMe", token="123456789:BB" + "x" * 33) == (
        401,
        {"ok": False, "error_code": 401, "description": "Unauthorized"},
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"chat_id": %d, "text": "\\ud800"}', "application/json"),
        (b'{"chat_id": %d, "text": "\xff"}', "application/json"),
        (b"chat_id=%d&text=%%ff", "application/x-www-form-urlencoded"),
        (b"chat_id=%d&text=%%ed%%a0%%80", "application/x-www-form-urlencoded"),
    ],
)
async def test_what_is_no_utf_8(telegram: FakeTelegram, an: Person, body: bytes, kind: str) -> None:
    address = f"{telegram.base_url}{telegram.token}/sendMessage"
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, data=body % an.id, headers={"Content-Type": kind}) as answer,
    ):
        assert (await answer.json())["description"] == "Bad Request: strings must be encoded in UTF-8"


async def test_any_form_of_request_and_any_capitals(telegram: FakeTelegram, an: Person) -> None:
    values = {"chat_id": str(an.id), "text": "Chào & chúc"}
    parts = aiohttp.FormData(values)
    parts.add_field("unused", b"x", filename="x.bin")
    async with aiohttp.ClientSession(f"{telegram.base_url}{telegram.token}/") as session:
        for request in (
            session.get("sendmessage", params=values),
            session.post("SENDMESSAGE", params=values),
            session.post("sendMessage", data=values),
            session.post("sendMessage", json=values),
            session.post("sendMessage", data=parts),
        ):
            async with request as answer:
                assert (await answer.json())["ok"]

    assert an.sees() == ["Chào & chúc"] * 5
    assert telegram.suspicions == ["sendmessage: unknown parameter unused"]


async def test_what_passes_and_is_suspicious(say: Say, telegram: FakeTelegram, an: Person) -> None:
    button = {"text": "x", "url": "http://127.0.0.1/", "callback_data": "1"}
    status, _ = await say("sendMessage", chat_id=an.id, text=7, parsemode="HTML", reply_markup=inline(button))

    assert status == 200
    assert telegram.suspicions == [
        "sendmessage: unknown parameter parsemode",
        "sendmessage: text is int, not a string",
        "the button «x» is of several kinds: url, callback_data",
        "a button leads to 127.0.0.1, which nobody else can reach",
    ]


# Talking.


async def test_a_talk(telegram: FakeTelegram, bot: Bot) -> None:
    """Start, an answer with a keyboard, a tap, an edit: as a person sees it and as the bot is told."""
    an = telegram.person("An")
    an.starts("khao-sat")
    await bot.send_message(
        an.id, "<b>Chào</b> Anh/Chị", parse_mode="HTML", reply_markup=keyboard("Có", "Không")
    )
    an.taps("Không")
    start, tap = await fetched(bot, telegram)
    assert tap.callback_query is not None
    await tap.callback_query.answer("Đã nhận")
    await tap.callback_query.edit_message_text("Cảm ơn", reply_markup=keyboard("Tiếp"))

    assert start.message is not None
    assert start.message.text == "/start khao-sat"
    assert [(entity.type, entity.length) for entity in start.message.entities] == [("bot_command", 6)]
    assert (tap.callback_query.data, tap.effective_user.id) == ("Không", an.id)
    assert tap.callback_query.chat_instance
    assert an.sees() == ["Cảm ơn"]
    assert an.choices() == ["Tiếp"]
    assert an.toasts == ["Đã nhận"]
    [message] = [message for message in an.chat if message.from_bot]
    assert (message.history, message.edited, message.entities) == (["Chào Anh/Chị"], 1, [])
    assert telegram.unanswered == telegram.violations == telegram.suspicions == []
    assert [sent.answered for sent in telegram.sent] == [True, True]


async def test_an_edit_that_changes_nothing(bot: Bot, an: Person) -> None:
    message = await bot.send_message(an.id, "Chào", reply_markup=keyboard("Có"))
    same = "message is not modified: specified new message content and reply markup are exactly the same"

    with pytest.raises(BadRequest, match=f"(?i){same}"):
        await message.edit_text("Chào", reply_markup=keyboard("Có"))
    with pytest.raises(BadRequest, match=f"(?i){same}"):
        await message.edit_reply_markup(keyboard("Có"))
    await message.edit_text("Chào")

    assert an.choices() == []


async def test_a_tap_on_what_is_no_longer_shown(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    """Somebody taps what they still see; a message too old to look at comes with date 0."""
    sent = await bot.send_message(an.id, "Một", reply_markup=keyboard("Có"))
    await sent.edit_text("Hai", reply_markup=keyboard("Không"))
    message = an.chat[-1]
    with pytest.raises(AssertionError, match="nothing to tap says «Có»"):
        an.taps("Có")
    an.taps("Có", message)
    an.taps_old(message, "Không")
    _, stale, old = await fetched(bot, telegram)

    assert stale.callback_query is not None
    assert stale.callback_query.data == "Có"
    assert old.callback_query is not None
    assert old.callback_query.message is not None
    assert not old.callback_query.message.is_accessible


MARKED = [
    (
        "HTML",
        ' <b>a</b> &lt;i <a href="https://x.vn?a=1&amp;b">b😀</a> ',
        "a <i b😀",
        [("bold", 0, 1), ("text_link", 5, 3)],
    ),
    (
        "HTML",
        "<b>x<i>y</i></b><pre>z</pre><blockquote expandable>q</blockquote>",
        "xyzq",
        [("bold", 0, 2), ("italic", 1, 1), ("pre", 2, 1), ("expandable_blockquote", 3, 1)],
    ),
    (
        "MarkdownV2",
        "*a _b_* 1\\. [c](https://x.vn) `*` ||d||",
        "a b 1. c * d",
        [("bold", 0, 3), ("italic", 2, 1), ("text_link", 7, 1), ("code", 9, 1), ("spoiler", 11, 1)],
    ),
    ("Markdown", "*a* _b_ \\*", "a b *", [("bold", 0, 1), ("italic", 2, 1)]),
    ("", "<b> & @doluong_bot, x.vn", "<b> & @doluong_bot, x.vn", [("mention", 6, 12), ("url", 20, 4)]),
]


@pytest.mark.parametrize(("mode", "given", "text", "entities"), MARKED)
async def test_marked_text(
    say: Say, an: Person, mode: str, given: str, text: str, entities: list[tuple[str, int, int]]
) -> None:
    _, answer = await say("sendMessage", chat_id=an.id, text=given, parse_mode=mode)
    result = answer["result"]

    assert result["text"] == text
    assert [(e["type"], e["offset"], e["length"]) for e in result.get("entities", [])] == entities


async def test_a_tap_answered_late(telegram: FakeTelegram, bot: Bot) -> None:
    clock = Clock()
    telegram.clock = clock
    an = telegram.person()
    an.starts()
    await bot.send_message(an.id, "Một", reply_markup=keyboard("Có"))
    an.taps("Có")
    [tap] = telegram.unanswered
    clock.now += telegram.limits.callback_lifetime + 1

    with pytest.raises(BadRequest, match=r"(?i)query is too old and response timeout expired"):
        await bot.answer_callback_query(tap.id)


async def test_keyboards_for_replies(telegram: FakeTelegram, say: Say, bot: Bot, an: Person) -> None:
    """Their keys write; one asks for the person's own number, which only private chats may."""
    keys = {"keyboard": [["Có"], [{"text": "Gửi số của tôi", "request_contact": True}]]}
    await say("sendMessage", chat_id=an.id, text="Chọn", reply_markup=keys)
    assert an.choices() == ["Có", "Gửi số của tôi"]
    an.taps("Có")
    an.taps("Gửi số của tôi")
    await say("sendMessage", chat_id=an.id, text="Xong", reply_markup={"remove_keyboard": True})
    group = telegram.group("Nhóm", [an])
    group.adds_bot()
    told = await say("sendMessage", chat_id=group.chat.id, text="Chọn", reply_markup=keys)
    edited = await say("editMessageText", chat_id=an.id, message_id=2, text="Chọn đi")

    _, key, contact, *_ = await fetched(bot, telegram)
    assert key.message is not None
    assert contact.message is not None
    assert contact.message.contact is not None
    assert (key.message.text, contact.message.contact.user_id) == ("Có", an.id)
    assert an.choices() == []
    assert told[1]["description"] == "Bad Request: phone number can be requested in private chats only"
    assert edited[1]["description"] == "Bad Request: message can't be edited"


async def test_everything_a_person_sends_is_understood(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    an.sends("Danh mục.xlsx", b"xlsx", caption="Đây")
    an.sends_photo(b"jpeg" * 100, caption="Ảnh /x")
    an.sends_sticker("👍")
    an.sends_voice()
    an.sends_location(13.98, 108.0)
    an.sends_contact("+84905123456")
    an.sends_contact("+84905123457", own=False)
    an.forwards("Hỏi hộ")
    an.says("xem https://vbpl.vn nhé")
    an.edits(an.chat[-1], "thôi")
    an.sends_anything({"dice": {"emoji": "🎲", "value": 3}})
    telegram.update("poll_of_tomorrow", {"id": 1})
    (
        _,
        document,
        photo,
        sticker,
        voice,
        where,
        own,
        other,
        forwarded,
        link,
        edit,
        dice,
        unknown,
    ) = await fetched(bot, telegram)
    messages = [document, photo, sticker, voice, where, own, other, forwarded, link, dice]
    assert all(update.message is not None for update in messages)

    assert document.message.document.file_name == "Danh mục.xlsx"
    assert document.message.document.mime_type.endswith("spreadsheetml.sheet")
    assert document.message.caption == "Đây"
    assert [size.width for size in photo.message.photo] == [90, 320, 1280]
    assert [entity.type for entity in photo.message.caption_entities] == ["bot_command"]
    assert sticker.message.sticker.emoji == "👍"
    assert voice.message.voice.duration is not None
    assert where.message.location.latitude == 13.98
    assert (own.message.contact.user_id, other.message.contact.user_id) == (an.id, None)
    assert forwarded.message.forward_origin.sender_user_name == "Bình"
    assert [entity.type for entity in link.message.entities] == ["url"]
    assert edit.edited_message.text == "thôi"
    assert dice.message.dice.value == 3
    assert unknown.api_kwargs == {"poll_of_tomorrow": {"id": 1}}
    ids = [update.update_id for update in (document, photo, sticker, unknown)]
    assert ids == sorted(ids)


async def test_files_come_and_go(telegram: FakeTelegram, bot: Bot, say: Say, an: Person) -> None:
    an.sends("a.bin", b"123", size=21 * 2**20)
    an.sends("b.pdf", b"%PDF-1.7")
    _, large, small = await fetched(bot, telegram)
    assert large.message is not None
    assert small.message is not None
    with pytest.raises(BadRequest, match=r"(?i)file is too big"):
        await large.message.document.get_file()
    data = await (await small.message.document.get_file()).download_as_bytearray()
    sent = await bot.send_document(an.id, b"xlsx", filename="Kết quả.xlsx", caption="Đây")
    await bot.send_document(an.id, sent.document.file_id)
    _, empty = await say("sendDocument", chat_id=an.id)

    assert bytes(data) == b"%PDF-1.7"
    assert [(file.name, file.data) for file in an.files] == [("Kết quả.xlsx", b"xlsx")] * 2
    assert an.sees() == ["Đây", ""]
    assert empty["ok"] is False


async def test_a_file_that_is_too_big_to_send(an: Person) -> None:
    telegram = an.telegram
    telegram.limits = Limits(upload=10)
    async with new_bot(telegram) as bot:
        with pytest.raises(TelegramError, match="Request Entity Too Large"):
            await bot.send_document(an.id, b"x" * 11, filename="x.bin")


# Who may be written to.


async def test_who_cannot_be_written_to(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    stranger, met = telegram.person("Lạ"), telegram.person("Chi")
    group = telegram.group("Nhóm", [met])

    async def refused(error: type[TelegramError], said: str, chat: int) -> None:
        with pytest.raises(error, match=f"(?i){said}"):
            await bot.send_message(chat, "x")

    await refused(BadRequest, "chat not found", stranger.id)
    await refused(Forbidden, "bot is not a member of the group chat", group.chat.id)
    group.adds_bot()
    await refused(Forbidden, "bot can't initiate conversation with a user", met.id)
    group.kicks_bot()
    await refused(Forbidden, "bot was kicked from the group chat", group.chat.id)
    an.blocks()
    await refused(Forbidden, "bot was blocked by the user", an.id)
    an.unblocks()
    await bot.send_message(an.id, "x")
    an.deletes_account()
    await refused(Forbidden, "user is deactivated", an.id)

    updates = [update for update in await fetched(bot, telegram) if update.my_chat_member]
    assert [
        (update.my_chat_member.old_chat_member.status, update.my_chat_member.new_chat_member.status)
        for update in updates
    ] == [("left", "member"), ("member", "kicked"), ("member", "kicked"), ("kicked", "member")]


async def test_a_group_that_becomes_a_supergroup(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    group = telegram.group("Nhóm", [an])
    group.adds_bot()
    group.upgrades()
    with pytest.raises(ChatMigrated) as migrated:
        await bot.send_message(group.chat.id, "x")
    await bot.send_message(migrated.value.new_chat_id, "x")
    updates = await fetched(bot, telegram)

    assert group.chat_now.id == migrated.value.new_chat_id < -(10**12)
    assert updates[-2].message.migrate_to_chat_id == group.chat_now.id
    assert updates[-1].message.migrate_from_chat_id == group.chat.id
    assert [message.text for message in group.messages if message.from_bot] == ["x"]


async def test_privacy_in_a_group(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    """Of what is said in a group a bot sees commands, what names it and what replies to it."""
    group = telegram.group("Nhóm", [an])
    group.adds_bot()
    await bot.send_message(group.chat.id, "Chào")
    said = group.messages[-1]
    ids = [
        an.says("chuyện riêng", group),
        an.says("/help@other_bot", group),
        an.says("/help", group),
        an.says("/help@doluong_bot", group),
        an.says("hỏi @doluong_bot nhé", group),
        an.says("ừ", group, reply_to=said),
    ]
    updates = await fetched(bot, telegram)

    assert [number > 0 for number in ids] == [False, False, True, True, True, True]
    assert [update.update_id for update in updates[-4:]] == ids[2:]


# Updates by polling.


async def test_an_offset_acknowledges(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    ids = [an.last_update, *(an.says(f"{n}") for n in range(3))]
    first = await bot.get_updates(limit=2)
    await bot.get_updates(offset=ids[2])
    waiting = (await bot.get_webhook_info()).pending_update_count

    assert [update.update_id for update in first] == ids[:2]
    assert list(telegram.acknowledged) == ids[:2]
    assert waiting == 2
    assert telegram.deliveries[ids[0]] == telegram.deliveries[ids[2]] == 1


async def test_a_negative_offset_forgets_all_but_the_last(
    telegram: FakeTelegram, bot: Bot, an: Person
) -> None:
    ids = [an.last_update, *(an.says(f"{n}") for n in range(3))]
    updates = await bot.get_updates(offset=-1)

    assert [update.update_id for update in updates] == ids[-1:]
    assert telegram.forgotten == ids[:-1]


async def test_an_offset_from_another_life(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    """One that is far ahead counts as none: the updates are neither lost nor acknowledged."""
    updates = await bot.get_updates(offset=an.last_update + 1000)

    assert [update.update_id for update in updates] == [an.last_update]


async def test_a_poll_waits_for_an_update(bot: Bot, an: Person) -> None:
    poll = asyncio.create_task(bot.get_updates(offset=an.last_update + 1, timeout=5))
    await until_waiting(an.telegram)
    said = an.says("đây")

    assert [update.update_id for update in await poll] == [said]


async def test_a_second_poll_ends_the_first(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    first = asyncio.create_task(bot.get_updates(offset=an.last_update + 1, timeout=5))
    await until_waiting(telegram)
    second = asyncio.create_task(bot.get_updates(offset=an.last_update + 1, timeout=5))
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await first
    said = an.says("đây")

    assert [update.update_id for update in await second] == [said]


async def test_a_poll_whose_client_is_gone_takes_nothing(
    telegram: FakeTelegram, bot: Bot, an: Person
) -> None:
    async with new_bot(telegram, 0.05) as other:
        with pytest.raises(TimedOut):
            await other.get_updates(offset=an.last_update + 1, timeout=5, read_timeout=-4.95)
    said = an.says("đây")
    updates = await bot.get_updates(offset=said)

    assert [update.update_id for update in updates] == [said]
    assert telegram.deliveries[said] == 1


async def test_the_same_offset_at_once_gets_one_update(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    an.says("1")
    first, second = await bot.get_updates(), await bot.get_updates()

    assert (len(first), len(second)) == (2, 1)


async def test_only_what_was_asked_for(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    await bot.get_updates(offset=an.last_update + 1, allowed_updates=["callback_query"])
    assert an.says("không ai nghe") == 0
    await bot.get_updates(allowed_updates=[])
    assert an.says("nghe rồi") > 0


# Updates by webhook.


class Hook:
    """A bot's side of a webhook: keeps what it got, and answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[int, str]] = []
        self.secrets: set[str] = set()
        self.statuses: list[int] = []
        self.answer: dict[str, Any] | None = None
        self.at_once = self.most_at_once = 0

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        update = json.loads(await request.read())
        await asyncio.sleep(0)
        self.at_once -= 1
        self.secrets.add(request.headers.get("X-Telegram-Bot-Api-Secret-Token", ""))
        self.got.append((update["update_id"], next(key for key in update if key != "update_id")))
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        return web.json_response(self.answer) if self.answer else web.Response()


@pytest.fixture
async def hook() -> AsyncIterator[tuple[Hook, str]]:
    """A webhook, and its address."""
    hook = Hook()
    runner = web.ServerRunner(web.Server(hook.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield hook, f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await runner.cleanup()


async def test_a_webhook_is_told_until_it_says_yes(
    telegram: FakeTelegram, bot: Bot, an: Person, hook: tuple[Hook, str]
) -> None:
    handler, address = hook
    handler.statuses = [500, 404]
    start = an.last_update
    await bot.set_webhook(address, secret_token="bi-mat_1", max_connections=2)
    said = an.says("đây")
    await telegram.settled()
    info = await bot.get_webhook_info()

    assert [number for number, _ in handler.got] == [start, start, start, said]
    assert handler.secrets == {"bi-mat_1"}
    assert telegram.deliveries == {start: 3, said: 1}
    assert list(telegram.acknowledged) == [start, said]
    assert info.url == address
    assert (info.pending_update_count, info.max_connections) == (0, 2)
    assert info.last_error_message == "Wrong response from the webhook: 404 Not Found"
    with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    said = an.says("nữa")
    assert [update.update_id for update in await bot.get_updates()] == [said]


async def test_a_webhook_gets_no_more_at_once_than_it_asked_for(
    telegram: FakeTelegram, bot: Bot, hook: tuple[Hook, str]
) -> None:
    """Every chat's updates come in order, the chats side by side."""
    handler, address = hook
    people = [telegram.person() for _ in range(10)]
    ids = {person.id: [person.starts(), person.says("1"), person.says("2")] for person in people}
    await bot.set_webhook(address, max_connections=3)
    await telegram.settled()
    got = [number for number, _ in handler.got]

    assert 1 < handler.most_at_once <= 3
    assert all([number for number in got if number in mine] == mine for mine in ids.values())


async def test_a_webhook_may_answer_with_a_method(
    telegram: FakeTelegram, bot: Bot, an: Person, hook: tuple[Hook, str]
) -> None:
    handler, address = hook
    handler.answer = {"method": "sendMessage", "chat_id": an.id, "text": "Chào"}
    await bot.set_webhook(address)
    await telegram.settled()

    assert an.sees() == ["Chào"]


async def test_a_webhook_that_moves(
    telegram: FakeTelegram, bot: Bot, an: Person, hook: tuple[Hook, str]
) -> None:
    """The same one set again changes nothing; another takes over what was not answered; one in a second is enough."""
    handler, address = hook
    await bot.set_webhook("http://127.0.0.1:9/hook")
    with pytest.raises(RetryAfter):
        await bot.set_webhook(address)
    telegram.limits = Limits.lifted()
    telegram.methods.next_webhook = 0
    await bot.set_webhook(address)
    before = telegram.webhook
    await bot.set_webhook(address)
    said = an.says("đây")
    await telegram.settled()

    assert telegram.webhook is before
    assert handler.got[-1] == (said, "message")
    assert len(handler.got) == 2


async def test_a_webhook_that_is_not_there(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    await bot.set_webhook("http://127.0.0.1:9/hook", drop_pending_updates=True)
    an.says("đây")
    with pytest.raises(TimeoutError, match="1 updates wait"):
        await telegram.settled(bound=0.05)

    assert (await bot.get_webhook_info()).last_error_message == "Connection refused"
    assert len(telegram.forgotten) == 1


# Limits.


class Clock:
    """A clock that stands unless it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def clocked() -> AsyncIterator[tuple[FakeTelegram, Bot, Clock]]:
    """A Telegram whose clock stands."""
    clock = Clock()
    async with FakeTelegram(clock=clock) as telegram, new_bot(telegram) as bot:
        yield telegram, bot, clock


async def test_a_chat_takes_five_at_once_and_then_one_a_second(
    clocked: tuple[FakeTelegram, Bot, Clock],
) -> None:
    telegram, bot, clock = clocked
    an = telegram.person()
    an.starts()
    for n in range(5):
        await bot.send_message(an.id, f"{n}")
    clock.now += 1
    message = await bot.send_message(an.id, "5")
    assert telegram.violations == []
    with pytest.raises(RetryAfter, match="Retry in 0:00:01"):
        await message.edit_text("6")
    clock.now += 0.5
    with pytest.raises(RetryAfter):
        await message.edit_text("6")
    clock.now += 0.5
    await message.edit_text("6")

    assert telegram.violations == [
        f"editmessagetext to {an.id}: over the limit of {an.id}",
        f"editmessagetext to {an.id}: 0.50 s too early, {an.id} was told to wait",
    ]
    assert an.sees() == ["0", "1", "2", "3", "4", "6"]


async def test_all_chats_together_take_thirty(clocked: tuple[FakeTelegram, Bot, Clock]) -> None:
    telegram, bot, clock = clocked
    people = [telegram.person() for _ in range(31)]
    for person in people:
        person.starts()
    for person in people[:30]:
        await bot.send_message(person.id, "x")
        await bot.send_chat_action(person.id, "typing")
    with pytest.raises(RetryAfter):
        await bot.send_message(people[30].id, "x")
    clock.now += 1
    await bot.send_message(people[30].id, "x")

    assert telegram.violations == [f"sendmessage to {people[30].id}: over the limit of the bot"]


async def test_a_group_takes_twenty_a_minute(clocked: tuple[FakeTelegram, Bot, Clock]) -> None:
    telegram, bot, clock = clocked
    group = telegram.group("Nhóm", [telegram.person()])
    group.adds_bot()
    for n in range(20):
        await bot.send_message(group.chat.id, f"{n}")
    with pytest.raises(RetryAfter, match="Retry in 0:00:03"):
        await bot.send_message(group.chat.id, "20")
    clock.now += 3
    await bot.send_message(group.chat.id, "20")


async def test_limits_can_be_lifted() -> None:
    async with FakeTelegram(limits=Limits.lifted()) as telegram, new_bot(telegram) as bot:
        an = telegram.person()
        an.starts()
        for n in range(40):
            await bot.send_message(an.id, f"{n}")

        assert (len(an.sees()), telegram.violations) == (40, [])


# Faults.


FAULTS = [
    (Fault(Kind.TOO_MANY, 3), RetryAfter, "Retry in 0:00:03", False),
    (Kind.INTERNAL, NetworkError, "Internal Server Error", False),
    (Fault(Kind.INTERNAL, taken=True), NetworkError, "Internal Server Error", True),
    (Kind.BAD_GATEWAY, NetworkError, "Bad Gateway", False),
    (Kind.GATEWAY_TIMEOUT, NetworkError, "Gateway Timeout", False),
    (Kind.UNAUTHORIZED, InvalidToken, "Unauthorized", False),
    (Kind.CONFLICT, Conflict, "terminated by other getUpdates request", False),
    (Kind.RESET_BEFORE, NetworkError, "httpx.ReadError", False),
    (Kind.RESET_AFTER, NetworkError, "httpx.ReadError", True),
    (Fault(Kind.LATE, 30), TimedOut, "Timed out", True),
    (Fault(Kind.SLOW, 30), TimedOut, "Timed out", False),
    (Kind.TRUNCATED, TelegramError, "Invalid server response", True),
]


@pytest.mark.parametrize(
    ("fault", "error", "said", "taken"),
    FAULTS,
    ids=[f"{fault.kind if isinstance(fault, Fault) else fault} {taken=}" for fault, _, _, taken in FAULTS],
)
async def test_a_fault_as_a_client_sees_it(
    fault: Fault | Kind, error: type[TelegramError], said: str, taken: bool
) -> None:
    async with FakeTelegram(faults=Faults(plan=[(2, fault)])) as telegram, new_bot(telegram, 0.2) as bot:
        an = telegram.person()
        an.starts()
        with pytest.raises(error, match=said):
            await bot.send_message(an.id, "Chào")

        kind = fault.kind if isinstance(fault, Fault) else fault
        assert telegram.faults.counts == {kind: 1}
        assert an.sees() == (["Chào"] if taken else [])
        assert [sent.answered for sent in telegram.sent] == ([False] if taken else [])


async def test_a_slow_answer_within_the_time(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    telegram.faults.next(Fault(Kind.SLOW, 0.01), "sendMessage")
    await bot.send_message(an.id, "Chào")

    assert (an.sees(), telegram.faults.counts) == (["Chào"], {Kind.SLOW: 1})


async def test_told_to_wait_by_a_fault_is_told_to_wait(clocked: tuple[FakeTelegram, Bot, Clock]) -> None:
    telegram, bot, clock = clocked
    an, chi = telegram.person(), telegram.person()
    an.starts()
    chi.starts()
    telegram.faults.next(Fault(Kind.TOO_MANY, 3), "sendMessage")
    with pytest.raises(RetryAfter):
        await bot.send_message(an.id, "x")
    await bot.send_message(chi.id, "x")
    clock.now += 2
    with pytest.raises(RetryAfter):
        await bot.send_message(an.id, "x")

    assert telegram.violations == [f"sendmessage to {an.id}: 1.00 s too early, {an.id} was told to wait"]


async def test_a_token_that_is_revoked(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    poll = asyncio.create_task(bot.get_updates(offset=an.last_update + 1, timeout=5))
    await until_waiting(telegram)
    telegram.revoke()
    with pytest.raises(InvalidToken):
        await poll
    with pytest.raises(InvalidToken):
        await bot.send_message(an.id, "x")
    telegram.restore()
    await bot.send_message(an.id, "x")


async def test_an_update_that_comes_twice_by_polling(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    telegram.faults.next(Kind.DUPLICATE)
    said = an.says("đây")
    first = await bot.get_updates(offset=said)
    again = await bot.get_updates(offset=said + 1)
    last = await bot.get_updates(offset=said + 1)

    assert [[update.update_id for update in updates] for updates in (first, again, last)] == [
        [said],
        [said],
        [],
    ]
    assert telegram.deliveries[said] == 2


@pytest.mark.parametrize("kind", [Kind.DUPLICATE, Kind.REPEAT])
async def test_an_update_that_is_brought_twice(
    telegram: FakeTelegram, bot: Bot, an: Person, hook: tuple[Hook, str], kind: Kind
) -> None:
    handler, address = hook
    await bot.set_webhook(address)
    await telegram.settled()
    telegram.faults.next(kind)
    said = an.says("đây")
    await telegram.settled()

    assert [number for number, _ in handler.got[1:]] == [said, said]


async def test_neighbours_that_are_swapped(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    """The ids tell the other order; both are delivered, whether or not the first was fetched before the second."""
    chi = telegram.person("Chi")
    telegram.faults.next(Kind.SWAP)
    first, second = an.says("1"), chi.says("2")
    telegram.faults.next(Kind.SWAP)
    third, fourth = an.says("3"), an.says("4")
    telegram.faults.next(Kind.SWAP_WITHIN)
    fifth, sixth = an.says("5"), an.says("6")
    telegram.faults.next(Kind.SWAP)
    seventh = an.says("7")
    updates = await fetched(bot, telegram)
    eighth = chi.says("8")
    updates += await fetched(bot, telegram)

    assert second < first < third < fourth < sixth < fifth < seventh < eighth
    texts = [update.effective_message.text for update in updates[1:]]
    assert texts == ["2", "1", "3", "4", "6", "5", "7", "8"]
    assert telegram.faults.counts == {Kind.SWAP: 1, Kind.SWAP_WITHIN: 1}


async def test_chance_is_the_same_each_time() -> None:
    """The same seed strikes the same requests."""

    async def struck() -> list[bool]:
        faults = Faults(seed=7, rates={Kind.RESET_AFTER: 0.3})
        async with FakeTelegram(faults=faults, limits=Limits.lifted()) as telegram:
            faults.quiet()
            async with new_bot(telegram) as bot:
                faults.wake()
                an = telegram.person()
                an.starts()
                return [await failed(bot.send_message(an.id, f"{n}")) for n in range(30)]

    first = await struck()
    assert first == await struck()
    assert 0 < sum(first) < 30


async def failed(call: Awaitable[Any]) -> bool:
    try:
        await call
    except NetworkError:
        return True
    return False


# Waiting.


async def test_somebody_waits_for_an_answer(telegram: FakeTelegram, bot: Bot, an: Person) -> None:
    """A new message or an edit is an answer; an old one is none."""
    await bot.send_message(an.id, "cũ")
    asked = an.says("hỏi")
    waiting = asyncio.create_task(an.answered(after=asked))
    reading = asyncio.create_task(an.reads("mới"))
    await asyncio.sleep(0)
    assert not waiting.done()
    await bot.edit_message_text("mới", an.id, an.chat[1].message_id)

    assert (await waiting).text == (await reading).text == "mới"
    an.says("nữa")
    with pytest.raises(TimeoutError, match="An waits for an answer"):
        await an.answered(bound=0.01)


# By hand.


async def test_the_page() -> None:
    """Everything the page asks for: what is seen, acts, files; what cannot be done is said."""
    async with FakeTelegram() as telegram, new_bot(telegram) as bot:
        Page(telegram)
        async with aiohttp.ClientSession(telegram.address) as page:

            async def act(what: str, **more: Any) -> Any:
                async with page.post("/hand/act", json={"what": what, **more}) as answer:
                    return await answer.json()

            async with page.get("/") as answer:
                assert "<title>Fake Telegram</title>" in await answer.text()
            await act("starts", text="abc")
            [an, *_] = telegram.world.people.values()
            await bot.send_message(an.id, "Chào", reply_markup=keyboard("Có"))
            await act("taps", text="Có", message=2)
            await act("edits", text="/start", message=1)
            await act("contact")
            await act("fault", text="429")
            async with page.post("/hand/send?name=a.txt", data=b"abc") as answer:
                assert answer.status == 200
            said = await act("taps", text="Không")
            async with page.get("/hand/state") as answer:
                state = await answer.json()
            async with page.get("/hand/file", params={"id": state["messages"][-1]["file"]["id"]}) as answer:
                assert await answer.read() == b"abc"

            assert said["no"].startswith("nothing to tap says «Không»")
            assert [message["text"] for message in state["messages"]] == ["/start", "Chào", "[contact]", ""]
            assert [update.update_id > 0 for update in await bot.get_updates()] == [True] * 5
            with pytest.raises(RetryAfter):
                await bot.send_message(an.id, "x")


def test_the_command_says_what_to_set(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fakes.telegram", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        page, _, *lines = (process.stdout.readline() for _ in range(7))
        process.terminate()

    (tmp_path / ".env").write_text("".join(lines))
    settings = read_settings(tmp_path / ".env")
    assert settings.telegram_token is not None
    assert settings.telegram_token.get_secret_value() == TOKEN
    assert f" {settings.telegram_base_url}/ " in page
    assert (settings.telegram_mode, settings.instance) == ("polling", "trial")
    assert all(line.startswith("DOLUONG_") for line in lines)


async def until_waiting(telegram: FakeTelegram) -> None:
    """Until a poll waits."""
    await telegram.inbox.changed.until(lambda: telegram.inbox.polled, 5, "a poll")


def test_the_times_of_the_real_one_can_be_set() -> None:
    timing = Timing(conflict=3, webhook_wait=2, webhook_longest=120, repeated_poll=3)

    assert timing.webhook_answer == 60
