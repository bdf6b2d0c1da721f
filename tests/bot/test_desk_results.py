"""«Kết quả» at the desk: charts of a survey, their pictures, and what is never shown."""

import gzip

import pytest

from bot.app import App
from tests.desk import Officer
from tests.figures import demand_rows
from tests.storage.answered import store_responses

LARGEST_PAGE = 100_000  # bytes, compressed


@pytest.fixture
async def lan(app: App) -> Officer:
    """Somebody who may look at everything and change nothing."""
    app.open()
    return await Officer(app).enters(role="viewer")


async def test_a_year_without_responses_says_so(lan: Officer) -> None:
    await lan.opens("/desk/results")
    assert "Năm 2026 chưa có phiếu nào được gửi" in lan.text

    assert (await lan.opens("/desk/results/topics.png")).status_code == 404


async def test_charts_say_what_was_found_and_a_page_stays_small(lan: Officer) -> None:
    store_responses(lan.app.database, demand_rows(300))
    answer = await lan.opens("/desk/results")

    assert answer.status_code == 200
    assert "300 phiếu đã gửi được tính" in lan.text
    assert lan.page.count('<figure class="chart"') > 10
    assert "style=" not in lan.page, "the policy refuses it"
    assert len(gzip.compress(answer.content)) < LARGEST_PAGE


async def test_fewer_than_five_enterprises_show_nothing(lan: Officer) -> None:
    store_responses(lan.app.database, demand_rows(4))
    await lan.opens("/desk/results")

    assert "4 phiếu đã gửi được tính" in lan.text
    assert "<svg" not in lan.page


async def test_a_chart_is_a_picture_too(lan: Officer) -> None:
    store_responses(lan.app.database, demand_rows(60))
    picture = await lan.opens("/desk/results/legal_form.png?year=2026")

    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert 'filename="legal_form-2026.png"' in picture.headers["content-disposition"]


@pytest.mark.parametrize("year", ["2025", "abc", "99999", "٢٠٢٦", "-1", ""])
async def test_any_year_may_be_asked_for(lan: Officer, year: str) -> None:
    store_responses(lan.app.database, demand_rows(6))

    assert (await lan.opens(f"/desk/results?year={year}")).status_code == 200


async def test_twins_are_told_of(lan: Officer) -> None:
    rows = [*demand_rows(6)]
    twin = {**rows[0], "id": 7, "code": "7KQ4MXW20007"}
    store_responses(lan.app.database, [*rows, twin])
    await lan.opens("/desk/results")

    assert "1 mã số thuế có hơn một phiếu" in lan.text


async def test_nobody_else_sees_results(app: App) -> None:
    for path in ("/desk/results", "/desk/results/legal_form.png"):
        answer = await Officer(app).opens(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/login")
