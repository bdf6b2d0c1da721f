"""The demand survey asks all that its catalogue lists, in few enough prompts, and computes what nobody should be asked."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import product
from math import inf

import pytest

from content.expressions import Expression, Value
from content.forms import ChoiceRow, Row, Words, load_form
from content.load import HERE
from handlers.fills import KEPT_APART, NOT_KNOWN, PASSED, Fill
from handlers.walk import Place, Walk

FORM = load_form(HERE / "forms" / "demand_survey.yaml")
ROWS = FORM.file.survey
CHOICES = FORM.file.choices
TODAY = date(2026, 11, 25)

CODES = {*map(str, range(1, 34)), "6b", *(f"H{n}" for n in range(1, 8))}
SECTORS = {choice.name: choice for choice in CHOICES["sectors"]}
KINDS = {choice.name: choice for choice in CHOICES["instruments"]}
ASKED = [question for question in FORM.questions if question.kind not in ("note", "calculate")]

# Who a firm is, and what it answers; "" is skipped or not known. A repeat's answers stand in their order.
Answers = Mapping[str, Value]
WOOD: Answers = {
    "consent": "yes",
    "enterprise": "Công ty TNHH Gỗ Hoài Nhơn",
    "legal_form": "llc",
    "tax_code": "0100109106",
    "commune": "hoai_nhon",
    "sector": "wood",
    "labour": "to_50",
    "instrument_types": ("bench_scale", "pressure_gauge", "wood_moisture"),
    "instrument_count": ("4", "6", "2"),
    "due_12_months": Decimal(5),
    "next_expiry": "2027-03",
    "remind_expiry": "yes",
    "provider": ("provincial_centre",),
    "difficulties": ("distance", "cost"),
    "metrology_staff": Decimal(3),
    "trained_staff": Decimal(1),
    "needs": ("verification", "training"),
    "topics": ("basics", "calibration"),
    "trainee_count": ("3", "2"),
    "training_format": "on_site",
    "programme": "learn_more",
    "suggestions": "Mở lớp gần Hoài Nhơn.",
    "respondent_name": "Nguyễn Văn An",
    "respondent_role": "Phụ trách kỹ thuật",
    "contact": "0912345678",
    "revenue": "to_50",
    "verified_share": "most",
    "calibrated": "some",
    "systems": ("iso_9001",),
    "prepackaged_goods": "no",
    "budget": "to_50",
    "opt_ins": ("course_news",),
}
UNIT = ["enterprise", "legal_form", "tax_code", "commune", "sector"]
MAIN = [
    "consent", "unit", "labour", "instrument_types", "instrument_counts", "due_12_months", "next_expiry",
    "remind_expiry", "provider", "difficulties", "people", "needs", "topics", "trainees", "training_format",
    "programme", "suggestions", "respondent_name", "respondent_role", "contact",
]  # fmt: skip
LATER = ["revenue", "verified_share", "calibrated", "systems", "prepackaged_goods", "budget", "opt_ins"]


def value(name: str, answers: Answers) -> Value:
    """What a calculation gives; what it looks at may be computed itself."""
    calculation = FORM.by_name[name].calculation
    assert calculation
    computed = {
        one: value(one, answers)
        for one in calculation.names
        if one not in answers and one in FORM.by_name and FORM.by_name[one].kind == "calculate"
    }
    return calculation({**computed, **answers}, TODAY)


def texts() -> Iterator[tuple[str, str, Words]]:
    """Every text of the form: where it stands, in which column, in both languages."""
    yield "settings", "title", FORM.file.settings.title
    for row in ROWS:
        for column in ("label", "hint", "why", "short", "constraint_message"):
            if words := getattr(row, column):
                yield row.name or "", column, words
    for listed, choices in CHOICES.items():
        for choice in choices:
            yield f"{listed}.{choice.name}", "choice", choice.label


# How much is asked


def prompts(answers: Answers, *, invited: bool) -> tuple[list[str], list[str]]:
    """What is asked in the main part and after it: a line counts once, and so does the card of an invited firm.

    Written apart from the program's own way through a form, from the rows alone.
    """
    asked: tuple[dict[str, None], dict[str, None]] = ({}, {})
    seen: dict[str, Value] = {}
    opened: list[tuple[Row, bool]] = []
    for row in ROWS:
        if row.kind.startswith("end_"):
            opened.pop()
            continue
        applies = all(one for _, one in opened) and holds(row.relevant, seen)
        if row.kind.startswith("begin_"):
            opened.append((row, applies))
        elif row.kind != "note" and applies and row.name:
            seen[row.name] = computed(row, seen, opened) if row.kind == "calculate" else answers[row.name]
            groups = [group for group, _ in opened]
            if row.kind != "calculate":
                asked[any(group.later for group in groups)][prompt(row, groups, invited=invited)] = None
    return list(asked[0]), list(asked[1])


def holds(condition: str | None, seen: Answers) -> bool:
    return condition is None or Expression(condition).holds(seen, TODAY)


def computed(row: Row, seen: Answers, opened: list[tuple[Row, bool]]) -> Value:
    """A calculation's value, or those of all instances where a repeat is around it."""
    expression = Expression(row.calculation or "")
    if all(group.kind != "begin_repeat" for group, _ in opened):
        return expression(seen, TODAY)
    counts = seen["instrument_count"]
    assert isinstance(counts, tuple)
    instances = (
        expression({**seen, "instrument_count": Decimal(count), "position": Decimal(n)}, TODAY)
        for n, count in enumerate(counts, 1)
    )
    return tuple(str(one) for one in instances)


