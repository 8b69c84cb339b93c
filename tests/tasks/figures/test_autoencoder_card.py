"""What the latent card says it was counted by."""

from __future__ import annotations

import pytest
from matplotlib.text import Text

from tasks.figures.autoencoder_card import plot_card
from tests.tasks.figures.latent_frames import make_card


@pytest.mark.parametrize(
    ("neighbours", "told"), [(3, "3 neighbours tell "), (1, "1 neighbour tells ")]
)
def test_the_numbers_of_neighbours_and_clusters_are_those_that_were_used(
    neighbours: int, told: str
) -> None:
    card = make_card(neighbours=neighbours, clusters=40)
    assert told in card.summary["sentence"]
    figure = plot_card(card.card, card.summary["neighbours"], card.summary["clusters"])
    notes = " ".join(t.get_text() for t in figure.findobj(Text)).replace("\n", " ")
    assert f"by their nearest {neighbours} training point" in notes and "by 40 clusters" in notes
