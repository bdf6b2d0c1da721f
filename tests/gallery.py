"""`python -m tests.gallery FILE.html` writes every kind of chart, with what a province has and with what is nasty."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

import bot.charts
from bot.charts import figure
from content.catalogue import Catalogue, load_catalogue
from content.load import HERE
from content.model import Language
from handlers.figures.charts import Bar, Bars, Chart, Part, Stack, Table
from handlers.figures.counting import Tally
from handlers.figures.drawn import Drawing
from handlers.figures.progress import Place, Standing, Telling
from handlers.figures.published import Figures, published
from tests.figures import answers_of, demand

_BOT = Path(bot.charts.__file__).parent.parent
LONG = "Công ty Trách nhiệm hữu hạn Một thành viên Sản xuất, Thương mại, Dịch vụ và Xuất nhập khẩu Chế biến Gỗ Hoài Nhơn"
NASTY = (
    "<script>alert(1)</script> & «Ễ Ợ Ữ» \x00 Nghiêngnghiêngnghiêngnghiêngnghiêngnghiêngnghiêngnghiêngnghiêng"
)


def catalogue() -> Catalogue:
    """The words."""
    return load_catalogue(HERE / "messages")


def figures_of(count: int, seed: int = 996) -> Figures:
    """The figures of so many made-up responses."""
    tally, chance = Tally([demand()], ("size",)), Random(seed)
    for _ in range(count):
        tally.add(demand().version, answers_of(demand(), chance))
    return published(tally)


def standing(*, today: date = date(2026, 11, 20), deadline: date | None = date(2026, 11, 30)) -> Standing:
    """A survey half done."""
    names = [choice.label.vi for choice in demand().file.choices["communes"]]
    chance = Random(996)
    places = []
    for at, name in enumerate(names):
        invited = chance.randint(3, 90)
        answered = int(invited * chance.random() * 0.8)
        label = name if at != 3 else f"{name} ({LONG})"
        places.append(Place(label, invited, answered, int((invited - answered) * chance.random() * 0.5)))
    whole = sum(place.answered for place in places)
    days = {today - timedelta(days=back): 0 for back in range(30)}
    for _ in range(whole):
        days[today - timedelta(days=min(int(chance.expovariate(0.12)), 29))] += 1
    return Standing(tuple(places), days, today, today - timedelta(days=32), deadline, twins=2)


def charts(language: Language = "vi") -> Iterator[Chart]:
    """Every chart there is."""
    say = catalogue()
    telling, drawing = Telling(say, language), Drawing(say, language)
    now = standing()
    yield from (telling.standing(now), telling.places(now), telling.line(now))
    yield from drawing.all(figures_of(1200), demand())
    yield from nasty(say, language)


def nasty(say: Catalogue, language: Language) -> Iterator[Chart]:
    """What a chart must bear: nothing, one, forty, long names, numbers of any size, a deadline long past."""
    telling, drawing = Telling(say, language), Drawing(say, language)
    none = Standing((), {}, date(2026, 11, 20))
    yield from _named("none", telling.standing(none), telling.places(none), telling.line(none))
    done = Standing((Place("Phường Quy Nhơn", 30, 30),), {date(2026, 11, 1): 30}, date(2026, 11, 1))
    yield from _named("done", telling.standing(done), telling.places(done), telling.line(done))
    over = standing(today=date(2026, 12, 20), deadline=date(2026, 12, 1))
    yield from _named("over", telling.line(over))
    few = Standing(
        (Place("Xã An Nhơn Tây", 8000, 3, 0),),
        {date(2026, 11, 18): 3},
        date(2026, 11, 20),
        None,
        date(2026, 12, 31),
    )
    yield from _named("few", telling.standing(few), telling.places(few), telling.line(few))
    some = list(drawing.all(figures_of(40), demand()))
    yield from _named("some", *some[:8])
    table = Table(("Đơn vị", "Số"), ((LONG, "1"),))
    yield Chart(
        "long",
        LONG,
        "1 đơn vị",
        Bars((Bar(LONG, 7, "7"), Bar(NASTY, 0, "0"), Bar("Ngắn", None, "không nêu"))),
        table,
        LONG,
    )
    yield Chart("one", "Một cột", "n = 1", Bars((Bar("Chỉ một", 1, "1"),)))
    yield Chart("zero", "Toàn số 0", "n = 9", Bars((Bar("Không", 0, "0"), Bar("Cũng không", 0, "0"))))
    forty = tuple(
        Bar(f"Phường số {at} {'Nhơn ' * (at % 7)}", (at * 37) % 101, f"{(at * 37) % 101}") for at in range(40)
    )
    yield Chart("forty", "Bốn mươi thanh", "n = 4.000", Bars(forty))
    huge = Bars((Bar("Cân", 12_345_678, "12.345.678 · 9.999 đơn vị"), Bar("Áp kế", 1, "1 · 5 đơn vị")))
    yield Chart("huge", "Số lớn cạnh số nhỏ", "n = 9.999", huge)
    yield Chart(
        "sliver",
        "Phần rất nhỏ",
        "n = 10.000",
        Stack(
            (
                Part("Đã trả lời", 9_998, "99,9 % · 9.998", "full"),
                Part("Đã mở, chưa xong", 1, "0,1 % · 1", "half"),
                Part("Chưa mở", 1, "0,1 % · 1", "none"),
            )
        ),
    )


def _named(name: str, *some: Chart) -> Iterator[Chart]:
    for one in some:
        yield replace(one, id=f"{name}-{one.id}")


def page(language: Language = "vi") -> str:
    """A page of them all, in the properties of the web chat."""
    say = catalogue()
    shared = (_BOT / "look.css").read_text(encoding="utf-8")
    css = (_BOT / "charts/charts.css").read_text(encoding="utf-8")
    body = "body { margin: 1rem; background: var(--paper); color: var(--ink); font: 1.0625rem/1.5 system-ui, sans-serif; }"
    drawn = "\n".join(figure(chart, say, language) for chart in charts(language))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Charts</title>'
        f'<meta name="viewport" content="width=device-width"><style>{shared}{body}{css}</style></head>'
        f"<body><main><h1>Charts</h1>{drawn}</main></body></html>"
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