def prompt(row: Row, groups: list[Row], *, invited: bool) -> str:
    together = {"one-line", *(["confirm"] if invited else [])}
    return next((group.name or "" for group in groups if group.appearance in together), row.name or "")


def test_a_median_firm_that_was_invited_answers_twenty_prompts() -> None:
    main, later = prompts(WOOD, invited=True)

    assert len(main) <= 20
    assert (main, later) == (MAIN, LATER)


def test_a_firm_that_comes_by_itself_says_who_it_is_in_five() -> None:
    main, later = prompts(WOOD, invited=False)

    assert main == ["consent", *UNIT, *MAIN[2:]]
    assert later == LATER


@pytest.mark.parametrize(
    ("changed", "gone", "added"),
    [
        pytest.param(
            {"instrument_types": ("none",), "instrument_count": ()},
            {"instrument_counts", "due_12_months", "next_expiry", "remind_expiry", "provider", "difficulties", "people",
             "verified_share", "calibrated"},
            set(),
            id="no instruments",
        ),
        pytest.param({"needs": ("none",)}, {"topics", "trainees", "training_format"}, set(), id="no needs"),
        pytest.param({"legal_form": "household"}, {"tax_code"}, set(), id="a household's tax code is a person's"),
        pytest.param(
            {"legal_form": "service_body", "registration_no": "ĐK 12", "registration_date": "2024-03-15",
             "registration_scope": "", "designation_no": "", "accredited": "yes", "accredited_until": "2028-06",
             "verifiers": Decimal(6), "comparison_needs": ""},
            set(),
            {"registration_no", "registration_date", "registration_scope", "designation_no", "accredited",
             "accredited_until", "verifiers", "comparison_needs"},
            id="a service body has block H",
        ),
        pytest.param({"sector": "manufacturing", "division": "d14"}, set(), {"division"}, id="what it makes"),
        pytest.param(
            {"instrument_types": ("other",), "instrument_count": ("2",), "fields": ("time",)},
            set(), {"fields"}, id="another kind: in which field",
        ),
        pytest.param(
            {"instrument_types": ("length_gauge",), "instrument_count": ("2",)},
            {"verified_share"}, set(), id="nothing that must be verified",
        ),
        pytest.param({"due_12_months": Decimal(0)}, {"next_expiry", "remind_expiry"}, set(), id="nothing is due"),
        pytest.param({"next_expiry": ""}, {"remind_expiry"}, set(), id="no month, no reminder"),
        pytest.param(
            {"difficulties": ("not_available",), "unmet_measurement": "Độ ẩm gỗ."},
            set(), {"unmet_measurement"}, id="what the province cannot do",
        ),
    ],
)  # fmt: skip
def test_only_what_applies_is_asked(changed: Answers, gone: set[str], added: set[str]) -> None:
    usual = [*prompts(WOOD, invited=False)[0], *LATER]
    main, later = prompts({**WOOD, **changed}, invited=False)

    assert set(usual) - set(main + later) == gone
    assert set(main + later) - set(usual) == added


def test_the_programs_own_way_through_the_form_is_the_same() -> None:
    known = {name: fill_of(Place(FORM.by_name[name])) for name in UNIT}
    walk = Walk(FORM, {}, TODAY, known)
    asked: dict[bool, list[str]] = {False: [], True: []}
    for later in (False, True):
        while found := walk.next(later=later):
            asked[later].append(found.key)
            given = {place.name: fill_of(place) for place in found.places}
            assert all(walk.fits(place, given[place.name]) for place in found.places)
            walk, _ = walk.after(given)

    assert (asked[False], asked[True]) == (MAIN, LATER)
    assert {name: walk.fills[name].value for name in ("size", "vsic2025_section", "group2_possible")} == {
        "size": "small",
        "vsic2025_section": "C",
        "group2_possible": 10,
    }


