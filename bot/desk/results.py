"""«Kết quả»: what a survey found, as charts; and the same charts as pictures."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from markupsafe import Markup
from starlette.responses import Response

from bot.desk.frame import Fault, NoSuch, Page, Pages, Visit
from handlers.router import SURVEY_FORM
from storage import overview

if TYPE_CHECKING:
    from bot.figures import Found
    from handlers.figures.charts import Chart

pages = Pages()
pages.entry("desk_nav_results", "/desk/results", place=60)


@pages.get("/desk/results")
def results(visit: Visit) -> Page:
    """Every chart of one year's survey; nothing in them points at fewer than five enterprises."""
    from bot.charts import figure  # the figures of a survey load when somebody looks at them
    from bot.figures import read_figures

    app, year = visit.desk.app, _year(visit)
    found = read_figures(app.database, SURVEY_FORM, year, app.settings.zone)
    charts = list(_charts(visit, found)) if found.form else []
    return Page(
        "results.html",
        year=year,
        years=sorted({year, *overview.years(visit.db, SURVEY_FORM)}, reverse=True),
        counted=sum(found.days.values()),
        twins=len(found.twins),
        # Made by our own code, which escapes every word in it.
        charts=[(chart, Markup(figure(chart, app.content.say, "vi"))) for chart in charts],  # noqa: S704
    )


@pages.get("/desk/results/{chart}")
def picture(visit: Visit) -> Response:
    """One chart as a picture, for a report or a chat."""
    from bot.charts.png import NoFaceError, png
    from bot.figures import read_figures

    app, year = visit.desk.app, _year(visit)
    found = read_figures(app.database, SURVEY_FORM, year, app.settings.zone)
    name = visit.path["chart"].removesuffix(".png")
    chart = next((one for one in _charts(visit, found) if one.id == name and one.body), None)
    if chart is None:
        raise NoSuch
    try:
        drawn = png(chart)
    except NoFaceError:
        raise Fault("desk_fault_no_font", status=503) from None
    headers = {
        "Content-Disposition": f'attachment; filename="{name}-{year}.png"',
        "Cache-Control": "no-store",
    }
    return Response(drawn, media_type="image/png", headers=headers)


def _charts(visit: Visit, found: "Found") -> Iterator["Chart"]:
    from handlers.figures.drawn import Drawing

    if found.form is None:
        return iter(())
    return Drawing(visit.desk.app.content.say, "vi").all(found.figures, found.form)


def _year(visit: Visit) -> int:
    """The year that the address asks for, or this one."""
    typed = visit.query.get("year", "")
    this: datetime = visit.at.astimezone(visit.desk.app.settings.zone)
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) == len("2026") else this.year
