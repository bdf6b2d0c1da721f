"""How messages look on Telegram, and what its updates say: tables."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from bot.channels.base import parts
from bot.channels.telegram.can import TELEGRAM
from bot.channels.telegram.newest import Newest
from bot.channels.telegram.receive import Membership, Moved, Nothing, Reader, Received, Said, TappedInGroup
from bot.channels.telegram.render import text_parameters
from bot.conversation import Inbound
from bot.received import received
from content.catalogue import Catalogue
from content.everything import Content
from handlers.choices import short, whole
from handlers.dialogue import Edited, InGroup, Kind, SentFile, SentOther
from handlers.labels import Labels
from handlers.messages import Choice, Control, Message

BACK = Choice("Quay lại", "form:back:q", aside=True)
LATER = Choice("Để sau", "form:later:q", aside=True)


def rows(message: Message) -> list[list[str]]:
    """The labels of the buttons, row by row."""
    [part] = parts(message, TELEGRAM)
    markup = text_parameters(part, "doluong_bot").get("reply_markup", {})
    return [[button["text"] for button in row] for row in markup.get("inline_keyboard", [])]


def choices(*labels: str) -> tuple[Choice, ...]:
    return tuple(Choice(label, f"form:a:q:{number}") for number, label in enumerate(labels))


LONG = "Trung tâm Phân tích và Đo lường chất lượng của tỉnh"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        pytest.param(Message("?"), [], id="no choices"),
        pytest.param(Message("?", choices("Có", "Không")), [["Có", "Không"]], id="short ones side by side"),
        pytest.param(
            Message("?", (*choices("Đến 10 người", "11–50 người có hợp đồng"), BACK, LATER)),
            [["Đến 10 người"], ["11–50 người có hợp đồng"], ["Quay lại", "Để sau"]],
            id="others one below the other, the ways around below",
        ),
        pytest.param(
            Message("?", (*choices("Có", LONG), BACK)),
            [["1", "2"], ["Quay lại"]],
            id="long ones in the text, with their numbers as buttons",
        ),
        pytest.param(
            Message("?", choices(*[LONG] * 7)),
            [["1", "2", "3", "4", "5"], ["6", "7"]],
            id="five numbers a row",
        ),
        pytest.param(Message("?", (BACK,)), [["Quay lại"]], id="only a way around"),
        pytest.param(
            Message("?", (Choice("Trang", "x", url="https://a.example/b"),)),
            [["Trang"]],
            id="a link is a button",
        ),
        pytest.param(
            Message("?", (Choice("Trang", "x", url="http://127.0.0.1:8080/b"),)),
            [],
            id="unless Telegram would refuse it",
        ),
    ],
)
def test_buttons_are_laid_out_for_a_phone(message: Message, shown: list[list[str]]) -> None:
    assert rows(message) == shown


def test_a_list_in_the_text_has_the_numbers_of_its_buttons() -> None:
    [part] = parts(Message("Nơi nào?", (*choices("Có", LONG), BACK)), TELEGRAM)

    assert part.text == f"Nơi nào?\n1. Có\n2. {LONG}"


def test_a_link_that_cannot_be_a_button_stands_in_the_text() -> None:
    message = Message("?", (Choice("Trang", "x", url="http://127.0.0.1:8080/b"),))

    assert text_parameters(message, "b")["text"] == "?\nTrang: http://127.0.0.1:8080/b"


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("http://127.0.0.1:8080/?start=h_0a1b", "https://t.me/doluong_bot?start=h_0a1b"),
        ("http://0.0.0.0:8080/?start=p_AB12CD34EF56", "https://t.me/doluong_bot?start=p_AB12CD34EF56"),
        ("http://localhost/?start=h_0a1b", "https://t.me/doluong_bot?start=h_0a1b"),
        ("http://[::1]:8080/?start=h_0a1b", "https://t.me/doluong_bot?start=h_0a1b"),
        ("https://doluong.example.vn/?start=h_0a1b", "https://doluong.example.vn/?start=h_0a1b"),
    ],
)
def test_a_link_nobody_else_can_reach_leads_to_the_bot(link: str, shown: str) -> None:
    message = Message(f"Mở:\n{link}\nhết hạn mai", (Choice("Mở", "x", url=link),))

    parameters = text_parameters(message, "doluong_bot")

    assert parameters["text"] == f"Mở:\n{shown}\nhết hạn mai"
    assert parameters["reply_markup"]["inline_keyboard"] == [[{"text": "Mở", "url": shown}]]


def test_a_number_is_shared_from_a_keyboard_of_its_own() -> None:
    message = Message("Điện thoại?", (BACK, LATER), control=Control("contact", labels=("Gửi số của tôi",)))

    markup = text_parameters(message, "b")["reply_markup"]

    assert markup["keyboard"] == [
        [{"text": "Gửi số của tôi", "request_contact": True}],
        [{"text": "Quay lại"}, {"text": "Để sau"}],
    ]


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        (Message("Đã lưu.", withdraws="Vâng."), [("Đã lưu.", {"remove_keyboard": True})]),
        (
            Message("Xem lại.", choices("Gửi"), withdraws="Vâng."),
            [
                ("Vâng.", {"remove_keyboard": True}),
                ("Xem lại.", {"inline_keyboard": [[{"text": "Gửi", "callback_data": "form:a:q:0"}]]}),
            ],
        ),
    ],
    ids=["with what has no buttons", "by itself before what has"],
)
def test_a_keyboard_of_its_own_is_taken_away(
    message: Message, sent: list[tuple[str, dict[str, Any]]]
) -> None:
    found = [text_parameters(part, "b") for part in parts(message, TELEGRAM)]

    assert [(one["text"], one["reply_markup"]) for one in found] == sent
    elsewhere = replace(TELEGRAM, controls=frozenset())
    assert [one.text for one in parts(message, elsewhere)] == [message.text]
    assert not any(one.withdraws for one in parts(message, elsewhere))


def test_text_is_cut_by_what_telegram_counts() -> None:
    found = parts(Message("😀" * 3_000), TELEGRAM)

    assert [len(one.text.encode("utf-16-le")) // 2 for one in found] == [4_096, 1_904]


@pytest.mark.parametrize("value", ["form:a:q:1", "form:pick:" + "q" * 40 + ":" + "c" * 40, "ô" * 40])
def test_a_button_carries_any_value_in_64_bytes(value: str) -> None:
    carried = short(value, TELEGRAM.callback_length)

    assert len(carried.encode()) <= 64
    assert whole(carried, [Choice("?", "other"), Choice("!", value)]) == value
    assert whole(carried, []) == carried


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("form:a:legal_form:llc", "Công ty TNHH"),
        ("form:pick:fields:mass", "Khối lượng"),
        ("form:a:some.mass:yes", None),
        ("form:later:legal_form", "Để sau"),
        ("form:unknown:legal_form", "Không biết"),
        (short("form:pick:fields:mass", 10), "Khối lượng"),
        ("form:nonsense:x", None),
        ("#0123", None),
        ("", None),
    ],
)
def test_what_a_button_reads_is_known_by_its_value(content: Content, value: str, label: str | None) -> None:
    assert Labels(content)(value) == label


def test_the_newest_message_is_remembered() -> None:
    newest = Newest()
    newest.saw("1", 7)
    newest.saw("1", 5)

    assert newest.is_past("1", "6")
    assert not newest.is_past("1", "7")
    assert not newest.is_past("2", "1")


AN = {"id": 5, "is_bot": False, "first_name": "An", "language_code": "vi"}
PRIVATE = {"id": 5, "type": "private", "first_name": "An"}
GROUP = {"id": -9, "type": "group", "title": "Tổ gỗ"}
CHANNEL = {"id": -10, "type": "channel", "title": "Tin của sở"}
BOT = {"id": 77, "is_bot": True, "first_name": "Trợ lý", "username": "doluong_bot"}


def message(chat: dict[str, Any] = PRIVATE, **more: Any) -> dict[str, Any]:
    return {"message_id": 3, "date": 1_800_000_000, "chat": chat, "from": AN, **more}


def tapped(markup: dict[str, Any], text: str, data: str) -> dict[str, Any]:
    of = {**message(text=text, reply_markup=markup), "from": BOT}
    return {"callback_query": {"id": "q", "from": AN, "chat_instance": "1", "message": of, "data": data}}


def inbound(**came: Any) -> Inbound:
    return Inbound("telegram", came.pop("address", "5"), "77:1", **came)


def member(chat: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    state = {"user": BOT}
    until = {"until_date": 0}
    old, new = ({**state, "status": one, **(until if one == "kicked" else {})} for one in (before, after))
    return {
        "my_chat_member": {
            "chat": chat, "from": AN, "date": 1_800_000_000, "old_chat_member": old, "new_chat_member": new,
        }
    }  # fmt: skip


BUTTONS = {"inline_keyboard": [[{"text": "Có", "callback_data": "y"}, {"text": "2", "callback_data": "n"}]]}


@pytest.mark.parametrize(
    ("update", "found"),
    [
        pytest.param({"message": message(text="xin chào")}, Said(inbound(text="xin chào")), id="words"),
        pytest.param({"message": message(text="/start")}, Said(inbound(start="")), id="start"),
        pytest.param({"message": message(text="/start c-AB12")}, Said(inbound(start="c-AB12")), id="a deep link"),
        pytest.param({"message": message(text="/khaosat")}, Said(inbound(text="khảo sát")), id="a listed command"),
        pytest.param({"message": message(text="/xyz")}, Said(inbound(text="/xyz")), id="another command"),
        pytest.param(
            {"message": message(contact={"phone_number": "84905123456", "first_name": "An", "user_id": 5})},
            Said(inbound(text="+84905123456")),
            id="a shared number",
        ),
        pytest.param(
            {"message": message(contact={"phone_number": "84905123456", "first_name": "Bình", "user_id": 6})},
            Said(inbound(cue=SentOther("contact"))),
            id="somebody else's number",
        ),
        pytest.param(
            {"message": message(contact={"phone_number": "84905123456", "first_name": "Bình"})},
            Said(inbound(cue=SentOther("contact"))),
            id="the number of somebody who is not there",
        ),
        pytest.param(
            {"message": message(photo=[{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}])},
            Said(inbound(file=SentFile("photo.jpg", "image/jpeg"))),
            id="a picture",
        ),
        pytest.param(
            {"message": message(document={"file_id": "f", "file_unique_id": "u", "file_name": "a.pdf"}, caption="x")},
            Said(inbound(text="x", file=SentFile("a.pdf", "application/octet-stream")), fetch="f"),
            id="a document with words",
        ),
        pytest.param(
            {"message": message(photo=[{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}], caption="x")},
            Said(inbound(text="x", file=SentFile("photo.jpg", "image/jpeg"))),
            id="a picture with words",
        ),
        pytest.param(
            {"message": message(animation={"file_id": "f"}, document={"file_id": "f", "file_name": "a.gif"})},
            Said(inbound(cue=SentOther("video"))),
            id="a moving picture, which is a document as well",
        ),
        pytest.param(
            {"message": message(document={"file_id": "f", "file_unique_id": "u", "file_name": "a.pdf"})},
            Said(inbound(file=SentFile("a.pdf", "application/octet-stream")), fetch="f"),
            id="a document",
        ),
        pytest.param({"edited_message": message(text="x", edit_date=1_800_000_001)}, Said(inbound(cue=Edited())), id="edited"),
        pytest.param(
            tapped(BUTTONS, "?", "y"),
            Said(inbound(tap="y", label="Có", tapped_on="3"), query="q"),
            id="a tap",
        ),
        pytest.param(
            tapped(BUTTONS, "?\n1. Có\n2. Không có gì", "n"),
            Said(inbound(tap="n", label="Không có gì", tapped_on="3"), query="q"),
            id="a tap on a number",
        ),
        pytest.param(
            tapped(BUTTONS, "?\n1. Có\n2. ✓ Không có gì", "n"),
            Said(inbound(tap="n", label="Không có gì", tapped_on="3"), query="q"),
            id="a tap on what is ticked",
        ),
        pytest.param(
            tapped(BUTTONS, "?", "gone"),
            Said(inbound(tap="gone", label=None, tapped_on="3"), query="q"),
            id="a tap on what is no longer there",
        ),
        pytest.param(
            {"callback_query": {"id": "q", "from": AN, "chat_instance": "1", "data": "y",
                                "message": {"chat": PRIVATE, "message_id": 3, "date": 0}}},
            Said(inbound(tap="y"), query="q"),
            id="a tap on a message Telegram no longer has",
        ),
        pytest.param(
            {"callback_query": {"id": "q", "from": AN, "chat_instance": "1", "data": "y", "message": message(GROUP)}},
            TappedInGroup("q", "vi"),
            id="a tap in a group",
        ),
        pytest.param(
            {"callback_query": {"id": "q", "from": AN, "chat_instance": "1", "data": "y", "inline_message_id": "i"}},
            TappedInGroup("q", "vi"),
            id="a tap nowhere",
        ),
        pytest.param({"message": message(GROUP, text="chào cả nhà")}, Nothing(), id="people among themselves"),
        pytest.param(
            {"message": message(GROUP, text="@doluong_bot ơi")}, Said(inbound(address="-9", cue=InGroup())), id="a mention"
        ),
        pytest.param(
            {"message": message(GROUP, text="/menu@doluong_bot")},
            Said(inbound(address="-9", cue=InGroup())),
            id="a command in a group",
        ),
        pytest.param({"message": message(GROUP, text="/menu@other_bot")}, Nothing(), id="another bot's command"),
        pytest.param(
            {"message": message(GROUP, text="/start@doluong_bot2 x")}, Nothing(), id="a command of a bot of a longer name"
        ),
        pytest.param(
            {"message": message(GROUP, text="@doluong_bot2 ơi")}, Nothing(), id="a mention of a bot of a longer name"
        ),
        pytest.param(
            {"message": message(GROUP, text="/menu@other_bot",
                                reply_to_message={**message(GROUP, text="x"), "from": BOT})},
            Nothing(),
            id="another bot's command, in answer to us",
        ),
        pytest.param(
            {"message": {**message(GROUP, text="@doluong_bot"), "from": {"id": 8, "is_bot": True}}},
            Nothing(),
            id="another bot",
        ),
        pytest.param(
            {"message": message(GROUP, text="@doluong_bot", is_automatic_forward=True)},
            Nothing(),
            id="what a channel says to its group",
        ),
        pytest.param({"channel_post": message(CHANNEL, text="@doluong_bot")}, Nothing(), id="what a channel says"),
        pytest.param({"message": message(CHANNEL, text="/menu")}, Nothing(), id="a command in a channel"),
        pytest.param(
            member(CHANNEL, "left", "administrator"), Membership("-10", inside=True, number=1), id="brought into a channel"
        ),
        pytest.param(
            {"message": message(GROUP, text="ừ", reply_to_message={**message(GROUP, text="x"), "from": BOT})},
            Said(inbound(address="-9", cue=InGroup())),
            id="an answer to us in a group",
        ),
        pytest.param(
            {"message": message(GROUP, migrate_to_chat_id=-100123)}, Moved("-9", "-100123"), id="an upgraded group"
        ),
        pytest.param({"message": message(GROUP, new_chat_title="Tổ cân")}, Nothing(), id="a service message"),
        pytest.param({"message": message(pinned_message=message(text="x"))}, Nothing(), id="a pinned message"),
        pytest.param(member(PRIVATE, "member", "kicked"), Membership("5", inside=False, number=1), id="blocked"),
        pytest.param(member(PRIVATE, "kicked", "member"), Membership("5", inside=True, number=1), id="unblocked"),
        pytest.param(
            member(GROUP, "left", "member"), Said(inbound(address="-9", cue=InGroup())), id="brought into a group"
        ),
        pytest.param(member(GROUP, "member", "kicked"), Membership("-9", inside=False, number=1), id="put out of a group"),
        pytest.param(
            {"message_reaction_count": {"chat": GROUP, "message_id": 1, "date": 1, "reactions": []}},
            Nothing(),
            id="another kind of update",
        ),
        pytest.param({"telepathy": {}}, Nothing(), id="a kind nobody knows"),
    ],
)  # fmt: skip
def test_an_update_means_one_plain_thing(update: dict[str, Any], found: Received) -> None:
    reader = Reader(77, "doluong_bot", {"khaosat": "khảo sát"})

    assert reader.read({"update_id": 1, **update}) == found


@pytest.mark.parametrize(
    ("sent", "kind", "words"),
    [
        ({"voice": {"file_id": "f", "duration": 3}}, "voice", ""),
        ({"audio": {"file_id": "f", "duration": 3, "title": "Bài hát"}}, "audio", "Bài hát"),
        ({"video": {"file_id": "f"}}, "video", ""),
        ({"video_note": {"file_id": "f"}}, "video", ""),
        ({"sticker": {"file_id": "f", "emoji": "👍"}}, "sticker", "👍"),
        ({"location": {"latitude": 13.5, "longitude": 109.0}}, "location", "13.5, 109.0"),
        (
            {"location": {"latitude": 13.5, "longitude": 109.0}, "venue": {"title": "Chợ Đầm"}},
            "location",
            "Chợ Đầm",
        ),
        ({"poll": {"id": "1", "question": "Ai đi?"}}, "poll", "Ai đi?"),
        ({"dice": {"emoji": "🎲", "value": 6}}, "dice", "🎲"),
        ({"game": {"title": "Rắn"}}, "dice", "Rắn"),
        ({"checklist": {"title": "Việc cần làm", "tasks": []}}, "checklist", "Việc cần làm"),
        ({"paid_media": {"star_count": 5, "paid_media": []}}, "paid_media", ""),
        ({"story": {"chat": {"id": 5, "type": "private"}, "id": 1}}, "story", ""),
        ({"hologram": {"file_id": "f"}, "forward_origin": {}, "has_protected_content": True}, "other", ""),
    ],
)
def test_what_is_neither_words_nor_a_file_has_a_kind(
    catalogue: Catalogue, sent: dict[str, Any], kind: Kind, words: str
) -> None:
    found = Reader(77, "doluong_bot", {}).read({"update_id": 1, "message": message(**sent)})

    assert found == Said(inbound(cue=SentOther(kind, words)))
    assert catalogue("vi", f"sent_{kind}")


def test_every_kind_has_a_sentence_of_its_own(catalogue: Catalogue) -> None:
    sentences = {catalogue("vi", f"sent_{kind}") for kind in get_args(Kind)}

    assert len(sentences) == len(get_args(Kind))


@pytest.fixture
def catalogue(content: Content) -> Catalogue:
    return content.say


PDF, PNG, ZIP = b"%PDF-1.4\n", b"\x89PNG\r\n\x1a\n" + bytes(64), b"PK\x03\x04" + bytes(64)


@pytest.mark.parametrize(
    ("name", "data", "media_type", "fault"),
    [
        ("a.pdf", PDF, "application/pdf", ""),
        ("a.PDF", PDF, "application/pdf", ""),
        ("a.png", PNG, "image/png", ""),
        ("a.jpg", PNG, "image/png", "disguised"),
        (
            "a.pdf",
            ZIP,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "disguised",
        ),
        ("a.xlsx", ZIP, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ""),
        ("a.xlsx", b"a,b\n1,2\n", "application/octet-stream", "disguised"),
        ("a.csv", "tên,số\n".encode(), "text/csv", ""),
        (
            "a.csv",
            ZIP,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "disguised",
        ),
        ("ghi chú", b"abc", "text/plain", ""),
        ("a.xlsx", b"", "application/octet-stream", "disguised"),
        ("a.unheard", b"\x00\x01", "application/octet-stream", ""),
    ],
)
def test_a_file_is_what_it_holds(name: str, data: bytes, media_type: str, fault: str) -> None:
    found = received(name, data)

    assert (found.media_type, found.fault) == (media_type, fault)
