"""What the page does when the network, the server or a proxy fails it: every message arrives, once, in order."""

from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Meet
from tests.browser.reader import OFFLINE, Reader
from tests.service import Running, running
from tests.world import Sqlite

LOST = "Mất kết nối, đang nối lại"


class House:
    """A service that can be struck down and comes back at the same address with the same database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stack = ExitStack()
        self._running: Running | None = None

    def opens(self, **more: str) -> str:
        """Start it; gives its address."""
        port = urlsplit(self._running.address).port if self._running else 0
        self._running = self._stack.enter_context(running(self._url, port=port, **more))
        return self._running.address

    def is_struck_down(self) -> None:
        """Give it no chance."""
        assert self._running is not None
        self._running.kill()

    def closes(self) -> None:
        """Stop what still runs."""
        self._stack.close()


@pytest.fixture
def house(sqlite: Sqlite) -> Iterator[House]:
    """A service of the test's own."""
    house = House(sqlite.new())
    yield house
    house.closes()


def test_what_is_written_offline_arrives_once_and_in_order(reader: Reader) -> None:
    reader.may_see(OFFLINE)
    reader.asks("menu")
    reader.context.set_offline(True)
    expect(reader.page.locator("#lost")).to_have_text(LOST)
    reader.writes("nhiệm vụ 2.1")
    reader.writes("nhiệm vụ 2.2")
    expect(reader.page.locator(".is-sending .text")).to_have_text(["nhiệm vụ 2.1", "nhiệm vụ 2.2"])
    expect(reader.page.locator(".is-sending .fault")).to_have_count(2)
    reader.keeps_picture("offline")

    reader.context.set_offline(False)

    expect(reader.page.locator(".is-sending")).to_have_count(0)
    expect(reader.page.locator("#lost")).to_be_empty()
    expect(reader.page.locator(".log .fault")).to_have_count(0)
    expect(reader.page.locator(".assistant")).to_have_count(4)
    assert reader.said() == ["menu", "nhiệm vụ 2.1", "nhiệm vụ 2.2"]
    first, second = reader.heard()[-2:]
    assert "2.1" in first
    assert "2.2" in second
    reader.reloads()
    assert reader.said() == ["menu", "nhiệm vụ 2.1", "nhiệm vụ 2.2"]


def test_a_reload_keeps_the_talk_and_the_draft(reader: Reader) -> None:
    reader.asks("nhiệm vụ 2.1")
    reader.asks("phí kiểm định cân ô tô bao nhiêu")
    reader.page.fill("#box", "đang gõ dở\ndòng hai")
    talk, choices = reader.talk(), reader.choices()

    reader.reloads()

    assert (reader.talk(), reader.choices()) == (talk, choices)
    assert reader.page.input_value("#box") == "đang gõ dở\ndòng hai"
    reader.asks("1")
    assert len(reader.talk()) == len(talk) + 2


def test_a_page_looks_the_same_whether_a_message_came_or_was_loaded(reader: Reader) -> None:
    shape = """() => [...document.querySelectorAll(".message")].map((it) => [
      it.className.trim(), it.innerText.replace(/\\s+/g, " "), it.getBoundingClientRect().height,
      [...it.querySelectorAll("*")].map((inner) => inner.tagName + "." + inner.className).join(" ")])"""
    reader.asks("ai chủ trì nhiệm vụ 2.2")
    reader.asks("phí kiểm định cân ô tô bao nhiêu")
    reader.taps("Hỏi cách khác")
    reader.asks("menu")
    came = reader.page.evaluate(shape)

    reader.reloads()

    assert reader.page.evaluate(shape) == came


def test_a_reload_before_the_receipt_sends_the_message_again_and_it_counts_once(reader: Reader) -> None:
    """The server has the message, the page does not know: the same id goes out again."""
    reader.asks("menu")
    reader.may_see(OFFLINE)

    def lose_the_receipt(route: Route) -> None:
        route.fetch()
        route.abort()

    reader.page.route("**/chat", lose_the_receipt, times=1)
    reader.writes("nhiệm vụ 2.1")
    expect(reader.page.locator(".is-sending .fault")).to_be_visible()
    reader.reloads()

    expect(reader.page.locator(".is-sending")).to_have_count(0)
    reader.asks("nhiệm vụ 2.2")
    assert reader.said() == ["menu", "nhiệm vụ 2.1", "nhiệm vụ 2.2"]
    assert len(reader.heard()) == 4


