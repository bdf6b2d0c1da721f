"""What figures are counted from, on both databases."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.figures import read_figures
from storage.database import Database, open_database
from storage.exports import AT_ONCE
from storage.figures import Survey, Twins, survey
from tests.figures import demand, demand_rows
from tests.storage.answered import FORM, NEW, OLD, response, store_forms, store_responses
from tests.world import START

HOUR = timedelta(hours=1)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A database that knows both versions of the small form."""
    opened = open_database(url)
    store_forms(opened)
    yield opened
    opened.close()


def _counted(found: Survey) -> list[str]:
    return [one.answers["tax_code"][0] for one in found.answers()]


def _ids(twins: Sequence[Twins]) -> list[tuple[str, list[int]]]:
    return [(one.tax_code, [response.id for response in one.responses]) for one in twins]


def test_only_what_was_handed_in_for_the_form_and_year_counts(database: Database) -> None:
    store_responses(
        database,
        [
            response(1, {"tax_code": ["a"]}),
            response(2, {"tax_code": ["b"]}, status="partial"),
            response(3, {"tax_code": ["c"]}, status="cancelled"),
            response(4, {"tax_code": ["d"]}, year=2025),
            response(5, {"tax_code": ["e"]}, version=OLD),
        ],
    )

    with survey(database, FORM, 2026) as found:
        assert _counted(found) == ["a", "e"]
        assert [version for version, _ in found.definitions()] == [NEW, OLD]
    with survey(database, "another_form", 2026) as found:
        assert (_counted(found), found.definitions(), found.twins) == ([], [], ())


def test_of_one_tax_code_the_last_one_handed_in_counts_until_staff_choose(database: Database) -> None:
    """Whatever order they were begun in; one that was given up is no twin."""
    store_responses(
        database,
        [
            response(1, {"tax_code": ["first"]}, tax_code="0100109106", at=START + HOUR),
            response(2, {"tax_code": ["second"]}, tax_code="0100109106", at=START),
            response(3, {"tax_code": ["alone"]}, tax_code="0300588569"),
            response(4, {"tax_code": ["given up"]}, tax_code="0300588569", status="cancelled"),
            response(5, {"tax_code": ["household"]}),
            response(6, {"tax_code": ["another household"]}),
            response(7, {"tax_code": ["x"]}, tax_code="4100259564", at=START),
            response(8, {"tax_code": ["y"]}, tax_code="4100259564", at=START),
            response(9, {"tax_code": ["z"]}, tax_code="4100259564", at=START - HOUR),
        ],
    )

    with survey(database, FORM, 2026) as found:
        assert _ids(found.twins) == [("0100109106", [2, 1]), ("4100259564", [9, 7, 8])]
        assert [one.counted.id for one in found.twins] == [1, 8]
        assert _counted(found) == ["first", "alone", "household", "another household", "y"]
    with survey(database, FORM, 2026, set_aside={1, 8}) as found:
        assert _ids(found.twins) == [("4100259564", [9, 7])]
        assert _counted(found) == ["second", "alone", "household", "another household", "x"]


def test_a_moment_stays_as_it_was_while_others_write(database: Database) -> None:
    store_responses(database, [response(1, {"tax_code": ["a"]}, tax_code="0100109106")])

    with survey(database, FORM, 2026) as found:
        assert found.twins == ()
        store_responses(database, [response(2, {"tax_code": ["b"]}, tax_code="0100109106")])
        assert (_counted(found), found.twins) == (["a"], ())


def test_the_whole_survey_is_counted_in_parts(url: str) -> None:
    database = open_database(url)
    store_forms(database, demand().file)
    many = 2 * AT_ONCE + 1
    store_responses(database, demand_rows(many))

    found = read_figures(database, "demand_survey", 2026, ZONE)

    assert (found.figures.responses, found.twins) == (many, ())
    assert found.figures.distributions["sector"].answered is not None
    assert found.figures.amounts["instrument_count"].whole is not None
    assert found.figures.amounts["trainee_count"].rows[0].total is not None
    assert found.figures.calendars["next_expiry"].spans
    assert found.figures.distributions["size"].shares
    assert "consent" not in found.figures.distributions
    database.close()


def test_nothing_was_answered_yet(database: Database) -> None:
    figures = read_figures(database, FORM, 2026, ZONE).figures

    assert figures.responses == 0
    assert {one.answered for one in figures.distributions.values()} == {None}
    assert {one.answered for one in figures.calendars.values()} == {None}


def test_a_day_is_the_offices_own(database: Database) -> None:
    """Half past six in the evening of the 20th by UTC is the 21st in Quy Nhơn."""
    evening = START.replace(hour=18, minute=30)
    store_responses(database, [response(1), response(2, at=evening), response(3, at=evening)])

    found = read_figures(database, FORM, 2026, ZONE)

    assert found.days == {date(2026, 11, 20): 1, date(2026, 11, 21): 2}
    assert found.form is not None
    assert found.form.version == NEW
