"""What a decoded plane says of its axes."""

from __future__ import annotations

import pytest
from matplotlib.text import Text

from tasks.figures.latent_walks import _number, plot_grid
from tests.tasks.figures.latent_frames import make_latents


@pytest.mark.parametrize(("z", "note"), [(1, "across: z1 ·"), (2, "across: z1, up: z2 ·")])
def test_a_plane_names_the_axes_that_there_are(z: int, note: str) -> None:
    f = make_latents(z=2)
    figure = plot_grid(f["grid"], f["plane"], {**f["grid_summary"], "dimensions": z})
    assert any(note in written.get_text() for written in figure.findobj(Text))


def test_a_zero_has_no_sign() -> None:
    assert [_number(v) for v in (-0.04, 0.04, -0.06, -12.4)] == ["0.0", "0.0", "−0.1", "−12"]
