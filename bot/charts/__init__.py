"""Charts as they are seen: SVG in a page with its table beside it, the same as a picture for chat and reports.

`figure(chart, …)` is what a page shows; `svg(chart, width)` one drawing; `png(chart)` a picture. A page that shows
charts includes `charts.css`, which colours them in its own colours, in the dark and on paper.
"""

from bot.charts.page import figure, table
from bot.charts.picture import svg

__all__ = ["figure", "svg", "table"]
