"""People on Telegram who hold a conversation, whatever becomes of the service meanwhile, and remember what they said.

Telegram gives their updates to the service until it takes them, so nobody repeats anything: they wait.
"""

import asyncio
import itertools
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.fakes.telegram import FakeTelegram, Message, Person

PATIENCE = 90.0  # seconds: some deaths, some backing off and the channel parked now and then
SURVEY = "khảo sát"

# What is asked, and words that stand in the answer to it and in no other.
QUESTIONS: Mapping[str, str] = {
    "kinh phi lay tu dau": "ngân sách nhà nước",
    "Mục tiêu đến năm 2030 là gì?": "ít nhất 300 cán bộ",
    "menu": "Anh/Chị chọn một mục",
}
UNKNOWN = "Quán phở {name} mở cửa lúc mấy giờ?"
HANDED_ON = 0.2  # how often it is something the plan does not say
NOT_SAID = "chuyển câu hỏi cho cán bộ"


@dataclass(frozen=True, slots=True)
class Said:
    """One update: what its turn must read, and what the answer to it must hold; `at` is when it came about.

    An empty `kind` is an update that is no turn.
    """

    update: int
    kind: str
    text: str | None
    wants: str
    at: float


class InVain(Exception):
    """Somebody was never answered."""


class Taken:
    """Which updates the service took, as the fake knows it."""

    def __init__(self, telegram: FakeTelegram) -> None:
        self._all = telegram.acknowledged
        self._known: set[int] = set()
        self._read = 0

    def __contains__(self, update: int) -> bool:
        new = len(self._all) - self._read
        self._known.update(itertools.islice(reversed(self._all), new))
        self._read += new
        return update in self._known


@dataclass
class Somebody(ABC):
    """A person and all they did; `moved` is called after each update that came about."""

    person: Person
    chance: random.Random
    taken: Taken
    moved: Callable[[], None]
    patience: float = PATIENCE
    said: dict[int, Said] = field(default_factory=dict)
    done: bool = False

    @abstractmethod
    async def talks(self) -> None:
        """Hold the conversation."""

    @property
    def telegram(self) -> FakeTelegram:
        """Where they are."""
        return self.person.telegram

    @property
    def address(self) -> str:
        """As the service knows it."""
        return f"{self.person.id}"

    def notes(self, update: int, kind: str, text: str | None = None, wants: str = "") -> int:
        """Remember an update."""
        self.said[update] = Said(update, kind, text, wants, self.telegram.clock())
        self.moved()
        return update

    def says(self, text: str, wants: str = "") -> int:
        """Write something."""
        return self.notes(self.person.says(text), "text", text, wants)

    async def hears(self, update: int, wants: str = "") -> Message:
        """What came after an update that was taken, with these words in it: an earlier answer may be said again."""
        await self.is_taken(update)

        def fits() -> Message | None:
            since = self.telegram.inbox.moments[update]
            came = (one for one in reversed(self.person.chat) if one.from_bot and one.changed_at > since)
            return next((one for one in came if wants in one.text), None)

        try:
            found: Message = await self.person.private.changed.until(fits, self.patience, "an answer")
        except TimeoutError:
            said = self.said[update]
            raise InVain(
                f"{self.address} waits in vain after {said.kind} {said.text!r}, update {update}, for {wants!r};"
                f" the chat is {self.person.chat[-3:]}"
            ) from None
        return found

    async def is_taken(self, update: int) -> None:
        """Wait until the service has an update: of a webhook, what is tapped may overtake what is typed."""
        try:
            await self.telegram.inbox.changed.until(lambda: update in self.taken, self.patience, "taken")
        except TimeoutError:
            raise InVain(f"{self.address}: update {update} is never taken: {self.said[update]}") from None

    async def asks(self, text: str, wants: str) -> Message:
        """Write something, and wait for the answer."""
        return await self.hears(self.says(text, wants), wants)

    async def pauses(self, longest: float = 1.0) -> None:
        """Think."""
        await asyncio.sleep(self.chance.uniform(0, longest))


