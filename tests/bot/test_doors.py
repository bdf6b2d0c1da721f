"""The commands, as people and programs call them."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
import yaml

from storage.migrate import revisions
from tests.service import ROOT, command
from tests.world import Sqlite

NONE = "sqlite:////nonexistent/never/opened.db"


def test_help_names_every_door_that_is_built() -> None:
    shown = command("--help", url=NONE)

    assert shown.returncode == 0
    for door in ("run", "check", "plan", "ask", "chat", "migrate"):
        assert f"  {door}" in shown.stdout


def test_check_finds_the_content_good_without_a_database() -> None:
    shown = command("check", url=NONE)

    assert (shown.returncode, shown.stdout.splitlines()[-1].rpartition(": ")[2]) == (0, "good")


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("plan/tasks.yaml", "- id: '2.4'", "- idd: '2.4'", "content/plan/tasks.yaml:"),
        ("messages/talk.en.yaml", "{ticket}", "{tickets}", "placeholders differ"),
        ("messages/talk.vi.yaml", "menu_help:", "menu_halp:", "one language only"),
        ("messages/talk.vi.yaml", "menu_help: ", "menu_help: x\nmenu_help: ", "stands twice"),
        ("office.yaml", "province:", "provinz:", "content/office.yaml:"),
        ("menu.yaml", "examples:", "examples: [", "content/menu.yaml:"),
    ],
)
def test_a_broken_content_file_is_named_with_key_and_line(
    tmp_path: Path, file: str, old: str, new: str, complaint: str
) -> None:
    """`run` and every other command refuse it alike, before they touch a database."""
    for package in ("content", "handlers", "storage", "bot"):
        shutil.copytree(ROOT / package, tmp_path / package)
    broken = tmp_path / "content" / file
    text = broken.read_text(encoding="utf-8")
    found = old if old in text else old.replace("'", '"')
    assert found in text
    broken.write_text(text.replace(found, new, 1), encoding="utf-8")

    for door in ("check", "run"):
        shown = command(door, url=NONE, cwd=tmp_path)
        assert shown.returncode == 1
        assert complaint in shown.stderr
        assert len(shown.stderr.splitlines()) == 1
        assert any(letter.isdigit() for letter in shown.stderr)


@pytest.mark.parametrize(
    ("name", "value"),
    [("DOLUONG_PORT", "abc"), ("DOLUONG_TIME_ZONE", "Mars/North"), ("DOLUONG_DATABASE_URL", "mysql://x/y")],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str) -> None:
    shown = command(
        "check", **{"url": NONE, name: value} if name != "DOLUONG_DATABASE_URL" else {"url": value}
    )

    assert shown.returncode == 1
    assert name in shown.stderr
    assert value not in shown.stderr or name != "DOLUONG_DATABASE_URL"


def test_plan_prints_every_item_and_cell() -> None:
    rows = json.loads(command("plan", "--json", url=NONE).stdout)
    tasks = [row for row in rows if "lead" in row]

    assert len(tasks) == 22
    assert set(tasks[0]) == {"id", "title", "text", "lead", "cooperating", "time", "funding"}
    assert all(set(row) == {"id", "title", "text"} for row in rows if "lead" not in row)
    assert {"I.1", "I.2.a-4", "II.2-3.1", "II.2-3.2", "IV-2", "V.1-2", "V.yc"} <= {row["id"] for row in rows}


def test_ask_answers_each_line_an_empty_one_too() -> None:
    shown = command("ask", "--stdin", "--json", url=NONE, given="ai chủ trì nhiệm vụ 2.2\n\nxin chào\n")
    answers = [json.loads(line) for line in shown.stdout.splitlines()]

    assert len(answers) == 3
    assert answers[0]["kind"] == "plan"
    assert answers[0]["citations"][0] == "2.2"
    assert set(answers[0]) == {
        "kind", "text", "citations", "source", "service", "score", "runner_up", "suggestions"
    }  # fmt: skip
    assert 0 <= answers[0]["score"] <= 1
    assert answers[1]["kind"] == "ignored"
    assert answers[2]["kind"] == "smalltalk"


def test_ask_wants_a_question() -> None:
    assert command("ask", url=NONE).returncode == 2
    assert command("ask", "--stdin", "x", url=NONE).returncode == 2


def test_ask_survives_a_question_of_100_kb() -> None:
    shown = command("ask", "--stdin", "--json", url=NONE, given="x" * 100_000 + "\n")

    assert json.loads(shown.stdout)["kind"] != "plan"


def _objects(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_chat_speaks_in_objects_and_ends_each_turn(sqlite: Sqlite) -> None:
    lines = [
        "xin chào",
        '{"tap": "Hướng dẫn"}',
        '{"tap": 1}',
        '{"start": "x"}',
        '{"file": "README.md"}',
        '{"not": "it"}',
    ]
    shown = command("chat", "--as", "An", "--json", url=sqlite.new(), given="\n".join(lines) + "\n")
    objects = _objects(shown.stdout)

    assert shown.returncode == 0
    assert [one for one in objects if "end_of_turn" in one] == [{"end_of_turn": True}] * len(lines)
    assert set(objects[0]) == {"text", "choices", "attachments"}
    assert objects[0]["choices"][0] == {"label": "Hỏi về kế hoạch", "value": "ask:examples"}  # type: ignore[index]


def test_chat_says_nothing_before_the_first_line(sqlite: Sqlite) -> None:
    shown = command("chat", "--json", url=sqlite.new(), given="")

    assert (shown.returncode, shown.stdout) == (0, "")


def test_chat_names_a_file_that_is_not_there(sqlite: Sqlite) -> None:
    shown = command("chat", "--json", url=sqlite.new(), given='{"file": "no/such.pdf"}\n')

    assert _objects(shown.stdout) == [{"error": "no such file: no/such.pdf"}, {"end_of_turn": True}]


def test_chat_goes_on_where_it_stood(sqlite: Sqlite) -> None:
    url = sqlite.new()
    command("chat", "--as", "An", "--json", url=url, given="xin chào\n")
    shown = command("chat", "--as", "An", "--json", url=url, given='{"tap": "2"}\n')

    assert "gõ câu hỏi như nói chuyện" in str(_objects(shown.stdout)[0]["text"])


def test_what_waited_comes_first_with_the_first_turn(sqlite: Sqlite) -> None:
    url = sqlite.new()
    command("chat", "--as", "An", "--json", url=url, given="xin chào\n")
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute(
            "INSERT INTO outbox (address_id, position, status, at, message)"
            " SELECT id, 0, 'waiting', created_at, '[\"while you were away\", [], []]' FROM addresses"
        )
    connection.close()

    shown = command("chat", "--as", "An", "--json", url=url, given="menu\n")

    assert [str(one.get("text", ""))[:14] for one in _objects(shown.stdout)] == [
        "while you were",
        "Anh/Chị chọn m",
        "",
    ]


def test_chat_for_people_shows_numbers(sqlite: Sqlite) -> None:
    shown = command("chat", url=sqlite.new(), given="xin chào\n")

    assert "\n1. Hỏi về kế hoạch" in shown.stdout


def test_chat_saves_a_transcript(sqlite: Sqlite, tmp_path: Path) -> None:
    saved = tmp_path / "talk.yaml"
    command("chat", "--save", str(saved), url=sqlite.new(), given="xin chào\n2\n")
    transcript = yaml.safe_load(saved.read_text(encoding="utf-8"))

    assert [turn["say"] for turn in transcript["talk"]] == ["xin chào", "2"]
    assert transcript["talk"][0]["see"][0]["choices"] == ["Hỏi về kế hoạch", "Hướng dẫn", "English"]


def test_migrate_says_what_it_did(sqlite: Sqlite) -> None:
    url = sqlite.new(migrated=False)

    assert command("migrate", url=url).stdout == f"applied: {', '.join(revisions())}\n"
    assert command("migrate", url=url).stdout == "nothing to apply\n"


@pytest.mark.parametrize("door", ["run", "chat", "migrate"])
def test_a_database_from_the_future_is_refused_in_one_sentence(sqlite: Sqlite, door: str) -> None:
    url = sqlite.new()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    shown = command(door, url=url)

    assert (shown.returncode, len(shown.stderr.splitlines())) == (1, 1)
    assert "later version" in shown.stderr


def test_a_file_that_is_no_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("this is not a database, and it is long enough to be looked at " * 20)

    shown = command("run", url=f"sqlite:///{path}")

    assert (shown.returncode, len(shown.stderr.splitlines())) == (1, 1)


def test_a_port_that_is_taken_is_told_in_one_sentence(sqlite: Sqlite) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        shown = command("run", url=sqlite.new(), DOLUONG_PORT=str(taken.getsockname()[1]))

    assert shown.returncode == 1
    assert "DOLUONG_PORT" in shown.stderr
