"""The web chat's doors over real HTTP, in a process of its own."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
import sqlalchemy as sa

from handlers.messages import Choice, Control, Message
from storage import outbox
from storage.database import open_database
from storage.tables import turns
from tests.bot.test_survey import OWN, SHORT
from tests.service import Running, running
from tests.world import Postgres, Sqlite


@pytest.fixture(scope="module")
def web_url(sqlite: Sqlite) -> str:
    return sqlite.new()


@pytest.fixture(scope="module")
def service(web_url: str) -> Iterator[Running]:
    with running(web_url, DOLUONG_VISITORS_PER_MINUTE="1000") as started:
        yield started


@pytest.fixture
def browser(service: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.address, timeout=30) as client:
        client.get("/")
        yield client


def post(client: httpx.Client, **body: object) -> httpx.Response:
    return client.post("/chat", json={"id": uuid.uuid4().hex, **body})


def news(client: httpx.Client, after: int = 0, wait: float = 5) -> list[dict[str, object]]:
    found = client.get("/chat/events", params={"after": after, "wait": wait}).json()
    messages: list[dict[str, object]] = found["messages"]
    return messages


def test_the_first_message_is_in_the_html(browser: httpx.Client) -> None:
    page = browser.get("/")

    assert "máy trả lời, không phải cán bộ" in page.text
    assert "Hỏi về kế hoạch" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "HttpOnly" in page.headers["set-cookie"]
    assert "SameSite=lax" in page.headers["set-cookie"]


def test_a_visit_alone_keeps_nothing(browser: httpx.Client, web_url: str) -> None:
    before = _count(web_url, "people")
    httpx.get(str(browser.base_url))

    assert _count(web_url, "people") == before


def test_a_question_is_answered_and_stays_after_a_reload(browser: httpx.Client) -> None:
    posted = post(browser, text="ai chủ trì nhiệm vụ 2.2")
    [answer] = news(browser)

    assert posted.json() == {"cursor": answer["cursor"]}
    assert "Trung tâm Phân tích" in str(answer["text"])
    page = browser.get("/").text
    assert "ai chủ trì nhiệm vụ 2.2" in page
    assert f'data-cursor="{answer["cursor"]}"' in page


def test_another_tab_is_told_what_was_asked(browser: httpx.Client) -> None:
    name = uuid.uuid4().hex
    browser.post("/chat", json={"id": name, "text": "nhiệm vụ 2.1"})
    found = browser.get("/chat/events", params={"after": 0, "wait": 1, "mine": ""}).json()["messages"]

    assert [(one["who"], one.get("id")) for one in found] == [("person", name), ("assistant", None)]
    assert found[0]["text"] == "nhiệm vụ 2.1"


def test_asking_without_waiting_gives_what_is_there(browser: httpx.Client) -> None:
    post(browser, text="nhiệm vụ 2.1")

    assert len(news(browser, wait=0)) == 1


def test_events_stream_what_is_after_the_cursor(browser: httpx.Client) -> None:
    first = post(browser, text="ai chủ trì nhiệm vụ 2.2").json()["cursor"]
    post(browser, text="nhiệm vụ 2.1")

    with browser.stream("GET", "/chat/events", headers={"Last-Event-ID": str(first)}) as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data: "))
        shown = json.loads(next(lines).removeprefix("data: "))

    assert "2.1" in shown["text"]
    assert shown["cursor"] > first


def test_the_same_id_twice_is_one_message(browser: httpx.Client) -> None:
    name = uuid.uuid4().hex
    for _ in range(3):
        assert browser.post("/chat", json={"id": name, "text": "nhiệm vụ 2.1"}).status_code == 200

    assert len(news(browser)) == 1


def test_one_visitors_id_does_not_use_up_anothers(service: Running) -> None:
    name = uuid.uuid4().hex
    for _ in range(2):
        with httpx.Client(base_url=service.address) as client:
            client.get("/")
            client.post("/chat", json={"id": name, "text": "nhiệm vụ 2.1"})
            assert len(news(client)) == 1


def test_not_me_ends_the_conversation_on_this_machine(browser: httpx.Client) -> None:
    post(browser, text="nhiệm vụ 2.1")
    old = browser.cookies["doluong"]
    assert browser.post("/chat/leave").status_code == 303

    copied = {"Cookie": f"doluong={old}"}
    with httpx.Client(base_url=browser.base_url) as thief:
        assert thief.post("/chat", json={"id": "abcdefgh", "text": "x"}, headers=copied).status_code == 410
        assert "nhiệm vụ 2.1" not in thief.get("/", headers=copied).text
        assert thief.get("/chat/events?after=0&wait=0.2", headers=copied).status_code == 410


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"id": "abcdefgh"}', "application/json", 400),
        (b'{"id": "short", "text": "x"}', "application/json", 400),
        (b'{"id": "abcd\'efgh", "text": "x"}', "application/json", 400),
        (b'{"id": "abcdefgh", "text": "x", "tap": "y"}', "application/json", 400),
        (b'{"id": "abcdefgh", "text": 7}', "application/json", 400),
        (b'{"id": 12345678, "text": "x"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"id": "abcdefgh", "text": "' + b"x" * 600_000 + b'"}', "application/json", 413),
        (b"text=x", "application/x-www-form-urlencoded", 415),
        (b"x", "text/plain", 415),
        (b"x", "multipart/form-data", 400),
        (b"x", "multipart/form-data; boundary=b", 400),
    ],
)
def test_a_malformed_body_is_refused_in_one_sentence(
    browser: httpx.Client, body: bytes, kind: str, status: int
) -> None:
    refused = browser.post("/chat", content=body, headers={"Content-Type": kind})

    assert refused.status_code == status
    assert refused.json()["error"].endswith(".")


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "a\x00b", "👍", "x" * 100_000, "Kế hoạch", "\\ud800", "<b>&amp;</b>"], ids=repr
)
def test_any_text_is_taken(browser: httpx.Client, text: str) -> None:
    body = json.dumps({"id": uuid.uuid4().hex, "text": text}).replace("\\\\ud800", "\\ud800")

    assert (
        browser.post("/chat", content=body, headers={"Content-Type": "application/json"}).status_code == 200
    )
    assert browser.get("/").status_code == 200


def test_what_people_write_never_becomes_markup(browser: httpx.Client) -> None:
    post(browser, text="<img src=x onerror=alert(1)>")

    assert "<img src=x" not in browser.get("/").text


def test_a_photo_is_answered(browser: httpx.Client) -> None:
    sent = browser.post(
        "/chat", data={"id": uuid.uuid4().hex}, files={"file": ("cân.jpg", b"\xff\xd8\xff", "image/jpeg")}
    )

    assert sent.status_code == 200
    assert "chưa đọc được ảnh" in str(news(browser)[-1]["text"])


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=99999999999999999999", "wait=x", "wait=nan"])
def test_a_cursor_that_cannot_be_is_refused(browser: httpx.Client, query: str) -> None:
    assert browser.get(f"/chat/events?{query}").status_code == 400


def test_events_without_a_cookie_say_that_the_visitor_is_gone(service: Running) -> None:
    assert httpx.get(f"{service.address}/chat/events?after=0").status_code == 410
    assert httpx.get(f"{service.address}/chat/events?after=0", cookies={"doluong": "x"}).status_code == 410


def test_another_site_cannot_write_in_somebodys_name(browser: httpx.Client) -> None:
    refused = browser.post(
        "/chat", json={"id": "abcdefgh", "text": "x"}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert refused.status_code == 403


def test_a_refusal_is_in_the_pages_language(browser: httpx.Client) -> None:
    assert "not in the right form" in browser.post("/chat", headers={"Accept-Language": "en"}).json()["error"]


@pytest.mark.parametrize(
    "path", ["/static/../receive.py", "/static/%2e%2e/receive.py", "/static/", "/nothing", "/.env"]
)
def test_only_what_is_meant_to_be_served_is_served(service: Running, path: str) -> None:
    assert httpx.get(service.address + path).status_code in (404, 405)


def test_static_files_are_kept_for_a_year(browser: httpx.Client) -> None:
    import re

    [script] = re.findall(r'src="(/static/page\.js\?v=\w+)"', browser.get("/").text)

    assert "immutable" in browser.get(script).headers["cache-control"]


def test_health(service: Running) -> None:
    assert httpx.get(f"{service.address}/healthz").text == "ok"
    assert httpx.get(f"{service.address}/readyz").json()["database"] == "ok"


def test_somebody_too_fast_is_told_how_long_to_wait(sqlite: Sqlite) -> None:
    with (
        running(sqlite.new(), DOLUONG_MESSAGES_PER_MINUTE="3") as service,
        httpx.Client(base_url=service.address) as client,
    ):
        client.get("/")
        answers = [post(client, text="menu") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert "Xin chờ" in answers[-1].json()["error"]
    assert int(answers[-1].headers["retry-after"]) <= 20


def test_a_database_that_stays_locked_is_503_and_the_same_message_comes_again(sqlite: Sqlite) -> None:
    url = sqlite.new()
    with (
        running(url, DOLUONG_DATABASE_BUSY_SECONDS="0.3") as service,
        httpx.Client(base_url=service.address) as client,
    ):
        client.get("/")
        locker = open_database(url)
        with locker.writer.connect() as holding, holding.begin():
            holding.execute(sa.text("UPDATE people SET greeted = greeted"))
            refused = client.post("/chat", json={"id": "abcdefgh", "text": "nhiệm vụ 2.1"})
            unready = client.get("/readyz")
        taken = client.post("/chat", json={"id": "abcdefgh", "text": "nhiệm vụ 2.1"})
        locker.close()

        assert (refused.status_code, unready.status_code, taken.status_code) == (503, 503, 200)
        assert refused.json()["retry_after"] > 0
        assert len(news(client)) == 1


def test_a_restart_in_mid_talk_loses_nothing(sqlite: Sqlite) -> None:
    url = sqlite.new()
    with running(url) as service, httpx.Client(base_url=service.address) as client:
        client.get("/")
        cursor = post(client, text="phí kiểm định cân ô tô bao nhiêu").json()["cursor"]
        cookie = client.cookies["doluong"]
        service.kill()
    with running(url) as service:
        client = httpx.Client(base_url=service.address, cookies={"doluong": cookie})
        post(client, text="1")

        assert "mã Q1" in str(news(client, after=cursor)[0]["text"])
        client.close()


def test_sigterm_drains_and_ends_cleanly(sqlite: Sqlite) -> None:
    with running(sqlite.new()) as service, httpx.Client(base_url=service.address) as client:
        client.get("/")
        post(client, text="menu")
        with client.stream("GET", "/chat/events?after=0") as stream:
            next(stream.iter_lines())
            assert service.stop() == 0


def test_two_processes_share_one_database(databases: Sqlite | Postgres) -> None:
    """What one process is told, a page open at the other one sees within its next look."""
    url = databases.new()
    with running(url) as one, running(url) as two, httpx.Client(base_url=one.address) as client:
        client.get("/")
        post(client, text="nhiệm vụ 2.1")
        other = httpx.Client(base_url=two.address, cookies=dict(client.cookies))

        assert len(news(other)) == 1
        assert "2.2" in str(
            post(other, text="nhiệm vụ 2.2") and news(client, after=news(client)[0]["cursor"])[0]["text"]
        )  # type: ignore[arg-type]
        other.close()


def test_a_question_of_a_form_travels_with_all_it_needs(browser: httpx.Client, web_url: str) -> None:
    """What it needs is there, and nothing of it where there is no need."""
    cursor = post(browser, text="nhiệm vụ 2.1").json()["cursor"]
    boxes = Control(
        "several", "form:pick:q:", picked=("mass",), typed="Gõ các số.", alone=("none",), sends="form:set:q:"
    )
    _says(
        web_url,
        Message(
            "Phép đo nào?",
            (Choice("Khối lượng", "form:pick:q:mass"), Choice("Bỏ qua", "form:skip", aside=True)),
            control=boxes,
            progress=(7, 18),
            counted="Câu 7/18",
        ),
        Message("Mấy chiếc?", control=Control("numbers", "form:line:k:", ("Cân", "Ẩm kế"))),
        Message("Cảm ơn Anh/Chị."),
    )

    several, numbers, last = news(browser, after=cursor, wait=0)

    assert several["text"] == "Phép đo nào?"
    assert several["choices"] == [
        {"label": "Khối lượng", "value": "form:pick:q:mass"},
        {"label": "Bỏ qua", "value": "form:skip", "aside": True},
    ]
    assert several["control"] == {
        "kind": "several",
        "value": "form:pick:q:",
        "sends": "form:set:q:",
        "labels": [],
        "picked": ["mass"],
        "alone": ["none"],
    }
    assert several["progress"] == [7, 18]
    assert numbers["control"]["labels"] == ["Cân", "Ẩm kế"]  # type: ignore[index]
    assert set(last) == {"text", "choices", "attachments", "cursor", "who", "name"}


def test_a_long_answer_of_tick_boxes_is_taken(browser: httpx.Client) -> None:
    label = ", ".join(f"Phương tiện đo thứ {number}" for number in range(100))

    assert post(browser, tap="form:pick:q:" + "+".join(map(str, range(500))), label=label).status_code == 200


def _says(url: str, *messages: Message) -> None:
    """Put messages into the outbox of whoever wrote last, as if their turn went on."""
    database = open_database(url)
    with database.writer.begin() as connection:
        turn = connection.execute(turns.select().order_by(turns.c.id.desc()).limit(1)).one()
        now = datetime.now(UTC)
        lines = [
            outbox.NewLine(turn.address_id, turn.id, place, now, message)
            for place, message in enumerate(messages, 1)
        ]
        outbox.add(connection, lines)
    database.close()


def _count(url: str, table: str) -> int:
    database = open_database(url)
    with database.reader.connect() as connection:
        found: int = connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()
    database.close()
    return found


def test_a_talk_with_a_question_for_a_telephone_number_is_shown_again(sqlite: Sqlite) -> None:
    """What another channel draws for a question is nothing to this page."""
    with (
        running(sqlite.new(), DOLUONG_DEMO="1", DOLUONG_MESSAGES_PER_MINUTE="1000") as service,
        httpx.Client(base_url=service.address, timeout=30) as client,
    ):
        client.get("/")
        for text in (*SHORT, *OWN[:2]):
            assert post(client, text=text).status_code == 200

        page = client.get("/")

    assert page.status_code == 200
    assert "điện thoại hay email" in page.text
