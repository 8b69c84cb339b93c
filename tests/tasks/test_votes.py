from __future__ import annotations

import numpy as np

from tasks.votes import count_votes


def test_each_voter_counts_once_and_the_lower_code_wins_a_tie() -> None:
    votes = count_votes(np.array([[2, 2, 0], [1, 0, 3], [3, 3, 3]]), 5)
    assert votes.tolist() == [[1, 0, 2, 0, 0], [1, 1, 0, 1, 0], [0, 0, 0, 3, 0]]
    assert votes.argmax(axis=1).tolist() == [2, 0, 3]
