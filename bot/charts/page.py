"""A chart in a page: its sentence, the drawing that fits the width, what is to be known, and its table."""

from bot.charts.picture import NARROW, WIDE, svg
from bot.charts.text import xml
from content.catalogue import Catalogue
from content.model import Language
from handlers.figures.charts import Chart, Table


def figure(chart: Chart, say: Catalogue, language: Language) -> str:
    """The HTML of a chart with its table one tap away; a table without a chart stands open."""
    parts = [f'<figure class="chart" id="chart-{xml(chart.id)}"><figcaption><b>{xml(chart.title)}</b>']
    parts += [f"<span>{xml(chart.base)}</span>"] if chart.base else []
    parts.append("</figcaption>")
    if chart.body:
        parts.append(f'<div class="chart-wide">{svg(chart, WIDE)}</div>')
        parts.append(f'<div class="chart-narrow">{svg(chart, NARROW)}</div>')
    parts += [f'<p class="chart-note">{xml(chart.note)}</p>'] if chart.note else []
    if chart.table and chart.table.rows:
        whole = table(chart.table, chart.title)
        shows = f"<summary>{xml(say(language, 'figures_show_table'))}</summary>"
        parts.append(f"<details>{shows}{whole}</details>" if chart.body else whole)
    parts.append("</figure>")
    return "".join(parts)


def table(shown: Table, caption: str) -> str:
    """The HTML of a table, which scrolls by itself where it is wider than the page."""
    heads = "".join(f'<th scope="col">{xml(head)}</th>' for head in shown.heads)
    rows = "".join(
        f'<tr><th scope="row">{xml(row[0])}</th>{"".join(f"<td>{xml(cell)}</td>" for cell in row[1:])}</tr>'
        for row in shown.rows
    )
    return (
        f'<table class="chart-table"><caption>{xml(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )
