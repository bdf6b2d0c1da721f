"""What an export reads, on both databases."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from storage.database import Database, open_database
from storage.exports import AT_ONCE, Counts, Wanted, snapshot
from tests.storage.answered import (
    FORM,
    NEW,
    OLD,
    response,
    small_form,
    store_forms,
    store_personal,
    store_responses,
)
from tests.world import START

DAY = timedelta(days=1)
ALL = Wanted(FORM)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A database that knows both versions of the small form."""
    opened = open_database(url)
    store_forms(opened)
    yield opened
    opened.close()


def test_versions_come_newest_first(database: Database) -> None:
    with snapshot(database) as found:
        assert found.form_ids() == [FORM]
        assert found.definitions(FORM) == [(NEW, small_form(NEW).dump()), (OLD, small_form(OLD).dump())]
        assert found.definitions("another_form") == []


def test_a_response_comes_as_it_was_stored(database: Database) -> None:
    answers = {"tax_code": ["0100109106"], "contact": ["", "p"], "needs": [["training", "checks"]]}
    store_responses(database, [response(1, answers, rival=True), response(2, version=OLD, status="partial")])
    store_personal(database, 1, {"contact": "Nguyễn Đức «=1+1»\n😀", "phone": "0900000000"})

    with snapshot(database) as found:
        first, second = found.responses(ALL, personal=True)

    assert first.answers == answers
    assert first.personal == {"contact": "Nguyễn Đức «=1+1»\n😀", "phone": "0900000000"}
    assert (first.code, first.form_id, first.version, first.year) == ("7KQ4MXW20001", FORM, NEW, 2026)
    assert (first.status, first.rival, first.started_at, first.submitted_at) == (
        "submitted",
        True,
        START,
        START,
    )
    assert (second.status, second.version, second.submitted_at, second.personal) == (
        "partial",
        OLD,
        None,
        {},
    )


def test_personal_values_stay_where_they_are_unless_asked_for(database: Database) -> None:
    store_responses(database, [response(1, {"contact": ["", "p"]})])
    store_personal(database, 1, {"contact": "Nguyễn Đức"})

    with snapshot(database) as found:
        [one] = found.responses(ALL, personal=False)

    assert one.personal == {}


def test_what_was_given_up_counts_nowhere(database: Database) -> None:
    store_responses(
        database,
        [response(1), response(2, status="partial"), response(3, status="cancelled"), response(4)],
    )

    with snapshot(database) as found:
        assert found.counts(ALL) == Counts(submitted=2, partial=1)
        assert [one.code[-1] for one in found.responses(ALL, personal=False)] == ["1", "2", "4"]
        assert [one.code[-1] for one in found.responses(ALL, "partial", personal=False)] == ["2"]
        assert found.counts(Wanted("another_form")) == Counts()


@pytest.mark.parametrize(
    ("since", "until", "codes"),
    [
        (None, None, ["1", "2", "3"]),
        (START, None, ["2", "3"]),
        (None, START, ["1"]),
        (START, START + DAY, ["2"]),
        (START + 2 * DAY, None, []),
    ],
)
def test_the_day_is_that_of_handing_in_or_of_the_last_change(
    database: Database, since: object, until: object, codes: list[str]
) -> None:
    """The first was handed in on the day before, though it was changed since."""
    store_responses(
        database,
        [
            response(1, at=START - DAY, updated_at=START + DAY),
            response(2, at=START),
            response(3, at=START - DAY, updated_at=START + DAY, status="partial"),
        ],
    )
    wanted = Wanted(FORM, since, until)  # type: ignore[arg-type]

    with snapshot(database) as found:
        assert [one.code[-1] for one in found.responses(wanted, personal=False)] == codes
        assert found.counts(wanted).total == len(codes)


def test_the_last_instance_is_found_among_all_answers(database: Database) -> None:
    store_responses(
        database,
        [
            response(1, {"branch.1": ["a"], "branch.11": ["b"], "how_many.scale": [3]}),
            response(2, {"branch.2": ["c"], "remark": ["d"]}, status="partial"),
            response(3, {"branch.40": ["e"]}, status="cancelled"),
        ],
    )

    with snapshot(database) as found:
        assert found.largest(ALL, {"branch", "how_many", "remark"}) == {"branch": 11}
        assert found.largest(ALL, set()) == {}


def test_a_snapshot_stays_at_its_moment_while_others_write(database: Database) -> None:
    store_responses(database, [response(1)])

    with snapshot(database) as found:
        before = found.counts(ALL)
        store_responses(database, [response(2)])
        after = [one.code[-1] for one in found.responses(ALL, personal=True)]

    assert before == Counts(submitted=1)
    assert after == ["1"]


def test_many_rows_come_in_order_and_in_parts(database: Database) -> None:
    many = 2 * AT_ONCE + 1
    store_responses(database, [response(number, {"branches": [number]}) for number in range(1, many + 1)])

    with snapshot(database) as found:
        numbers = [one.answers["branches"][0] for one in found.responses(ALL, personal=True)]

    assert numbers == list(range(1, many + 1))
