"""A message as it is kept: whole when it is read again, and no longer than it must be."""

import pytest

from handlers.messages import Attachment, Choice, Control, Message
from storage.outbox import dump, load

PLAIN = Message("Anh/Chị chọn:", (Choice("Một", "x:1"), Choice("Trang", "x:2", "https://a.example")))


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(Message(""), id="nothing"),
        pytest.param(PLAIN, id="choices"),
        pytest.param(Message("Đây", attachments=(Attachment("a.txt", "text/plain", "/a"),)), id="file"),
        pytest.param(Message("?", (Choice("Một", "x:1"), Choice("bỏ qua", "x:2", aside=True))), id="aside"),
        pytest.param(
            Message(
                "?",
                (Choice("Khối lượng", "form:pick:q:mass"),),
                control=Control(
                    "several",
                    "form:pick:q:",
                    picked=("mass",),
                    typed="Gõ các số.",
                    alone=("none",),
                    sends="form:set:q:",
                ),
            ),
            id="tick boxes",
        ),
        pytest.param(
            Message("?", control=Control("numbers", "form:line:k:", ("Cân", "Ẩm kế"), picked=("", "3"))),
            id="steppers",
        ),
        pytest.param(Message("?", progress=(7, 18), counted="Câu 7/18"), id="progress"),
        pytest.param(Message("!", withdraws="Vâng."), id="a keyboard is over"),
    ],
)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    assert load(dump(message)) == message


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ('["Chào",[],[]]', Message("Chào")),
        ('["Anh/Chị chọn:",[["Một","x:1",null],["Trang","x:2","https://a.example"]],[]]', PLAIN),
    ],
)
def test_a_message_without_a_control_is_kept_as_it_always_was(stored: str, message: Message) -> None:
    assert load(stored) == message
    assert dump(message) == stored