def fill_of(place: Place) -> Fill:
    """The wood firm's answer as it would be stored."""
    answer = WOOD[place.question.name]
    if place.question.row.personal:
        return KEPT_APART
    if place.question.repeat and isinstance(answer, tuple):
        chosen = WOOD[place.question.repeat.each or ""]
        assert isinstance(chosen, tuple)
        return Fill(int(answer[chosen.index(place.instance)]))
    if isinstance(answer, Decimal):
        return Fill(int(answer))
    assert isinstance(answer, str | tuple)
    return Fill(answer)


# What the catalogue lists


def test_every_question_of_the_catalogue_has_its_number() -> None:
    assert {row.number for row in ROWS if row.number} == CODES


def test_every_question_has_a_number() -> None:
    assert [question.name for question in ASKED if not question.row.number] == []


def test_names_are_short_because_they_become_columns_and_buttons() -> None:
    names = [row.name for row in ROWS if row.name]
    names += [choice.name for choices in CHOICES.values() for choice in choices]

    assert [name for name in names if len(name) > 24] == []


def test_consent_comes_first_and_what_is_personal_last() -> None:
    main = [question for question in ASKED if not question.later]

    assert ROWS[0].name == "consent"
    assert [question.name for question in ASKED if question.row.personal] == [one.name for one in main[-3:]]


def test_every_purpose_is_asked_for_and_none_is_preset() -> None:
    consents = {question.name: question.row.consent for question in ASKED if question.row.consent}

    assert consents == {"consent": "survey", "remind_expiry": "expiry_reminder", "opt_ins": "each"}
    assert all(question.row.default is None for question in ASKED)
    assert [choice.name for choice in CHOICES["opt_ins"] if choice.exclusive] == ["none"]


def test_not_knowing_how_many_is_an_answer() -> None:
    assert [q.name for q in ASKED if q.kind in ("integer", "decimal") and not q.row.unknown] == []


def test_only_what_the_survey_cannot_do_without_must_be_answered() -> None:
    assert [question.name for question in ASKED if question.row.required] == [
        "consent", "enterprise", "legal_form", "tax_code", "commune", "sector", "labour", "instrument_types",
        "metrology_staff", "needs", "programme", "respondent_name", "contact",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "answer", "fits"),
    [
        ("next_expiry", "2026-10", False),
        ("next_expiry", "2026-11", True),  # this month, as one says for what is overdue
        ("next_expiry", "2027-02", True),
        ("enterprise", "AB", False),
        ("enterprise", "A" * 200, True),
        ("enterprise", "A" * 201, False),
        ("instrument_count.bench_scale", 0, True),
        ("instrument_count.bench_scale", 100_001, False),
        ("due_12_months", 100_001, False),
        ("metrology_staff", 5_001, False),
        ("trained_staff", 3, True),
        ("trained_staff", 4, False),  # of three people
        ("topics", ("basics", "law", "verifier"), True),
        ("topics", ("basics", "law", "verifier", "uncertainty"), False),
        ("trainee_count.basics", 0, False),
        ("trainee_count.basics", 200, True),
        ("trainee_count.basics", 201, False),
        ("unmet_measurement", "a" * 501, False),
        ("suggestions", "a" * 1_000, True),
        ("suggestions", "a" * 1_001, False),
        ("instrument_types", ("bench_scale", "wood_moisture"), True),
        ("instrument_types", ("bench_scale", "taximeter"), False),  # no taxis in a wood firm
    ],
)
def test_limits(place: str, answer: str | int | tuple[str, ...], fits: bool) -> None:
    walk = Walk(FORM, {"sector": Fill("wood"), "metrology_staff": Fill(3)}, TODAY)
    name, _, instance = place.partition(".")

    assert walk.fits(Place(FORM.by_name[name], instance), Fill(answer)) is fits


def test_trained_people_may_be_told_when_the_others_are_not_known() -> None:
    walk = Walk(FORM, {"metrology_staff": NOT_KNOWN}, TODAY)

    assert walk.fits(Place(FORM.by_name["trained_staff"]), Fill(4))


# Sectors


def test_there_are_fourteen_sectors_and_another_one() -> None:
    assert len(SECTORS) == 15
    assert [choice.name for choice in SECTORS.values() if choice.specify] == ["other"]


