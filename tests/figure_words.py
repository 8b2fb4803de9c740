"""What is written in a figure, and where its words run into one another or off the page."""

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
    boxes = [text.get_window_extent(canvas.get_renderer()).extents for text in texts]
    low, high = np.split(np.reshape(boxes, (-1, 4)), 2, axis=1)
    leaves = (np.minimum(low, [page.width, page.height] - high) < -TOUCH).any(axis=1)
    found = [f"{texts[i].get_text()!r} leaves the page" for i in np.flatnonzero(leaves)]
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)  # width and height
    over = np.argwhere(np.triu((shared > TOUCH).all(axis=2), k=1))
    return found + [f"{texts[i].get_text()!r} over {texts[j].get_text()!r}" for i, j in over]


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
