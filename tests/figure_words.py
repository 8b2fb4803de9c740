"""What is written in a figure, and where its words run into one another or off the page."""

from itertools import combinations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

TOUCH = 1.0  # pixels of a hundred an inch: boxes are a little larger than their letters


def collisions(figure: Figure) -> list[str]:
    """Say which texts of a figure leave the page or overlap another one."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    page = figure.bbox
    texts = _shown(figure)
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in texts]
    found = [
        f"{text.get_text()!r} leaves the page"
        for text, box in zip(texts, boxes, strict=True)
        if min(box.x0, box.y0, page.width - box.x1, page.height - box.y1) < -TOUCH
    ]
    for (text, box), (other, near) in combinations(zip(texts, boxes, strict=True), 2):
        wide = min(box.x1, near.x1) - max(box.x0, near.x0)
        high = min(box.y1, near.y1) - max(box.y0, near.y0)
        if min(wide, high) > TOUCH:
            found.append(f"{text.get_text()!r} over {other.get_text()!r}")
    return found


def _shown(figure: Figure) -> list[Text]:
    """Return the texts that are drawn: of ticks only those inside their axis' limits."""
    drawn, ticks = [], set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = np.sort(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                labels = (tick.label1, tick.label2)
                ticks |= set(labels)
                if axes.get_visible() and low <= tick.get_loc() <= high:
                    drawn += labels
    drawn += [text for text in figure.findobj(Text) if text not in ticks]
    visible = [text for text in drawn if text.get_visible() and text.get_text().strip()]
    return [text for text in visible if text.axes is None or text.axes.get_visible()]