class Asker(Somebody):
    """Asks two or three things about the plan, uses the menu, and now and then does something odd."""

    async def talks(self) -> None:
        """Hold the conversation."""
        await self.hears(self.notes(self.person.starts(), "start", "", "trợ lý tự động"), "trợ lý tự động")
        oddity = self._oddity()
        asked = self.chance.randint(2, 3)
        odd_after = self.chance.randrange(asked)
        for number in range(asked):
            await self.pauses()
            await self._asks_something()
            if number == odd_after and oddity:
                await self.pauses()
                await oddity()
        self.done = True

    async def _asks_something(self) -> None:
        if self.chance.random() < HANDED_ON:
            await self._hands_on()
            return
        text, wants = self.chance.choice(list(QUESTIONS.items()))
        answer = await self.asks(text, wants)
        await self.pauses()
        if text == "menu":
            await self._taps("Hướng dẫn", answer, "như nói chuyện")
        elif self.chance.random() < 0.5:
            await self._taps(answer.labels[0], answer, "")

    async def _taps(self, label: str, message: Message, wants: str) -> Message:
        tapped = self.notes(self.person.taps(label, message), "tap", label, wants)
        return await self.hears(tapped, wants)

    def _oddity(self) -> Callable[[], asyncio.Future[None]] | None:
        ways = (
            self._sends_photo,
            self._sends_document,
            self._sends_voice,
            self._sends_contact,
            self._edits,
            self._presses_old,
            self._does_not_wait,
            self._blocks,
            self._blocks_a_moment,
        )
        return self.chance.choice((*ways, *[None] * len(ways)))  # type: ignore[return-value]

    async def _sends_photo(self) -> None:
        await self._file(self.person.sends_photo(b"\xff\xd8\xff\xe0" + bytes(400)), "photo.jpg")

    async def _sends_document(self) -> None:
        name = "danh-sach.csv"
        await self._file(self.person.sends(name, "tên,số\ncân,4\n".encode(), "text/csv"), name)

    async def _sends_voice(self) -> None:
        await self._file(self.person.sends_voice(), "voice", "chưa nghe được")

    async def _file(self, update: int, name: str, wants: str = "chưa đọc được") -> None:
        await self.hears(self.notes(update, "file", name, wants), wants)

    async def _sends_contact(self) -> None:
        phone = f"+849{self.person.id % 10**8:08}"
        await self.hears(self.notes(self.person.sends_contact(phone), "text", phone))

    async def _edits(self) -> None:
        own = self.chance.choice([one for one in self.person.chat if not one.from_bot])
        edited = self.notes(self.person.edits(own, f"{own.text} à"), "other", "", "tin đã sửa")
        await self.hears(edited, "tin đã sửa")

    async def _presses_old(self) -> None:
        """A button of the greeting, however far up it stands."""
        greeting = next(one for one in self.person.chat if one.from_bot and one.labels)
        await self._taps("Hỏi về kế hoạch", greeting, "")

    async def _hands_on(self) -> None:
        """Ask what the plan does not say, and let an officer have it."""
        answer = await self.asks(UNKNOWN.format(name=self.person.id), NOT_SAID)
        await self.pauses()
        await self._taps("Chuyển cho cán bộ", answer, "Q")

    async def _does_not_wait(self) -> None:
        """Several things at once."""
        for text, wants in QUESTIONS.items():
            last = self.says(text, wants)
        await self.hears(last, "Anh/Chị chọn một mục")

    async def _blocks(self) -> None:
        """Stop the bot with an answer on its way, and come back much later, if at all."""
        self.says("menu", "Anh/Chị chọn một mục")
        self.notes(self.person.blocks(), "")
        await asyncio.sleep(self.chance.uniform(3, 6))
        await self._comes_back()

    async def _blocks_a_moment(self) -> None:
        """Stop the bot between two questions."""
        self.notes(self.person.blocks(), "")
        await self.pauses()
        await self._comes_back()

    async def _comes_back(self) -> None:
        self.notes(self.person.unblocks(), "")
        back = self.notes(self.person.starts(), "start", "", "Anh/Chị")
        await self.hears(back, "Anh/Chị")
