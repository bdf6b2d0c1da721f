"""Questions with what a right answer cites or does, and the judge of an answer.

`python -m tests.questions [FILE…]` prints the figures and what was answered wrongly.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from handlers.answers import Answer
from handlers.hearing import Hearing

HERE = Path(__file__).parent
LONGEST = 2_500  # characters of an answer that is no dump
PLAN_KINDS = frozenset({"fact", "attribute", "multi", "list", "vague", "nodiac", "teencode", "english"})


@dataclass(frozen=True)
class Question:
    """A question and what must come of it.

    `cites` are the ids of which one is among the first three cited; `says` are groups of wordings, one of each
    stands in the answer; `wants` is the kind or the service that must come instead of an answer of the plan.
    """

    ask: str
    kind: str
    cites: tuple[str, ...] = ()
    says: tuple[tuple[str, ...], ...] = ()
    wants: str | None = None


@dataclass(frozen=True)
class Missed:
    """A question that was not answered as it should be."""

    question: Question
    told: Answer


def questions(name: str) -> tuple[Question, ...]:
    """The questions of one file of this folder."""
    rows: list[dict[str, Any]] = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    return tuple(
        Question(
            ask=row["ask"],
            kind=row["is"],
            cites=tuple(row.get("cites", ())),
            says=tuple(tuple(group) for group in row.get("says", ())),
            wants=row.get("wants"),
        )
        for row in rows
    )


def is_right(question: Question, told: Answer) -> bool:
    """Whether the answer cites and says, or does, what the question wants."""
    if question.kind in PLAN_KINDS:
        found = _is_cited(told.citations[:3], question.cites)
        return told.kind in ("plan", "faq") and found and _says(told.text, question.says)
    if question.kind == "document":
        return told.kind == "plan" and not told.citations and _says(told.text, question.says)
    if question.kind == "faq":
        return (
            told.kind == "faq"
            and bool(told.source)
            and not told.citations
            and _says(told.text, question.says)
        )
    if question.kind == "service":
        return told.kind == "service" and told.service == question.wants
    return _is_harmless(question, told)


def score(hearing: Hearing, asked: Iterable[Question]) -> tuple[dict[str, tuple[int, int]], list[Missed]]:
    """How many of each kind are right of how many, and the others."""
    figures: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    missed = []
    for question in asked:
        said = hearing(question.ask)
        told = said.answers[said.understood.language]
        right = is_right(question, told)
        figures[question.kind][0] += right
        figures[question.kind][1] += 1
        if not right:
            missed.append(Missed(question, told))
    return {kind: (right, whole) for kind, (right, whole) in figures.items()}, missed


def share(figures: dict[str, tuple[int, int]], kinds: Iterable[str] | None = None) -> float:
    """The part that is right, of the kinds named or of all."""
    counted = [figure for kind, figure in figures.items() if kinds is None or kind in kinds]
    return sum(right for right, _ in counted) / max(1, sum(whole for _, whole in counted))


def _is_harmless(question: Question, told: Answer) -> bool:
    """Nothing of the plan is claimed and nothing begun; where a person is expected the question is handed on."""
    sourced = told.kind == "faq" and bool(told.source) and question.kind.startswith("metrology")
    if told.citations or told.kind in ("plan", "service") or (told.kind == "faq" and not sourced):
        return False
    return question.wants in ("none", told.kind) or (question.wants == "handoff" and sourced)


def _is_cited(cited: Iterable[str], right: tuple[str, ...]) -> bool:
    for name in cited:
        parent = name.rsplit("-", 1)[0]
        below = any(other.startswith(f"{parent}-") for other in right)
        if name in right or (parent in right and not below):
            return True
    return False


def _says(text: str, groups: tuple[tuple[str, ...], ...]) -> bool:
    return len(text) <= LONGEST and all(any(_contains(text, one) for one in group) for group in groups)


def _contains(text: str, wording: str) -> bool:
    """Numbers do not touch others: «50» is not in «150»."""
    pattern = re.escape(_plain(wording))
    start = r"(?<!\d)" if wording[:1].isdigit() else ""
    end = r"(?!\d)" if wording[-1:].isdigit() else ""
    return re.search(f"{start}{pattern}{end}", _plain(text)) is not None


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text).casefold())
