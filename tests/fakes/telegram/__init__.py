"""A strict fake Telegram: checks as the real one does, and behaves as badly.

    async with FakeTelegram() as telegram:
        bot = Bot(telegram.token, base_url=telegram.base_url, base_file_url=telegram.base_file_url)
        an = telegram.person("An")
        an.starts()
        …
        await an.answered()
        an.taps("Khảo sát")
        assert telegram.violations == telegram.suspicions == []

By hand: `python -m tests.fakes.telegram`.
"""

from tests.fakes.telegram.chats import Message, Sent
from tests.fakes.telegram.faults import Fault, Faults, Kind
from tests.fakes.telegram.files import File
from tests.fakes.telegram.inbox import Timing
from tests.fakes.telegram.limits import Limits
from tests.fakes.telegram.people import Group, Person, Tap
from tests.fakes.telegram.server import FakeTelegram

__all__ = [
    "FakeTelegram",
    "Fault",
    "Faults",
    "File",
    "Group",
    "Kind",
    "Limits",
    "Message",
    "Person",
    "Sent",
    "Tap",
    "Timing",
]
