"""Responses to the survey as a province might give them: skewed, with gaps, from some numbers of enterprises up."""

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

from content.forms import Form, Question, load_form
from content.load import HERE
from tests.storage.answered import response
from tests.world import START

DEMAND = "demand_survey"
_STATES = (["", "?"], ["", "-"])


@cache
def demand() -> Form:
    """The yearly survey."""
    return load_form(HERE / "forms" / f"{DEMAND}.yaml")


def answers_of(form: Form, chance: Random) -> dict[str, list[Any]]:
    """One enterprise's answers: what applies, mostly answered, common choices far more often than rare ones."""
    answers: dict[str, list[Any]] = {"consent": ["yes"]}
    uses = chance.random() < 0.9
    for question in form.questions:
        if question.name == "consent" or question.kind in ("note", "calculate"):
            continue
        each = question.repeat.each if question.repeat else None
        if each:
            chosen = answers.get(each, [[]])
            for name in chosen[0] if len(chosen) == 1 else ():
                answers[f"{question.name}.{name}"] = _answer(question, chance)
        elif question.row.personal:
            answers[question.name] = ["", "p"]
        elif question.name == "legal_form":
            answers[question.name] = [
                "llc" if chance.random() < 0.6 else chance.choice(question.choices[1:]).name
            ]
        elif question.name == "instrument_types" and not uses:
            answers[question.name] = [["none"]]
        elif not _applies(question, answers, uses=uses):
            answers[question.name] = ["", "n"]
        elif not question.later or chance.random() < 0.4:
            answers[question.name] = _answer(question, chance)
    answers["size"] = [
        chance.choice(("micro", "micro", "micro", "small", "small", "medium", "large", "unknown"))
    ]
    return answers


def _applies(question: Question, answers: dict[str, list[Any]], *, uses: bool) -> bool:
    if question.row.number and question.row.number.startswith("H"):
        return answers["legal_form"] == ["service_body"]
    if question.name in ("due_12_months", "next_expiry", "provider", "difficulties", "metrology_staff"):
        return uses
    if question.name in ("topics", "training_format"):
        return "training" in answers["needs"][0]
    return question.name not in ("division", "fields", "unmet_measurement", "remind_expiry")


def _answer(question: Question, chance: Random) -> list[Any]:
    if chance.random() < 0.08:
        return list(chance.choice(_STATES))
    names = [choice.name for choice in question.choices if not choice.exclusive]
    match question.kind:
        case "select_one":
            return [_skewed(names, chance)]
        case "select_multiple":
            return [sorted({_skewed(names, chance) for _ in range(chance.randint(1, 3))}, key=names.index)]
        case "integer":
            number = int(chance.paretovariate(0.9)) % 400
            return [number, "~"] if chance.random() < 0.1 else [number]
        case "date":
            month = min(int(chance.expovariate(0.15)), 30)
            return [f"{2026 + (month + 10) // 12}-{(month + 10) % 12 + 1:02}"]
        case _:
            return ["Công ty TNHH Một thành viên Chế biến gỗ và Thương mại Hoài Nhơn"]


def _skewed(names: list[str], chance: Random) -> str:
    return names[min(int(chance.expovariate(3.5 / len(names))), len(names) - 1)]


def demand_rows(count: int, *, seed: int = 996) -> Iterator[dict[str, Any]]:
    """Rows of `responses`, each with a tax code of its own."""
    form, chance = demand(), Random(seed)
    for number in range(1, count + 1):
        yield response(
            number,
            answers_of(form, chance),
            code=f"{number:012}",
            form_id=form.id,
            version=form.version,
            tax_code=f"{number:010}",
            at=START,
        )