@pytest.mark.parametrize(
    "sector", [one for one in SECTORS.values() if not one.specify], ids=lambda one: one.name
)
def test_a_sector_is_computed_as_its_columns_say(sector: ChoiceRow) -> None:
    answers = {"sector": sector.name, "division": ""}

    assert re.fullmatch("[A-V]", sector.filter["vsic"])
    assert sector.filter["size_group"] == ("industry" if sector.filter["vsic"] in "ABCDEF" else "trade")
    assert value("vsic2025_section", answers) == sector.filter["vsic"]
    assert value("vsic2025_division", answers) == sector.filter.get("vsic_division", "")
    assert value("size_group", answers) == sector.filter["size_group"]


def test_what_a_manufacturer_makes_is_its_division() -> None:
    own = {choice.filter["vsic_division"] for choice in SECTORS.values() if "vsic_division" in choice.filter}
    listed = {choice.name for choice in CHOICES["divisions"]}

    assert value("vsic2025_division", {"sector": "manufacturing", "division": "d14"}) == "d14"
    assert own | listed == {f"d{n}" for n in range(10, 34)}
    assert own & listed == set()


@pytest.mark.parametrize(("sector", "section"), [("", ""), ("other", "unknown")])
def test_a_sector_that_is_not_in_the_list_has_no_section_yet(sector: str, section: str) -> None:
    assert value("vsic2025_section", {"sector": sector}) == section
    assert value("size_group", {"sector": sector}) == section


# Instruments


@pytest.mark.parametrize("sector", SECTORS)
def test_a_sector_sees_the_kinds_it_may_have(sector: str) -> None:
    walk = Walk(FORM, {"sector": Fill(sector)}, TODAY)
    shown = [choice.name for choice in walk.choices(Place(FORM.by_name["instrument_types"]))]

    assert len(shown) <= 12
    assert len(set(shown) - {"other", "none"}) >= 3
    assert shown[-2:] == ["other", "none"]


