"""A service, a Chromium, and readers.

Playwright's synchronous interface keeps an event loop of its own running, so it ends with each module: no test
elsewhere finds a loop in its way.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.reader import PHONE, Reader, chromium
from tests.service import Running, running
from tests.world import Sqlite

Meet = Callable[..., Reader]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def service(sqlite: Sqlite) -> Iterator[Running]:
    """The real service on a fresh database."""
    with running(sqlite.new(), DOLUONG_DEMO="1", DOLUONG_VISITORS_PER_MINUTE="6000") as started:
        yield started


@pytest.fixture
def meet(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Meet]:
    """Opens the page for somebody new, on a phone unless said; in the end nobody may have complained.

    A complaint is a line in the console, a violation of the policy, or a request to any other address.
    """
    readers: list[Reader] = []

    def meet(address: str = "", **device: Any) -> Reader:
        address = address or request.getfixturevalue("service").address
        reader = Reader(browser.new_context(**{"locale": "vi-VN", **(device or PHONE)}), address)
        readers.append(reader)
        return reader

    yield meet
    for reader in readers:
        reader.goes()
    assert [complaint for reader in readers for complaint in reader.complaints] == []


@pytest.fixture
def reader(meet: Meet) -> Reader:
    """Somebody new, on a phone."""
    return meet()
