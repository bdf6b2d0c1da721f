"""The crash proofs in a small count; `make prove` does more.

Under load: each fault point once on each database and three random kills, of 200. In one survey: four kills on each
database, of 50.
"""

import random

import pytest

from content.everything import Content
from handlers.answers import answer
from handlers.understand import Understanding
from tests.crash import survey
from tests.crash.load import script
from tests.crash.proof import LEAKS, SMALL, catch_early, catch_forgetful, survive
from tests.prove import main
from tests.world import Sqlite


async def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(url: str) -> None:
    """The service is killed at each of its fault points and then anywhere, always under load."""
    outcome = await survive(url, SMALL, random.Random(996))

    assert outcome.faults == (), outcome.sentence
    assert outcome.counts["kills"] == 8 * len(SMALL.times) + SMALL.instants
    assert outcome.counts["open at a kill and kept"] > 0
    assert outcome.counts["open at a kill and not kept"] > 0


async def test_an_answer_before_the_commit_is_caught(sqlite: Sqlite) -> None:
    """The proof proves something: the mutant loses what it has acknowledged, at each fault point where that shows."""
    outcomes = await catch_early(sqlite.new, random.Random(996), LEAKS)

    assert len(outcomes) == 4
    for point, outcome in outcomes.items():
        assert any("acknowledged and lost" in fault for fault in outcome.faults), point


async def test_a_turn_that_happens_twice_is_caught(sqlite: Sqlite) -> None:
    """The proof proves something: the mutant takes a repeat for something new."""
    outcome = await catch_forgetful(sqlite.new(), random.Random(996))

    assert any("turns for one message" in fault for fault in outcome.faults)


async def test_no_acknowledged_answer_of_a_survey_is_lost_and_the_next_question_is_right(url: str) -> None:
    """The service is killed around four answers of one survey, which is then answered to its end and sent."""
    outcome = await survey.survive(url, survey.SMALL, random.Random(996))

    assert outcome.faults == (), outcome.sentence
    assert outcome.counts["kills"] == 4
    assert outcome.counts["open at a kill and kept"] > 0
    assert outcome.counts["open at a kill and not kept"] > 0
    assert outcome.counts["answers edited"] > 0


async def test_an_answer_to_a_survey_before_the_commit_is_caught(sqlite: Sqlite) -> None:
    """The proof proves something: the mutant acknowledges an answer that is not there after its death."""
    outcomes = await survey.catch_early(sqlite.new, random.Random(996))

    assert len(outcomes) == 2
    for moment, outcome in outcomes.items():
        assert any("acknowledged and lost" in fault for fault in outcome.faults), moment


def test_the_visitors_ask_what_they_believe_to_ask(content: Content) -> None:
    """Known questions are answered from the plan, unknown ones are offered to staff, whatever their number."""
    understanding = Understanding(content)
    for sending, _ in zip(script("7"), range(500), strict=False):
        if sending.kind in ("known", "unknown"):
            text = sending.body["text"]
            kind = answer(content, understanding.understand(text), "vi").kind

            assert kind == ("plan" if sending.kind == "known" else "handoff"), text


def test_an_unknown_proof_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 2
    assert "there are: crash, survey, store, " in capsys.readouterr().err