def test_every_kind_is_shown_in_sectors_that_exist() -> None:
    named = {sector for kind in KINDS.values() for sector in kind.filter["sectors"].split()}

    assert named <= {*SECTORS, "all"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_counted_as_its_columns_say(kind: str) -> None:
    """The columns group2 and field say once more what the calculations must do."""
    columns = KINDS[kind].filter
    answers: Answers = {"instrument_types": (kind,), "instrument_count": Decimal(7), "position": Decimal(1)}
    possible = columns["group2"] == "possible"

    assert columns["group2"] in ("possible", "no")
    assert value("group2_kinds", answers) == possible
    assert value("group2_count", answers) == (7 if possible else 0)
    assert str(value("measuring_fields", answers)).split() == columns.get("field", "").split()


def test_fields_are_those_that_were_named_and_those_of_the_kinds() -> None:
    answers = {"instrument_types": ("bench_scale", "other"), "fields": ("time", "mass", "other")}

    assert value("measuring_fields", answers) == "mass time other "
    assert {kind.filter["field"] for kind in KINDS.values() if "field" in kind.filter} <= {
        choice.name for choice in CHOICES["fields"]
    }
    for field in CHOICES["fields"]:
        assert value("measuring_fields", {"fields": (field.name,)}) == f"{field.name} "


@pytest.mark.parametrize(
    ("counts", "total", "possible"),
    [
        ({"bench_scale": Fill(4), "length_gauge": Fill(9)}, 13, 4),
        ({"bench_scale": NOT_KNOWN, "length_gauge": Fill(9)}, "", ""),  # not known is not 0
        ({"bench_scale": NOT_KNOWN, "truck_scale": Fill(1)}, "", ""),  # a part is not the whole
        ({"bench_scale": PASSED}, "", ""),
        ({"length_gauge": NOT_KNOWN}, "", 0),
        ({"length_gauge": Fill(9)}, 9, 0),
    ],
)
def test_what_is_not_known_is_not_nothing(counts: dict[str, Fill], total: object, possible: object) -> None:
    fills = {f"instrument_count.{kind}": fill for kind, fill in counts.items()}
    walk = Walk(FORM, {"instrument_types": Fill(tuple(counts)), **fills}, TODAY)

    assert walk.computed(FORM.by_name["instruments_total"]) == total
    assert walk.computed(FORM.by_name["group2_possible"]) == possible


@pytest.mark.parametrize(("chosen", "uses"), [((), ""), (("none",), "no"), (("other",), "yes")])
def test_the_kinds_say_whether_any_are_used(chosen: tuple[str, ...], uses: str) -> None:
    assert value("uses_instruments", {"instrument_types": chosen}) == uses


# Size, by NĐ 80/2021/NĐ-CP, Article 5: insured staff and revenue in billions of đồng, the first that fits.

STAFF = {"up_to_10": 10, "to_50": 50, "to_100": 100, "to_200": 200, "over_200": inf}
REVENUE = {
    "up_to_3": 3, "to_10": 10, "to_50": 50, "to_100": 100, "to_200": 200, "to_300": 300, "over_300": inf,
}  # fmt: skip
LIMITS = {
    "industry": {"micro": (10, 3), "small": (100, 50), "medium": (200, 200), "large": (inf, inf)},
    "trade": {"micro": (10, 10), "small": (50, 100), "medium": (100, 300), "large": (inf, inf)},
}


def test_the_bands_are_those_of_the_decree() -> None:
    assert [choice.name for choice in CHOICES["labour_bands"]] == list(STAFF)
    assert [choice.name for choice in CHOICES["revenue_bands"]] == [*REVENUE, "withheld"]


@pytest.mark.parametrize(("labour", "revenue", "group"), list(product(STAFF, REVENUE, LIMITS)))
def test_size_is_that_of_the_decree(labour: str, revenue: str, group: str) -> None:
    expected = next(
        size
        for size, (staff, billions) in LIMITS[group].items()
        if STAFF[labour] <= staff and REVENUE[revenue] <= billions
    )

    assert value("size", {"labour": labour, "revenue": revenue, "size_group": group}) == expected


@pytest.mark.parametrize(
    "answers",
    [
        {"labour": "over_200", "sector": "wood"},
        {"labour": "up_to_10", "revenue": "withheld", "sector": "wood"},
        {"revenue": "up_to_3", "sector": "wood"},
        {"labour": "up_to_10", "revenue": "up_to_3", "sector": "other"},
        {"labour": "up_to_10", "revenue": "up_to_3"},
    ],
)
def test_without_revenue_or_sector_the_size_is_unknown(answers: Answers) -> None:
    assert value("size", {"sector": "", **answers}) == "unknown"


# Words

SAME = re.compile(
    r"(TCVN )?ISO[ /A-Z\d,]+|ISO 22000, HACCP|75–99%|50–74%"
)  # names are the same in both languages
UNWANTED = re.compile(r"!|\b(tôi|em|mình|bot|vui lòng|kính|quý|xin)\b", re.IGNORECASE)


def test_both_languages_say_something_of_their_own() -> None:
    assert [
        where for where, _, words in texts() if words.vi == words.en and not SAME.fullmatch(words.vi)
    ] == []


def test_sentences_are_polite_short_and_end() -> None:
    for where, column, words in texts():
        assert not UNWANTED.search(words.vi), (where, column)
        assert "!" not in words.en, (where, column)
        assert len(words.vi) <= 140, (where, column)
        if column in ("hint", "why", "constraint_message"):
            assert (words.vi[-1], words.en[-1]) == (".", "."), (where, column)
        if column in ("short", "choice"):
            assert not words.vi.endswith((".", "?", ":")), (where, column)


def test_every_question_asks_and_has_a_short_name() -> None:
    for question in ASKED:
        assert question.row.label
        assert question.row.short, question.name
        for text in (question.row.label.vi, question.row.label.en):
            assert text.endswith(("?", ".")), question.name
            assert "?" in text, question.name
        assert len(question.row.short.vi) <= 32, question.name


def test_short_names_tell_columns_apart() -> None:
    for language in ("vi", "en"):
        shorts = [question.row.short[language] for question in ASKED if question.row.short]

        assert len(shorts) == len(set(shorts))


def test_labels_of_a_list_tell_its_choices_apart() -> None:
    for name, choices in CHOICES.items():
        for language in ("vi", "en"):
            assert len({choice.label[language] for choice in choices}) == len(choices), name


def test_why_is_told_where_a_firm_hesitates() -> None:
    told = {row.name for row in ROWS if row.why}

    assert told >= {
        "consent", "tax_code", "sector", "instrument_types", "instrument_count", "trainee_count", "due_12_months",
        "next_expiry", "remind_expiry", "difficulties", "programme", "respondent_name", "contact", "revenue",
        "verified_share", "budget", "opt_ins",
    }  # fmt: skip


def test_a_refusal_says_what_to_do() -> None:
    for row in ROWS:
        if row.constraint_message:
            assert "Anh/Chị" in row.constraint_message.vi, row.name


def test_what_is_typed_has_an_example_or_a_help() -> None:
    """How to pick several, and how to type a line of numbers, the program says by itself."""
    typed = [
        question.row
        for question in ASKED
        if not question.line and (question.kind in ("text", "integer", "date") or question.row.appearance)
    ]

    assert [row.name for row in typed if row.hint is None] == []
