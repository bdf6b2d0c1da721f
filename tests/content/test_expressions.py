"""Form expressions: XLSForm's dialect of XPath."""

from datetime import date
from decimal import Decimal

import pytest

from content.expressions import Expression, ExpressionError, Value

TODAY = date(2026, 11, 20)
ANSWERS: dict[str, Value] = {
    "size": Decimal(30),
    "name": "Nguyễn Đức",
    "fields": ("mass", "pressure"),
    "kind": "other",
    "due": "2027-03-01",
    "zero": Decimal(0),
    "position": Decimal(2),
    "counts": ("12", "3"),
    "this": Decimal("12.5"),
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("${size} > 10", True),
        ("${size} >= 30 and ${kind} = 'other'", True),
        ("${size} < 10 or not(selected(${fields}, 'mass'))", False),
        ("selected(${fields}, 'pressure')", True),
        ("selected(${kind}, 'other')", True),
        ("selected(${missing}, 'x')", False),
        ("count-selected(${fields}) <= 3", True),
        ("count-selected(${missing}) = 0", True),
        ("${missing} = ''", True),
        ("${missing} != ''", False),
        ("${name} != ''", True),
        ("${missing} = 0", False),
        ("${missing} != 0", False),
        ("${missing} < 5", False),
        ("${missing} >= 0", False),
        ("not(${missing} > 0)", True),
        ("${zero} = 0", True),
        ("${zero} = ''", False),
        ("${size} != ''", True),
        ("'' != ${missing}", False),
        ("${fields} != ''", True),
        ("round(12.5)", Decimal(13)),
        ("round(${size}, 40)", Decimal("30.000000000")),
        ("regex(${name}, ${kind})", False),
        ("count-non-empty(${counts})", Decimal(2)),
        ("count-non-empty(${missing})", Decimal(0)),
        (". > 0 and . <= 100", True),
        (". = 12.5", True),
        ("${size} - ${zero} * 2 + 1", Decimal(31)),
        ("${size} div ${zero}", ""),
        ("${size} + ${missing}", ""),
        ("-${size}", Decimal(-30)),
        ("if(${size} > 10, 'big', 'small')", "big"),
        ("if(${missing} = '', 'none', ${missing})", "none"),
        ("coalesce(${missing}, ${name})", "Nguyễn Đức"),
        ("coalesce(${missing}, 'a.b')", "a.b"),
        ("regex(${name}, '.+ Đức')", True),
        ("regex(${missing}, '.*')", False),
        ("${due} >= today()", True),
        ("string-length(${name}) = 10", True),
        ("concat(${name}, ' (', ${size}, ')')", "Nguyễn Đức (30)"),
        ("round(${this}, 0)", Decimal(13)),
        ("(${size} > 10)", True),
        ("${kind} = 'if(.'", False),
        ("selected-at(${fields}, position(..) - 1)", "pressure"),
        ("selected-at(${fields}, 7)", ""),
        ("jr:choice-name(selected-at(${fields}, 0), '${fields}')", "mass"),
        ("sum(${counts}) + 1", Decimal(16)),
        ("sum(${missing})", Decimal(0)),
    ],
)
def test_an_expression_has_the_value_xlsform_gives_it(source: str, value: Value) -> None:
    assert Expression(source)(ANSWERS, TODAY) == value


@pytest.mark.parametrize(
    "source",
    ["", "${", "${size} >", "${size} > > 1", "nothing(${size})", "/data/size", "${size} = ", "if(${size}, 1)", "$$", "x" * 3000, "position(.)", "regex(., '(')", "(" * 900 + "1" + ")" * 900, "${a} | ${b}", "selected(${a})"],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_when_it_is_read(source: str) -> None:
    with pytest.raises(ExpressionError):
        Expression(source)


def test_an_expression_knows_what_it_looks_at() -> None:
    assert Expression("${a} = 1 or selected(${b}, 'x') and . != ''").names == {"a", "b", "this"}
