"""The whole service on Telegram: the same turns as everywhere, by polling and by webhook."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import aiohttp
import openpyxl
import orjson
import pytest

from bot.channels.telegram.channel import SECRET_HEADER
from bot.channels.telegram.polling import Polling
from bot.conversation import Conversation, Inbound
from handlers.dialogue import Said
from handlers.hearing import Hearing
from handlers.messages import Message
from handlers.router import Router
from storage import posts
from storage.errors import StoreUnavailable
from storage.outbox import load
from tests.fakes.telegram import FakeTelegram, Fault, Faults, Kind, Limits
from tests.fakes.telegram.people import member_update
from tests.persona import wood_firm
from tests.telegram import OVER, Respondent, Stage, heard, on_telegram
from tests.world import Clock, Postgres, Sqlite, new_app

FAST = {"telegram_per_chat": 1000.0, "telegram_per_second": 1000.0}
LIFTED = Limits.lifted()
SURVEY = "Trả lời khảo sát nhu cầu đo lường"


@pytest.fixture(params=["polling", "webhook"])
async def stage(request: pytest.FixtureRequest, sqlite: Sqlite) -> AsyncIterator[Stage]:
    """The service, met by polling and by webhook, with the limits as they are."""
    async with on_telegram(sqlite.new(), request.param) as stage:
        yield stage
        assert stage.telegram.violations == []
        assert stage.telegram.suspicions == []


@pytest.fixture
async def polled(sqlite: Sqlite) -> AsyncIterator[Stage]:
    """The service, met by polling."""
    async with on_telegram(sqlite.new(), limits=LIFTED, **FAST) as stage:
        yield stage
        assert stage.telegram.suspicions == []


@pytest.fixture
async def hooked(sqlite: Sqlite) -> AsyncIterator[Stage]:
    """The service, met by webhook."""
    async with on_telegram(sqlite.new(), "webhook", limits=LIFTED, **FAST) as stage:
        yield stage


def somebody(stage: Stage, name: str = "An") -> Respondent:
    return Respondent(stage.telegram.person(name), wood_firm())


async def at_the_menu(stage: Stage, name: str = "An") -> Respondent:
    an = somebody(stage, name)
    await an.person.answered(an.person.starts())
    return an


async def at_the_first_question(stage: Stage, name: str = "An") -> Respondent:
    an = await at_the_menu(stage, name)
    await an.taps(SURVEY)
    await an.taps("Đồng ý")
    return an


# What a person does


async def test_a_question_is_answered_with_buttons(stage: Stage) -> None:
    an = await at_the_menu(stage)

    answer = await an.says("kinh phi lay tu dau")

    assert "ngân sách nhà nước" in answer.text
    assert an.person.choices() == ["Xem mục IV"]
    await an.taps("Xem mục IV")
    await _until(lambda: not stage.telegram.unanswered)


@pytest.mark.parametrize("mode", ["polling", "webhook"])
@pytest.mark.parametrize("twice", [False, True], ids=["once", "each update twice"])
async def test_the_survey_is_what_it_is_on_the_web(sqlite: Sqlite, mode: str, twice: bool) -> None:
    kind = Kind.DUPLICATE if mode == "polling" else Kind.REPEAT
    faults = Faults(rates={kind: 1.0}) if twice else Faults()
    async with on_telegram(sqlite.new(), mode, faults=faults, limits=LIFTED, **FAST) as stage:
        came = noted(stage)
        an = await at_the_menu(stage)
        await an.taps(SURVEY)
        await an.answers()
        await an.taps("Gửi phiếu")
        await stage.telegram.settled()
        await _until(lambda: stage.stored("SELECT count(*) FROM outbox WHERE status != 'sent'") == [(0,)])

        web = await replayed(sqlite.new(), came, stage.address)

        for name, statement in STORED.items():
            assert stage.stored(statement) == web[name], name
        messages = [load(text) for (text,) in stage.stored("SELECT message FROM outbox ORDER BY id")]
        same_words(messages, web["messages"])
        assert_shown(stage.telegram, messages)
        assert sum(stage.telegram.deliveries.values()) >= (2 if twice else 1) * len(came)


STORED = {
    "turns": "SELECT kind, text FROM turns ORDER BY id",
    "answers": "SELECT answers, known, status, last_question, tax_code FROM responses",
    "history": "SELECT place, fill FROM answer_log ORDER BY id",
    "own": "SELECT name, value FROM personal_values ORDER BY name",
    "consents": "SELECT purpose, answer, text FROM consents ORDER BY id",
    "standing": "SELECT language, greeted, stopped FROM people",
}


def noted(stage: Stage) -> list[Inbound]:
    """Everything that comes in from now on, once."""
    came: dict[str, Inbound] = {}
    take = stage.app.conversation.take

    async def noting(inbound: Inbound) -> Any:
        came.setdefault(inbound.key, inbound)
        return await take(inbound)

    stage.app.conversation.take = noting  # type: ignore[method-assign]
    return _Values(came)


class _Values(list[Inbound]):
    """The values of a growing dictionary, as a list when it is asked."""

    def __init__(self, came: dict[str, Inbound]) -> None:
        super().__init__()
        self._came = came

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._came.values())

    def __len__(self) -> int:
        return len(self._came)


async def replayed(url: str, came: list[Inbound], public_url: str) -> dict[str, Any]:
    """What a visitor of the web who does the same leaves behind."""
    app = new_app(url, public_url=public_url)
    app.conversation.start()
    try:
        for inbound in came:
            await app.conversation.take(replace(inbound, channel="web", tapped_on=None))
        with app.database.reader.connect() as connection:
            found: dict[str, Any] = {
                name: [tuple(row) for row in connection.exec_driver_sql(text)]
                for name, text in STORED.items()
            }
            rows = connection.exec_driver_sql("SELECT message FROM outbox ORDER BY id")
            return {**found, "messages": [load(text) for (text,) in rows]}
    finally:
        await app.conversation.stop()
        app.database.close()


def same_words(messages: list[Message], others: list[Message]) -> None:
    """The same messages, but for the code that was drawn for each response."""
    assert [uncoded(repr(one)) for one in messages] == [uncoded(repr(one)) for one in others]


def uncoded(text: str) -> str:
    return re.sub(r"\b[0-9A-Z]{4}(-?)[0-9A-Z]{4}\1[0-9A-Z]{4}\b", "CODE", text.replace("-2026-", "-"))


def assert_shown(telegram: FakeTelegram, messages: list[Message]) -> None:
    """Every message was sent, in order, in its own words; an edit counts as the message it replaces."""
    methods = ("sendmessage", "editmessagetext")
    sent = [one for one in telegram.sent if one.method in methods and one.text != OVER]
    assert len(sent) == len(messages)
    for one, message in zip(sent, messages, strict=True):
        assert message.text in one.text


async def test_a_question_takes_the_place_of_the_one_that_was_tapped(polled: Stage) -> None:
    an = await at_the_first_question(polled)
    await an.says("Công ty TNHH Gỗ Hoài Nhơn")
    asked = an.person.chat[-1]

    await an.taps("Công ty TNHH")

    assert an.person.chat[-1] is asked
    assert asked.history
    assert "Mã số thuế" in asked.text


async def test_an_answer_never_appears_above_what_was_written_since(polled: Stage) -> None:
    an = await at_the_first_question(polled)
    await an.says("Công ty TNHH Gỗ Hoài Nhơn")
    asked = an.person.chat[-1]
    await an.says("sao lại hỏi")

    update = an.person.taps("1", message=asked)
    answer = await an.person.answered(update)

    assert answer is not asked
    assert "Mã số thuế" in answer.text


async def test_an_old_button_is_answered_kindly(polled: Stage) -> None:
    an = await at_the_first_question(polled)
    await an.says("Công ty TNHH Gỗ Hoài Nhơn")
    old = an.person.chat[-1]
    await an.says("công ty tnhh")
    await an.says("0100109106")

    answer = await an.person.answered(an.person.taps("2", message=old))

    assert "Lựa chọn đó thuộc câu đã qua" in answer.text


async def test_rapid_taps_are_kept_in_the_words_of_the_screen_they_were_made_on(polled: Stage) -> None:
    an = await at_the_first_question(polled)
    await an.says("Công ty TNHH Gỗ Hoài Nhơn")
    asked = an.person.chat[-1]
    await an.taps("Công ty TNHH")

    told = await an.person.answered(an.person.taps("2", message=asked))

    assert "thuộc câu đã qua" in told.text
    assert polled.stored("SELECT kind, text FROM turns ORDER BY id DESC LIMIT 2") == [
        ("tap", "Công ty cổ phần"),
        ("tap", "Công ty TNHH"),
    ]


async def test_what_is_ticked_and_not_any_more_is_kept_under_its_name(polled: Stage) -> None:
    an = await at_the_first_question(polled)
    await an.answers("phương tiện đo nào khác không")
    name = an.person.choices()[0]
    await an.taps(name)
    await an.taps(f"✓ {name}")

    [(first,), (second,)] = polled.stored("SELECT text FROM turns ORDER BY id DESC LIMIT 2")
    assert first == second == name


async def test_a_telephone_number_may_be_shared(polled: Stage) -> None:
    an = await at_the_first_question(polled)
    await an.answers("Cán bộ liên hệ Anh/Chị qua")
    assert an.person.private.replies is not None

    review = await heard(an.person, an.person.sends_contact("84905123456"))

    assert "Liên hệ: 0905 123 456" in review.text


@pytest.mark.parametrize("own", [True, False], ids=["shown by a contact", "typed"])
async def test_somebody_elses_number_is_not_taken_for_ones_own(polled: Stage, own: bool) -> None:
    an = await at_the_first_question(polled)
    await an.answers("Cán bộ liên hệ Anh/Chị qua")

    told = await an.person.answered(an.person.sends_contact("84905999999", own=False))

    assert "danh thiếp của người khác" in told.text
    assert "Cán bộ liên hệ Anh/Chị qua" in told.text
    review = (
        await heard(an.person, an.person.sends_contact("84905123456"))
        if own
        else await an.says("0905 123 456")
    )
    assert "Liên hệ: 0905 123 456" in review.text


async def test_a_voice_message_is_answered_by_a_sentence_of_its_own(polled: Stage) -> None:
    an = await at_the_menu(polled)
    told = await an.person.answered(an.person.sends_voice())
    assert told.text.startswith("Trợ lý chưa nghe được tin thoại")

    await an.taps(SURVEY)
    await an.taps("Đồng ý")
    asked = await an.person.answered(an.person.sends_voice())

    assert "chưa nghe được tin thoại" in asked.text
    assert polled.stored("SELECT kind, text FROM turns ORDER BY id DESC LIMIT 1") == [("file", "voice")]


@pytest.mark.parametrize(
    "leaves",
    ["0905 123 456", "[shared]", "Quay lại", "Để sau", "menu", "/start", "/start p_7K2M9QXR4T8W"],
)
async def test_the_keyboard_for_ones_number_goes_with_its_question(polled: Stage, leaves: str) -> None:
    an = await at_the_first_question(polled)
    await an.answers("Cán bộ liên hệ Anh/Chị qua")
    await an.says("sao lại hỏi")
    assert an.person.private.replies is not None
    said = len(an.person.chat)

    update = an.person.sends_contact("84905123456") if leaves == "[shared]" else an.person.says(leaves)
    await heard(an.person, update)
    await _until(lambda: polled.stored("SELECT count(*) FROM outbox WHERE status != 'sent'") == [(0,)])

    assert an.person.private.replies is None
    assert [one.text for one in an.person.chat[said:]].count(OVER) == (leaves != "/start p_7K2M9QXR4T8W")
    await an.says("menu")
    assert an.person.sees().count(OVER) <= 1


async def test_the_first_greeting_says_that_this_is_a_trial(polled: Stage) -> None:
    an, binh = somebody(polled), somebody(polled, "Bình")

    greeted = await an.person.answered(an.person.starts())
    again = await an.says("xin chào")
    binh.person.says("kinh phi lay tu dau")
    await binh.person.reads("ngân sách nhà nước")

    assert greeted.text.endswith("\nBản dùng thử")
    assert "Bản dùng thử" not in again.text
    assert [text.endswith("\nBản dùng thử") for text in binh.person.sees()] == [True, False]


async def test_no_trial_is_spoken_of_where_there_is_none(sqlite: Sqlite) -> None:
    async with on_telegram(sqlite.new(), demo=False, limits=LIFTED, **FAST) as stage:
        an = somebody(stage)

        assert "Bản dùng thử" not in (await an.person.answered(an.person.starts())).text


async def test_the_completed_form_comes_as_a_file(polled: Stage) -> None:
    an = await at_the_first_question(polled)
    await an.answers()
    await an.taps("Gửi phiếu")
    await an.person.reads("mã phiếu")

    await polled.telegram.settled()
    await an.person.private.changed.until(lambda: len(an.person.files) >= 2, 10, "two files")

    names = [file.name for file in an.person.files]
    assert sorted(name.rpartition(".")[2] for name in names) == ["docx", "xlsx"]
    sheet = next(file for file in an.person.files if file.name.endswith("xlsx"))
    assert openpyxl.load_workbook(io.BytesIO(sheet.data)).sheetnames


async def test_a_link_leads_where_it_should(polled: Stage) -> None:
    an = await at_the_first_question(polled)
    await an.says("nhờ đồng nghiệp")
    told = await an.person.reads("?start=")
    assert "https://t.me/doluong_bot?start=h_" in told.text
    assert "127.0.0.1" not in told.text
    payload = re.search(r"\?start=([\w-]+)", told.text)
    assert payload

    binh = polled.telegram.person("Bình")
    answer = await binh.answered(binh.starts(payload[1]))

    assert "Anh/Chị" in answer.text
    assert polled.stored("SELECT role FROM participants ORDER BY joined_at") == [("owner",), ("link",)]


async def test_a_command_of_the_list_is_understood(polled: Stage) -> None:
    an = await at_the_menu(polled)

    answer = await an.says("/khaosat")

    assert "Trước khi bắt đầu" in answer.text
    assert {one["command"] for one in polled.telegram.commands["|"]} >= {"menu", "khaosat", "trogiup"}


async def test_a_long_thought_is_seen(polled: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.telegram.intake.TYPING_AFTER", 0)
    an = await at_the_menu(polled)

    await _until(lambda: (an.person.id, "typing") in polled.telegram.actions)


async def test_an_edited_message_is_answered(polled: Stage) -> None:
    an = await at_the_menu(polled)
    await an.says("kinh phi lay tu dau")
    mine = next(one for one in reversed(an.person.chat) if not one.from_bot)

    answer = await an.person.answered(an.person.edits(mine, "ai chủ trì nhiệm vụ 2.2"))

    assert "không đọc lại tin đã sửa" in answer.text


# Groups, and people who do not want to be spoken to


async def test_a_group_is_told_to_write_privately(stage: Stage) -> None:
    an, binh = stage.telegram.person("An"), stage.telegram.person("Bình")
    group = stage.telegram.group("Doanh nghiệp gỗ", [an, binh])
    group.adds_bot()
    await group.reads("nhắn riêng")
    clock_of(stage).pass_(minutes=1)

    an.says("chào cả nhà", group)
    update = binh.says("@doluong_bot kinh phí lấy từ đâu", group)
    await stage.telegram.settled()
    await group.chat_now.changed.until(lambda: len(_by_bot(group.messages)) >= 2, 10, "an answer")

    assert update in stage.telegram.deliveries
    answers = _by_bot(group.messages)
    assert all("giữ riêng thông tin" in one.text for one in answers[-1:])
    assert [button.url for row in answers[-1].keyboard for button in row] == [
        "https://t.me/doluong_bot?start=group"
    ]


def clock_of(stage: Stage) -> Clock:
    clock = stage.app.now
    assert isinstance(clock, Clock)
    return clock


async def test_a_group_is_told_once_a_minute(polled: Stage) -> None:
    an = polled.telegram.person("An")
    group = polled.telegram.group("Tổ gỗ", [an])
    group.adds_bot()
    await group.reads("nhắn riêng")
    for _ in range(3):
        an.says("@doluong_bot có đây không", group)
    await polled.telegram.settled()
    await _until(lambda: polled.stored("SELECT count(*) FROM turns") == [(4,)])
    await _until(lambda: polled.stored("SELECT count(*) FROM outbox WHERE status != 'sent'") == [(0,)])

    told = [one for one in _by_bot(group.messages) if "nhắn riêng" in one.text]

    assert len(told) == 1


def _by_bot(messages: Any) -> list[Any]:
    return [one for one in messages if one.from_bot]


async def test_a_group_that_becomes_a_supergroup_is_the_same_group(polled: Stage) -> None:
    an = polled.telegram.person("An")
    group = polled.telegram.group("Tổ gỗ", [an])
    group.adds_bot()
    await group.reads("nhắn riêng")

    group.upgrades()
    await polled.telegram.settled()
    clock_of(polled).pass_(minutes=1)
    an.says("@doluong_bot có đây không", group)
    await group.reads("giữ riêng")

    assert [row[0] for row in polled.stored("SELECT address FROM addresses")] == [str(group.chat_now.id)]


async def test_whoever_blocks_the_bot_is_left_alone_until_they_come_back(stage: Stage) -> None:
    an = await at_the_menu(stage)
    an.person.blocks()
    await stage.telegram.settled()

    [(blocked,)] = stage.stored("SELECT blocked_at FROM addresses")
    assert blocked is not None
    an.person.unblocks()
    await an.says("menu")
    assert stage.stored("SELECT blocked_at FROM addresses") == [(None,)]


async def test_whoever_writes_or_taps_lets_us_through_again_though_nobody_said_so(stage: Stage) -> None:
    an = await at_the_menu(stage)
    blocks = partial(
        posts.block, channel="telegram", address=str(an.person.id), reason="", now=stage.app.now()
    )
    for said, tapped in (("kinh phi lay tu dau", ""), ("", "Xem mục IV")):
        await stage.app.conversation.run(blocks)
        assert stage.stored("SELECT blocked_at IS NULL FROM addresses") == [(False,)]

        await (an.says(said) if said else an.taps(tapped))

        assert stage.stored("SELECT blocked_at IS NULL FROM addresses") == [(True,)]


async def test_a_block_that_is_told_after_what_was_said_since_blocks_nothing(hooked: Stage) -> None:
    an = await at_the_menu(hooked)
    await hooked.telegram.settled()
    assert hooked.telegram.webhook
    secret = {SECRET_HEADER: hooked.telegram.webhook.secret}
    blocks = member_update(hooked.telegram.world, an.person.private, an.person, "member", "kicked")

    for step, is_blocked in ((-1, False), (1, True)):
        late = orjson.dumps({"update_id": an.person.last_update + step, "my_chat_member": blocks})
        assert await posted(hooked, secret, late) == 200
        assert hooked.stored("SELECT blocked_at IS NOT NULL FROM addresses") == [(is_blocked,)]


async def test_an_answer_to_somebody_who_blocked_meanwhile_is_skipped(polled: Stage) -> None:
    an = await at_the_menu(polled)
    polled.telegram.faults.next(Kind.SLOW, "SendMessage")
    an.person.says("menu")
    an.person.blocks()
    await polled.telegram.settled()

    await _until(lambda: polled.stored("SELECT status FROM outbox ORDER BY id")[-1][0] in ("skipped", "sent"))

    assert polled.stored("SELECT count(*) FROM outbox WHERE status NOT IN ('sent', 'skipped')") == [(0,)]


async def _until(holds: Callable[[], object], bound: float = 10.0) -> None:
    """Until it holds; asked again after each turn of the loop that took a while."""
    async with asyncio.timeout(bound):
        while not holds():  # noqa: ASYNC110  what a database holds rings no bell
            await asyncio.sleep(0.02)


# Bad input


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        pytest.param({}, b"{}", 403, id="no secret"),
        pytest.param({SECRET_HEADER: "guess"}, b"{}", 403, id="a wrong secret"),
        pytest.param({SECRET_HEADER: "bí mật"}, b"{}", 403, id="a secret beyond ASCII"),
        pytest.param(
            {SECRET_HEADER: "guess"}, b"x" * 10_000_000, 403, id="a wrong secret before ten megabytes"
        ),
        pytest.param({SECRET_HEADER: ""}, b"not json", 403, id="an empty secret"),
    ],
)
async def test_whoever_is_not_telegram_is_refused_before_anything_is_read(
    hooked: Stage, headers: dict[str, str], body: bytes, status: int
) -> None:
    assert await posted(hooked, headers, body) == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b'{"update_id": 1, "x": "' + b"y" * 10_000_000 + b'"}', 413, id="ten megabytes"),
        pytest.param(b"not json", 400, id="not JSON"),
        pytest.param(b"[1, 2]", 400, id="not an object"),
        pytest.param(b"{}", 400, id="no update id"),
        pytest.param(b'{"update_id": 7, "telepathy": {"chat": {"id": 1}}}', 200, id="an unknown kind"),
        pytest.param(b'{"update_id": 8, "message": {"chat": 5}}', 200, id="a message that is none"),
    ],
)
async def test_rubbish_with_the_right_secret_stops_nobody(hooked: Stage, body: bytes, status: int) -> None:
    await _until(lambda: hooked.telegram.webhook)
    assert hooked.telegram.webhook

    assert await posted(hooked, {SECRET_HEADER: hooked.telegram.webhook.secret}, body) == status

    await at_the_menu(hooked)


async def posted(stage: Stage, headers: dict[str, str], body: bytes) -> int:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.post(
                f"{stage.address}/telegram", data=io.BytesIO(body), headers=headers
            ) as response:
                return response.status
        except aiohttp.ClientOSError:  # the answer came while ten megabytes were still on their way
            return 403


async def test_an_update_that_cannot_be_read_is_kept_and_apologised_for(polled: Stage) -> None:
    an = await at_the_menu(polled)

    update = polled.telegram.update(
        "message", {"chat": {"id": an.person.id}, "date": "yesterday"}, an.person.id
    )
    answer = await an.person.answered(update)

    assert "gặp lỗi" in answer.text
    [(raw,)] = polled.stored("SELECT raw FROM failed_turns")
    assert "yesterday" in raw


async def test_an_update_that_names_no_chat_is_kept_and_answers_nobody(polled: Stage) -> None:
    an = await at_the_menu(polled)
    said = polled.stored("SELECT count(*) FROM outbox")

    polled.telegram.update("message", {"date": "yesterday"}, an.person.id)
    await an.says("menu")

    [(raw,)] = polled.stored("SELECT raw FROM failed_turns")
    assert "yesterday" in raw
    assert polled.stored("SELECT count(*) - 1 FROM outbox") == said


@pytest.mark.parametrize("number", [2**53 + 1, 2**62], ids=["beyond 2^53", "far beyond"])
async def test_large_ids_stay_what_they_are(polled: Stage, number: int) -> None:
    an = polled.telegram.person("An", id=number)

    await an.answered(an.starts())

    assert polled.stored("SELECT address FROM addresses") == [(str(number),)]


async def test_a_picture_with_words_is_answered_by_its_words(polled: Stage) -> None:
    an = await at_the_menu(polled)

    answer = await an.person.answered(
        an.person.sends_photo(b"\xff\xd8\xff\xe0", caption="kinh phi lay tu dau")
    )

    assert "ngân sách nhà nước" in answer.text


async def test_what_comes_with_words_is_not_lost_without_a_word(polled: Stage) -> None:
    an = await at_the_menu(polled)

    answer = await an.person.answered(
        an.person.sends("bang-gia.pdf", b"%PDF-1.4", "application/pdf", caption="kinh phi lay tu dau")
    )

    assert "chưa xem được phần gửi kèm" in answer.text
    assert "ngân sách nhà nước" in answer.text
    assert polled.stored("SELECT kind, text FROM turns ORDER BY id DESC LIMIT 1") == [
        ("file", "bang-gia.pdf: kinh phi lay tu dau")
    ]


async def test_words_beside_a_file_answer_a_question(polled: Stage) -> None:
    an = await at_the_first_question(polled)

    answer = await an.person.answered(
        an.person.sends_photo(b"\xff\xd8\xff\xe0", caption="Công ty TNHH Gỗ Hoài Nhơn")
    )

    assert "chưa xem được phần gửi kèm" in answer.text
    assert "1. Công ty TNHH" in answer.text


async def test_a_picture_without_words_is_answered_by_a_sentence(polled: Stage) -> None:
    an = await at_the_menu(polled)

    answer = await an.person.answered(an.person.sends_photo(b"\xff\xd8\xff\xe0"))

    assert "chưa đọc được ảnh" in answer.text


async def test_a_forwarded_message_is_read_like_any_other(polled: Stage) -> None:
    an = await at_the_menu(polled)

    answer = await an.person.answered(an.person.forwards("kinh phi lay tu dau"))

    assert "ngân sách nhà nước" in answer.text


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("bang-gia.pdf", b"PK\x03\x04 not a pdf", "không đúng với đuôi tên"),
        ("ghi-chu.txt", "Công ty".encode(), "chưa đọc được ảnh hay tệp"),
        ("lon.zip", b"PK\x03\x04" + b"\0" * (20 * 2**20), "lớn quá"),
    ],
    ids=["not what its name says", "a plain text", "too large"],
)
async def test_a_file_is_told_by_what_it_holds(polled: Stage, name: str, data: bytes, words: str) -> None:
    an = await at_the_menu(polled)

    answer = await an.person.answered(an.person.sends(name, data, "application/octet-stream"), bound=20)

    assert words in answer.text


async def test_a_button_in_a_group_tells_only_its_presser(polled: Stage) -> None:
    an, binh = polled.telegram.person("An"), polled.telegram.person("Bình")
    group = polled.telegram.group("Tổ gỗ", [an, binh])
    group.adds_bot()
    message = await group.reads("nhắn riêng")
    query = {
        "id": "1",
        "from": binh.json,
        "chat_instance": "1",
        "message": message.json,
        "data": "home:menu",
    }

    before = len(_by_bot(group.messages))
    polled.telegram.update("callback_query", query, group.chat_now.id)
    await polled.telegram.settled()

    assert len(_by_bot(group.messages)) == before
    assert polled.stored("SELECT count(*) FROM turns") == [(1,)]


async def test_a_revoked_token_is_waited_for(sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bot.retry.CLOSED_WAIT", "bot.channels.telegram.polling.LONGEST"):
        monkeypatch.setattr(name, 0.2)
    async with on_telegram(sqlite.new(), limits=LIFTED, **FAST) as stage:
        an = await at_the_menu(stage)
        stage.telegram.revoke()
        an.person.says("kinh phi lay tu dau")
        async with asyncio.timeout(10):
            while (await ready(stage))["telegram"] != "the token is not accepted":
                pass

        stage.telegram.restore()
        await an.person.reads("ngân sách nhà nước")


async def test_an_update_that_raises_stops_nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    an, binh = await at_the_menu(stage, "An"), await at_the_menu(stage, "Bình")
    step = Router.step

    def explodes(self: Router, route: Any, view: Any) -> Any:
        if isinstance(route.cue, Said) and route.cue.text == "nổ":
            raise RuntimeError("poison")
        return step(self, route, view)

    monkeypatch.setattr(Router, "step", explodes)
    an.person.says("nổ")
    answer = await binh.says("kinh phi lay tu dau")
    await an.person.reads("gặp lỗi")

    assert "ngân sách nhà nước" in answer.text
    await an.says("menu")
    assert [error for (error,) in stage.stored("SELECT error FROM failed_turns")] == ["RuntimeError: poison"]


async def test_a_fault_before_the_turn_is_kept_and_stops_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    an, binh = await at_the_menu(stage, "An"), await at_the_menu(stage, "Bình")
    hear = Hearing.__call__

    def explodes(self: Hearing, text: str) -> Said:
        if text == "nổ":
            raise ZeroDivisionError
        return hear(self, text)

    monkeypatch.setattr(Hearing, "__call__", explodes)
    an.person.says("nổ")
    await an.person.reads("gặp lỗi")
    answer = await binh.says("kinh phi lay tu dau")

    assert "ngân sách nhà nước" in answer.text
    [(error,)] = stage.stored("SELECT error FROM failed_turns")
    assert "ZeroDivisionError" in error


async def test_a_fault_of_the_poller_itself_ends_nothing(
    polled: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    an = await at_the_menu(polled)
    rounds = Polling._round
    left = [True, True]

    async def explodes(self: Polling) -> None:
        if left:
            left.pop()
            raise ZeroDivisionError
        await rounds(self)

    monkeypatch.setattr("bot.channels.telegram.polling.AGAIN", 0.1)
    monkeypatch.setattr(Polling, "_round", explodes)
    an.person.says("kinh phi lay tu dau")

    await an.person.reads("ngân sách nhà nước", bound=20)


async def test_a_webhook_that_somebody_set_is_removed(polled: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.telegram.polling.AGAIN", 0.1)
    an = await at_the_menu(polled)
    polled.telegram.bring("http://127.0.0.1:9/nowhere", "secret", 1)
    an.person.says("kinh phi lay tu dau")

    await an.person.reads("ngân sách nhà nước", bound=30)


async def test_a_slow_file_holds_nobody_up(polled: Stage) -> None:
    an, binh = await at_the_menu(polled, "An"), await at_the_menu(polled, "Bình")
    polled.telegram.faults.next(Fault(Kind.SLOW, 8), "GetFile")
    an.person.sends("bang-gia.pdf", b"%PDF-1.4", "application/pdf")
    binh.person.says("kinh phi lay tu dau")

    await binh.person.reads("ngân sách nhà nước", bound=6)
    await an.person.reads("chưa đọc được ảnh hay tệp", bound=6)


async def test_many_slow_files_cost_no_more_than_one(polled: Stage) -> None:
    an = await at_the_menu(polled)
    polled.telegram.faults.add(lambda call: call.method == "getfile", Fault(Kind.SLOW, 5))
    for number in range(6):
        an.person.sends(f"bang-gia-{number}.pdf", b"%PDF-1.4", "application/pdf")
    an.person.says("kinh phi lay tu dau")

    await an.person.reads("ngân sách nhà nước", bound=8)


async def test_what_was_said_behind_something_not_kept_waits_for_it(
    polled: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    an = await at_the_menu(polled)
    take, away = Conversation.take, [True]

    async def fails(self: Conversation, inbound: Inbound) -> Any:
        if inbound.text == "2.1" and away:
            await asyncio.sleep(0)  # the next one of the same batch is taken meanwhile
            away.pop()
            raise StoreUnavailable("away for a moment")
        return await take(self, inbound)

    monkeypatch.setattr(Conversation, "take", fails)
    an.person.says("2.1")
    an.person.says("2.4")
    await an.person.reads("2.4", bound=20)

    assert polled.stored("SELECT text FROM turns ORDER BY id DESC LIMIT 2") == [("2.4",), ("2.1",)]


# Faults on the way


FAULTS = {
    "429": Fault(Kind.TOO_MANY, 1),
    "500": Fault(Kind.INTERNAL),
    "502": Fault(Kind.BAD_GATEWAY),
    "reset before": Fault(Kind.RESET_BEFORE),
    "reset after": Fault(Kind.RESET_AFTER),
    "half an answer": Fault(Kind.TRUNCATED),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_an_answer_arrives_whatever_goes_wrong_once(polled: Stage, fault: Fault) -> None:
    an = await at_the_menu(polled)
    polled.telegram.faults.next(fault, "SendMessage")

    an.person.says("kinh phi lay tu dau")
    await an.person.reads("ngân sách nhà nước")
    await _until(lambda: polled.stored("SELECT count(*) FROM outbox WHERE status != 'sent'") == [(0,)])

    times = sum("ngân sách nhà nước" in text for text in an.person.sees())
    assert times == (2 if fault.kind in (Kind.RESET_AFTER, Kind.TRUNCATED) else 1)


async def test_a_poll_that_fails_is_asked_again(polled: Stage) -> None:
    an = await at_the_menu(polled)
    for fault in (Kind.CONFLICT, Kind.BAD_GATEWAY, Kind.RESET_AFTER):
        polled.telegram.faults.next(fault, "GetUpdates")
    an.person.says("kinh phi lay tu dau")

    await an.person.reads("ngân sách nhà nước", bound=20)


async def test_a_copy_of_the_database_speaks_to_nobody(sqlite: Sqlite) -> None:
    url = sqlite.new()
    async with FakeTelegram() as telegram:
        async with on_telegram(url, telegram=telegram) as stage:
            await at_the_menu(stage)

        async with on_telegram(url, telegram=telegram, instance="copy") as stage:
            told = await ready(stage)

    assert "telegram" not in told
    assert "another installation" in told["outside"]


async def ready(stage: Stage) -> dict[str, str]:
    """What /readyz says of the channels."""
    async with aiohttp.ClientSession() as session, session.get(f"{stage.address}/readyz") as response:
        told: dict[str, str] = (await response.json())["channels"]
        return told


async def test_it_starts_while_telegram_is_away(sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.telegram.channel.OPEN_AGAIN", 0.1)
    faults = Faults(plan=[(number, Kind.BAD_GATEWAY) for number in (1, 2, 3)])

    async with on_telegram(sqlite.new(), faults=faults) as stage:
        await at_the_menu(stage)


async def test_what_was_not_sent_is_sent_after_a_restart(databases: Sqlite | Postgres) -> None:
    url = databases.new()
    async with FakeTelegram(limits=LIFTED) as telegram:
        async with on_telegram(url, telegram=telegram, **FAST) as stage:
            an = await at_the_menu(stage)
            telegram.faults.add(lambda call: call.method == "sendmessage", Kind.BAD_GATEWAY)
            an.person.says("kinh phi lay tu dau")
            await telegram.settled()
            await _until(lambda: stage.stored("SELECT status FROM outbox ORDER BY id")[-1] == ("retry_at",))
        telegram.faults.quiet()

        async with on_telegram(url, telegram=telegram, **FAST):
            await an.person.reads("ngân sách nhà nước")
