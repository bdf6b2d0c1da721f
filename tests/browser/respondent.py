"""Somebody at the page who answers a form's questions as they are drawn: by touch, or by typing."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from playwright.sync_api import Locator, expect

from tests.browser.reader import Reader
from tests.browser.test_access import barriers
from tests.persona import Answer, Count, Persona, Screen, Tap, Tick, Write

REVIEW = "Sửa câu nào thì gõ số của câu đó"

# Questions of which a picture is kept, by words that stand in them.
PICTURES = {
    "có đồng ý cung cấp thông tin": "notice",
    "Tên đơn vị của Anh/Chị": "text",
    "thuộc loại hình nào": "choices",
    "Phường Hoài Nhơn Tây": "candidates",
    "Ngành chính của đơn vị": "long-list",
    "chọn những loại đang dùng": "ticks",
    "Mỗi loại đơn vị có bao nhiêu": "steppers",
    "Trong 12 tháng tới": "note",
}
PICTURED = "Máy đo độ ẩm gỗ"  # ticked, or counted, is a picture
CHECKED = {"notice", "ticks", "steppers"}  # by axe; the review, too

_SEEN = """() => {
  const asked = [...document.querySelectorAll(".ask.is-open")].pop();
  const all = (path) => asked ? [...asked.querySelectorAll(path)].map((one) => one.textContent) : [];
  return {
    text: [...document.querySelectorAll(".assistant .text")].pop().textContent,
    rows: all(".choices button.face .label"),
    boxes: all(".choices label.face .label"),
    counts: all(".stepper > .label"),
  };
}"""


@dataclass
class Respondent:
    """Somebody at the page who answers questions as they come, with a picture of some."""

    reader: Reader
    persona: Persona
    pictures: str = ""  # how the names of the pictures begin

    def sees(self) -> Screen:
        """What is asked now."""
        expect(self.reader.page.locator(".ask.is-open")).to_have_count(1)
        seen = self.reader.page.evaluate(_SEEN)
        return Screen(seen["text"], *(tuple(seen[name]) for name in ("rows", "boxes", "counts")))

    def does(self, answer: Answer) -> str:
        """Give an answer as its question is drawn; what is said to it."""
        before = self.reader.page.locator(".message").count()
        match answer:
            case Tap(label):
                self.reader._touch(self._face(label))
            case Tick(labels):
                self.ticks(answer)
                self._finishes("ticked", labels)
            case Count(numbers):
                self._counts(numbers)
            case Write(text):
                self.reader.writes(text)
        return self.reader.answer(before)

    def taps(self, label: str) -> str:
        """Tap what has exactly these words."""
        return self.does(Tap(label))

    def ticks(self, answer: Tick) -> None:
        """Tick these boxes, and no more."""
        for label in answer.labels:
            self.reader._touch(self._face(label))

    def answers(self, until: str = REVIEW) -> Screen:
        """Answer question after question until these words come."""
        while not (seen := self.sees()).shows(until):
            answer = self.persona.answer(seen)
            self._look(seen)
            self.does(answer)
        return seen

    def looks(self, name: str) -> None:
        """A picture, if this person keeps pictures."""
        if self.pictures:
            self.reader.keeps_picture(f"survey-{self.pictures}-{name}")

    def looks_at_the_end(self, name: str) -> None:
        """A picture of what stands below."""
        if self.pictures:
            self.reader.page.evaluate("document.getElementById('scroll').scrollTop = 1e6")
            self.looks(name)

    def _look(self, seen: Screen) -> None:
        names = [name for words, name in PICTURES.items() if seen.shows(words)]
        for name in names if self.pictures else ():
            self.reader.sees_everything()
            self.looks(name)
            if name == "notice":
                self.looks_at_the_end(f"{name}-end")
            if name in CHECKED:
                assert barriers(self.reader) == [], name

    def _open(self, path: str) -> Locator:
        return self.reader.page.locator(f".ask.is-open {path}")

    def _face(self, label: str) -> Locator:
        return self._open(".face").filter(has=self.reader.page.get_by_text(label, exact=True))

    def _counts(self, numbers: Mapping[str, str]) -> None:
        for label in self.sees().counts:
            self._sets(label, numbers[label])
        self._finishes("stepped", numbers)

    def _finishes(self, name: str, labels: Container[str]) -> None:
        if PICTURED in labels:
            self.looks(name)
        self.reader._touch(self._open(".done .act"))

    def _sets(self, label: str, number: str) -> None:
        """Small numbers by their steps, others typed, «?» by its button."""
        row = self._open(".stepper").filter(has=self.reader.page.get_by_text(label, exact=True))
        less, more, unknown = (row.locator(".step").nth(place) for place in range(3))
        if number == "?":
            self.reader._touch(unknown)
        elif int(number) > 5:
            row.locator(".count").fill(number)
        else:
            for _ in range(int(number)):
                self.reader._touch(more)
            if number == "0":
                self.reader._touch(less)
