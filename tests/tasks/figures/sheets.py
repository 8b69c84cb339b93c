"""What holds for every picture: no text over another, a PNG of a fitting size, one sentence."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from tasks.figures.style import WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from engine import Picture


def assert_readable(figure: Figure, within: bool = True) -> None:
    """No text leaves the sheet, is too small, or covers another.

    Arguments:
        within: look at texts within panels, too; not where they stand at points of the data.
    """
    assert figure.get_size_inches()[0] == WIDTH
    assert figure.get_size_inches()[1] < 17
    figure.draw_without_rendering()
    found = [(text, _box(text)) for text in _seen(figure, within)]
    assert found
    sheet = figure.bbox
    for text, box in found:
        assert box.x0 >= -1 and box.y0 >= -1, f"{text} leaves the sheet"
        assert box.x1 <= sheet.x1 + 1 and box.y1 <= sheet.y1 + 1, f"{text} leaves the sheet"
    # The boxes of slanted names overlap, the names do not.
    upright = [(text, box) for text, box in found if text.get_rotation() in (0, 90)]
    for i, (text, box) in enumerate(upright):
        for other, its_box in upright[i + 1 :]:
            shared = Bbox.intersection(box, its_box)
            if shared is not None:
                assert min(shared.width, shared.height) < 2, f"{text} covers {other}"
    for written in figure.findobj(Text):
        # Shown at 900 px an inch of the sheet is 100 px, and 100 px are 75 points on the page.
        assert float(written.get_fontsize()) * 75 / 72 >= 9 or not written.get_text()


def assert_fitting(draw: Callable[[], Picture]) -> None:
    """The same bytes twice: a PNG with a white edge, and one plain sentence with a number."""
    made = draw()
    assert made == draw(), "the same tables must give the same bytes"
    assert made.format == "png"
    assert len(made.data) < 400_000
    with Image.open(io.BytesIO(made.data)) as image:
        image.verify()
    with Image.open(io.BytesIO(made.data)) as image:
        assert 1000 <= image.width <= 1600
        assert 300 <= image.height <= 2000
        assert not {"Software", "Creation Time", "date"} & set(image.info)
        pixels = np.asarray(image.convert("RGB"))
    assert (pixels[0] == 255).all() and (pixels[:, 0] == 255).all()
    assert 0.02 < (pixels != 255).any(axis=2).mean() < 0.9
    assert_sentence(made.alt)
    assert made.alt[0].isupper() or made.alt[0].isdigit() or made.alt.startswith("z = ")
    assert any(sign.isdigit() for sign in made.alt)


def assert_sentence(alt: str) -> None:
    """One, whatever the names in it."""
    assert alt.endswith(".")
    assert ". " not in alt and "\n" not in alt and "\\$" not in alt


def _seen(figure: Figure, within: bool) -> Iterator[Text]:
    for text in _texts(figure, within):
        if text.get_visible() and text.get_text().strip():
            yield text


def _texts(figure: Figure, within: bool) -> Iterator[Text]:
    yield from figure.texts
    for part in (figure, *figure.subfigs):
        for legend in part.legends:
            yield from legend.get_texts()
    for axes in figure.get_axes():
        if within:
            yield from axes.texts
        if (own := axes.get_legend()) is not None:
            yield from own.get_texts()
        if not axes.axison:
            continue
        yield from (axes.title, axes._left_title, axes._right_title)  # type: ignore[attr-defined]
        for axis in (axes.xaxis, axes.yaxis):
            yield axis.label
            low, high = sorted(axis.get_view_interval())
            room = 1e-6 * (high - low)
            for tick in axis.get_major_ticks():
                if low - room <= tick.get_loc() <= high + room:
                    yield from (tick.label1, tick.label2)


def _box(text: Text) -> Bbox:
    """The pixels that it takes, with its card."""
    return (text.get_bbox_patch() or text).get_window_extent()
