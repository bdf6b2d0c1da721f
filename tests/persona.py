"""Somebody who reads a question of the survey on the screen and answers it from what they know of their firm."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.messages import Message


@dataclass(frozen=True, slots=True)
class Screen:
    """A question as it is seen: its words, the rows to tap, the boxes to tick, what is to be counted."""

    text: str
    rows: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()

    def shows(self, words: str) -> bool:
        """Whether these words stand in the question, or are one of the rows."""
        return words in self.text or words in self.rows


@dataclass(frozen=True, slots=True)
class Tap:
    """One of the rows."""

    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Some of the boxes."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """A number for each label, «?» where it is not known."""

    numbers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Write:
    """Words in the box."""

    text: str


Answer = Tap | Tick | Count | Write


@dataclass
class Persona:
    """Answers by `knows`: words that one question shows and no other, and the answer to it.

    `prompts` are the words of what was answered, in order.
    """

    knows: Mapping[str, Answer]
    prompts: list[str] = field(default_factory=list)

    def answer(self, screen: Screen) -> Answer:
        """What this person does about what is on the screen; a question nobody thought of is an error."""
        found = {words: answer for words, answer in self.knows.items() if screen.shows(words)}
        assert len(found) == 1, f"{list(found)} for: {screen.text}"
        [(words, answer)] = found.items()
        assert _fits(answer, screen), f"{answer} for: {screen}"
        self.prompts.append(words)
        return answer

    def but(self, other: Mapping[str, Answer]) -> "Persona":
        """Somebody who knows the same, but for these answers."""
        return Persona({**self.knows, **other})


def _fits(answer: Answer, screen: Screen) -> bool:
    """Whether the screen offers what the answer needs."""
    match answer:
        case Tap(label):
            return label in screen.rows
        case Tick(labels):
            return set(labels) <= set(screen.boxes)
        case Count(numbers):
            return set(screen.counts) <= set(numbers)
        case Write():
            return not screen.boxes and not screen.counts


def seen(message: Message) -> Screen:
    """What a message looks like where boxes and steppers are drawn."""
    control = message.control
    labels = tuple(choice.label for choice in message.choices if not choice.aside)
    several = control is not None and control.kind == "several"
    return Screen(
        message.text,
        rows=() if several else labels,
        boxes=labels if several else (),
        counts=control.labels if control else (),
    )


def wood_firm(tax_code: str = "0100109106") -> "Persona":
    """A wood firm of thirty people in Hoài Nhơn with three types of instruments; needs training on two topics."""
    return Persona({**_WOOD, "Mã số thuế của đơn vị": Write(tax_code)})


_WOOD: Mapping[str, Answer] = {
    "có đồng ý cung cấp thông tin": Tap("Đồng ý"),
    "Tên đơn vị của Anh/Chị": Write("Công ty TNHH Chế biến gỗ xuất khẩu Hoài Nhơn"),
    "thuộc loại hình nào": Tap("Công ty TNHH"),
    "chính ở xã, phường nào": Write("hoai"),
    "Phường Hoài Nhơn Tây": Tap("Phường Hoài Nhơn Bắc"),
    "Ngành chính của đơn vị": Tap("Chế biến gỗ, dăm gỗ, viên nén"),
    "bao nhiêu lao động": Tap("11–50 người"),
    "chọn những loại đang dùng": Tick(
        ("Cân khác (treo, băng tải, phân tích…)", "Thước cuộn, thước cặp, panme", "Máy đo độ ẩm gỗ")
    ),
    "Mỗi loại đơn vị có bao nhiêu": Count(
        {
            "Cân khác (treo, băng tải, phân tích…)": "4",
            "Thước cuộn, thước cặp, panme": "12",
            "Máy đo độ ẩm gỗ": "?",
        }
    ),
    "Trong 12 tháng tới": Write("4"),
    "Hạn kiểm định gần nhất sắp tới": Write("3/2027"),
    "nhắc trước hạn này": Tap("Có"),
    "nhờ nơi nào kiểm định": Tick(("Trung tâm Phân tích và Đo lường chất lượng của tỉnh",)),
    "đang vướng ở đâu": Tick(("Chi phí", "Chờ lâu")),
    "người làm công việc đo lường, trong đó": Count(
        {"Người làm đo lường": "2", "Đã đào tạo trong 3 năm": "0"}
    ),
    "cần tỉnh hỗ trợ việc gì": Tick(("Kiểm định, hiệu chuẩn", "Đào tạo")),
    "đào tạo nội dung nào nhất": Tick(("Hiệu chuẩn nội bộ", "Vận hành cân, cột đo")),
    "dự kiến bao nhiêu người học": Count({"Hiệu chuẩn nội bộ": "2", "Vận hành cân, cột đo": "5"}),
    "theo hình thức nào": Tap("Tại đơn vị"),
    "quan tâm Chương trình đảm bảo": Tap("Cần tìm hiểu thêm"),
    "kiến nghị gì": Write("Xin báo lịch kiểm định lưu động trước một tháng."),
    "Họ tên của Anh/Chị": Write("Trần Thị Hạnh"),
    "Chức vụ của Anh/Chị": Write("Kế toán trưởng"),
    "qua điện thoại hay email": Write("0905 123 456"),
    # After it was sent
    "Doanh thu năm trước": Tap("Trên 10 đến 50 tỷ"),
    "phần đang còn hạn": Tap("75–99%"),
    "hiệu chuẩn định kỳ không": Tap("Một phần"),
    "đang áp dụng tiêu chuẩn": Tick(("ISO 9001",)),
    "hàng đóng gói sẵn": Tap("Không"),
    "chi khoảng bao nhiêu cho đo lường": Tap("10 đến 50 triệu"),
    "nhận tin nào của trợ lý": Tick(("Thông báo khóa học",)),
}