def test_a_server_struck_down_in_mid_talk_loses_nothing(house: House, meet: Meet) -> None:
    reader = meet(house.opens())
    reader.may_see(OFFLINE)
    reader.asks("phí kiểm định cân ô tô bao nhiêu")
    house.is_struck_down()
    expect(reader.page.locator("#lost")).to_have_text(LOST)
    reader.writes("1")
    expect(reader.page.locator(".is-sending .text")).to_have_text(["1"])
    reader.page.fill("#box", "gõ tiếp khi mất kết nối")
    reader.keeps_picture("lost")

    house.opens()

    expect(reader.page.locator("#lost")).to_be_empty(timeout=20_000)
    expect(reader.page.locator(".is-sending")).to_have_count(0)
    expect(reader.page.locator(".assistant")).to_have_count(3)
    assert reader.said() == ["phí kiểm định cân ô tô bao nhiêu", "1"]
    assert "mã Q1" in reader.heard()[-1]
    assert reader.page.input_value("#box") == "gõ tiếp khi mất kết nối"
    talk = reader.talk()
    reader.reloads()
    assert reader.talk() == talk


def test_somebody_too_fast_is_told_so_and_the_message_waits_for_them(house: House, meet: Meet) -> None:
    reader = meet(house.opens(DOLUONG_MESSAGES_PER_MINUTE="1"))
    reader.may_see(OFFLINE, "429 (Too Many Requests)")
    reader.asks("nhiệm vụ 2.1")
    reader.writes("nhiệm vụ 2.2")
    expect(reader.page.locator(".is-failed .fault")).to_contain_text("gửi nhanh quá")
    expect(reader.page.get_by_role("button", name="Gửi lại")).to_be_visible()
    reader.keeps_picture("failed")

    house.is_struck_down()
    expect(reader.page.locator("#lost")).to_have_text(LOST)
    house.opens()

    expect(reader.page.locator(".assistant")).to_have_count(3, timeout=20_000)
    assert reader.said() == ["nhiệm vụ 2.1", "nhiệm vụ 2.2"]
    expect(reader.page.locator(".is-failed")).to_have_count(0)


@pytest.mark.parametrize("way", ["mute", "refused"])
def test_answers_come_by_asking_where_a_proxy_holds_the_stream_back(reader: Reader, way: str) -> None:
    reader.may_see(OFFLINE)

    def hold(route: Route) -> None:
        if "wait=" in route.request.url:
            route.continue_()
        elif way == "refused":
            route.abort()

    reader.page.route("**/chat/events?*", hold)
    reader.reloads()

    assert "2.1" in reader.asks("nhiệm vụ 2.1")
    other = reader.opens_a_second_tab()
    other.asks("nhiệm vụ 2.2")
    expect(reader.page.locator(".assistant")).to_have_count(3)
    assert "2.2" in reader.heard()[-1]
    expect(reader.page.locator("#lost")).to_be_empty()
    reader.page.unroute_all(behavior="ignoreErrors")
    assert other.complaints == []


def test_what_is_delivered_twice_is_shown_once(reader: Reader) -> None:
    def repeat(route: Route) -> None:
        if "wait=" not in route.request.url:
            return
        answer = route.fetch()
        body = answer.json()
        route.fulfill(response=answer, json={**body, "messages": body["messages"] * 2})

    reader.page.route("**/chat/events?*", repeat)
    reader.reloads()
    reader.asks("nhiệm vụ 2.1")

    assert len(reader.talk()) == 3
    reader.page.unroute_all(behavior="ignoreErrors")


def test_what_is_asked_in_one_tab_is_seen_in_the_other(reader: Reader) -> None:
    other = reader.opens_a_second_tab()
    other.asks("nhiệm vụ 2.1")

    expect(reader.page.locator(".assistant")).to_have_count(2)
    assert reader.heard() == other.heard()
