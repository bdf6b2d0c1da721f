"""The judge itself: tables of what it must say, so that a walk is judged by something that is right."""

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from content.expressions import Expression
from content.forms import compile_form
from content.load import ContentError
from tests.forms import terms as t
from tests.forms.oracle import Fill, Scene, Value, holds, read, value_of
from tests.forms.random_forms import (
    Calculation,
    Group,
    Node,
    Note,
    Option,
    Question,
    RandomForm,
    Repeat,
    as_form,
    random_form,
)

TODAY = date(2026, 11, 20)
FORMS = 300  # random ones, of those below that look at many


def _more_than(name: str, number: int) -> t.Condition:
    return t.Compare(">", t.Ref(name), t.Amount(Decimal(number)))


def _options(*names: str) -> tuple[Option, ...]:
    return tuple(Option(name, name.upper()) for name in names)


FIELDS = Question("fields", "many", _options("mass", "heat", "none"), "l1")
SIZE = Question("size", "integer")
KIND = Question("kind", "one", _options("shop", "mill"), "l2")
FORM = as_form(
    (
        SIZE,
        KIND,
        FIELDS,
        Group(
            "big",
            (
                Question("plan", "text"),
                Group("inner", (Question("wish", "text"),), _more_than("size", 50)),
            ),
            _more_than("size", 10),
        ),
        Repeat("by_field", (Question("amount", "integer"), Question("due", "month")), each="fields"),
        Calculation("total", t.Total("amount"), _more_than("size", 0)),
        Question(
            "pick",
            "one",
            (Option("p_a", "A", suits=("all",)), Option("p_b", "B", suits=("mill",))),
            "l3",
            filter=t.Any(
                t.Chosen(t.Column("suits"), t.Words("all")), t.Chosen(t.Column("suits"), t.Ref("kind"))
            ),
        ),
        Question("part", "integer", constraint=t.Compare("<=", t.This(), t.Ref("size"))),
        Group("line", (Question("one", "integer"), Question("two", "integer")), line=True),
        Group("after", (Question("more", "text"),), later=True),
    )
)
ALL: dict[str, Fill] = {
    "size": [60], "kind": ["mill"], "fields": [["mass", "heat"]], "plan": ["a"], "wish": ["", "-"],
    "amount.mass": [3], "due.mass": ["2027-01"], "amount.heat": ["", "?"], "due.heat": ["2027-02"],
    "pick": ["p_b"], "part": [7], "one": [1], "two": [2],
}  # fmt: skip


@pytest.mark.parametrize(
    ("label", "answers", "asked"),
    [
        ("nothing yet", {}, ("size",)),
        ("in order", {"size": [60]}, ("kind",)),
        ("a gap before is asked first", {"kind": ["mill"], "fields": [["mass"]]}, ("size",)),
        ("what is passed over is passed over", {"size": ["", "-"], "kind": ["", "?"]}, ("fields",)),
        ("an instance is asked to its end", {**ALL, "due.mass": ["", "n"], "amount.heat": ["", "n"]}, ("due.mass",)),
        ("a line is asked at once", {**ALL, "two": ["", "n"]}, ("one", "two")),
        ("all is answered", ALL, ()),
    ],
)  # fmt: skip
def test_what_is_asked_next(label: str, answers: dict[str, Fill], asked: tuple[str, ...]) -> None:
    prompt = read(FORM, answers, TODAY).next_prompt()

    assert (prompt.places if prompt else ()) == asked, label


@pytest.mark.parametrize(
    ("label", "changed", "withdrawn"),
    [
        ("nothing", {}, {}),
        ("the inner group goes, the outer stays", {"size": [11]}, {}),
        ("both groups go; a skipped answer is none", {"size": [8]}, {"plan": "away"}),
        ("what compares with an unknown number", {"size": ["", "?"]}, {"plan": "away", "part": "wrong"}),
        ("a constraint that no longer holds", {"size": [6]}, {"plan": "away", "part": "wrong"}),
        ("a choice no longer offered", {"kind": ["shop"]}, {"pick": "wrong"}),
        ("one instance goes, the other keeps its own", {"fields": [["heat"]]}, {"amount.mass": "gone", "due.mass": "gone"}),
        ("another instance changes nothing", {"fields": [["none", "mass", "heat"]]}, {}),
    ],
)  # fmt: skip
def test_what_an_edit_withdraws(label: str, changed: dict[str, Fill], withdrawn: dict[str, str]) -> None:
    reading = read(FORM, {**ALL, **changed}, TODAY)

    assert reading.withdrawn == withdrawn, label
    assert not set(withdrawn) & set(reading.answers)


def test_a_sum_leaves_out_what_is_unknown_and_goes_with_its_condition() -> None:
    assert read(FORM, ALL, TODAY).computed == {"total": [3]}
    assert read(FORM, {**ALL, "amount.heat": [4]}, TODAY).computed == {"total": [7]}
    assert read(FORM, {**ALL, "size": [0]}, TODAY).computed == {}


def test_what_comes_later_is_not_asked_before() -> None:
    reading = read(FORM, ALL, TODAY)

    assert reading.next_prompt() is None
    assert [prompt.places for prompt in reading.prompts(later=True)] == [("more",)]


@pytest.mark.parametrize("seed", range(FORMS))
def test_a_random_form_is_a_form(seed: int) -> None:
    form = random_form(Random(seed))
    compiled = compile_form(
        form.file, lambda row, column, problem: ContentError("form", (row, column), 0, problem)
    )

    assert [question.name for question in compiled.questions] == [
        node.name for node in form.all() if not isinstance(node, Group | Repeat)
    ]


def test_random_forms_hold_everything_a_form_may_hold() -> None:
    """Each at least ten times in three hundred: a walk proves nothing about what is never drawn."""
    counts: dict[str, int] = {}
    for seed in range(FORMS):
        for node in random_form(Random(seed)).all():
            for feature in _features(node):
                counts[feature] = counts.get(feature, 0) + 1

    rare = {feature: counts.get(feature, 0) for feature in EVERYTHING if counts.get(feature, 0) < 10}
    assert not rare


EVERYTHING = (
    "text", "integer", "decimal", "date", "month", "one", "many", "Note", "Calculation", "Group", "Repeat",
    "group in a group", "line group", "line repeat", "later", "fixed", "count", "each", "relevant Question",
    "relevant Note", "relevant Calculation", "relevant Group", "relevant Repeat", "constraint", "filter", "required",
    "unknown", "exclusive", "specify", "autocomplete", "personal", "pipes", "Total", "ChoiceName", "Position",
)  # fmt: skip


def _features(node: Node) -> list[str]:
    found = [type(node).__name__]
    text = repr(node)
    found += [name for name in ("Total", "ChoiceName", "Position") if f"{name}(" in text]
    if node.relevant:
        found.append(f"relevant {found[0]}")
    match node:
        case Question():
            found.append(node.kind)
            said = ("constraint", "filter", "required", "unknown", "autocomplete", "personal", "pipes")
            found += [name for name in said if getattr(node, name)]
            found += [
                name for name in ("exclusive", "specify") if any(getattr(o, name) for o in node.options)
            ]
        case Group():
            found += ["line group"] * node.line + ["later"] * node.later
            found += ["group in a group"] * any(isinstance(inner, Group) for inner in node.inside)
        case Repeat():
            found += ["line repeat"] * node.line
            found += [name for name in ("fixed", "count", "each") if getattr(node, name)]
        case Note() | Calculation():
            pass
    return found


def _seen(form: RandomForm, chance: Random) -> dict[str, Value]:
    """Values for every question, some of them missing, as an expression of the engine gets them."""
    return {
        node.name: _drawn(node, chance)
        for node in form.all()
        if isinstance(node, Question) and chance.random() < 0.8
    }


def _drawn(question: Question, chance: Random) -> Value:
    names = [option.name for option in question.options]
    match question.kind:
        case "integer":
            return Decimal(chance.randint(0, 40))
        case "decimal":
            return chance.choice(("0.5", "12.25", "7", "30.1"))
        case "date":
            return chance.choice(("2026-11-19", "2026-11-20", "2027-03-31"))
        case "month":
            return chance.choice(("2026-11", "2027-03", "2027-12"))
        case "one":
            return chance.choice(names)
        case "many":
            return tuple(chance.sample(names, chance.randint(1, len(names))))
        case _:
            return chance.choice(("cam", "mít", "ổi xá lị"))


def _conditions(node: Node) -> list[t.Condition]:
    constraint = node.constraint if isinstance(node, Question) else None
    return [one for one in (node.relevant, constraint) if one]


def test_the_oracle_and_the_expressions_of_forms_agree() -> None:
    """The oracle looks at trees and the engine at XPath: written apart, they give the same truth."""
    looked = 0
    for seed in range(FORMS):
        chance = Random(seed)
        form = random_form(chance)
        for node in form.all():
            seen, position = _seen(form, chance), chance.randint(1, 3)
            this = _drawn(node, chance) if isinstance(node, Question) else ""
            names: Any = {**seen, "this": this, "position": Decimal(position)}
            scene = Scene(seen, TODAY, this, position)
            for condition in _conditions(node):
                said = Expression(str(condition)).holds(names, TODAY)
                assert said == holds(condition, scene), (str(condition), names)
                looked += 1
            if isinstance(node, Calculation) and "Total(" not in repr(node):
                value = Expression(str(node.term))(names, TODAY)
                expected = value_of(node.term, scene)
                assert value == ("" if expected is None else expected), (str(node.term), names)
                looked += 1
    assert looked > 3 * FORMS
