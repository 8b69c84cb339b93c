"""Checkpoints: the newest sound one is found, at most two are kept, and nothing is pickled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import StageError, StoreError
from engine.checkpoints import Checkpoints


def arrays(number: int) -> dict[str, np.ndarray]:
    return {"weights": np.full((3, 4), number, np.float32), "step": np.array(number)}


@pytest.fixture(params=["disk", "memory"])
def box(request, tmp_path) -> Checkpoints:
    return Checkpoints(tmp_path / "key" if request.param == "disk" else None)


def test_the_newest_is_found_whole(box):
    assert box.latest() is None
    for number in (1, 2, 10, 9):
        box.save(number, arrays(number))
    found = box.latest()
    assert found is not None and sorted(found) == ["step", "weights"]
    assert found["step"] == 10 and found["step"].shape == ()
    assert found["weights"].dtype == np.float32 and (found["weights"] == 10).all()
    box.clear()
    assert box.latest() is None


def test_it_keeps_what_was_saved_whatever_happens_to_the_array_later(box):
    state = arrays(1)
    box.save(1, state)
    state["weights"][:] = 7
    found = box.latest()
    assert found is not None and (found["weights"] == 1).all()
    found["weights"][:] = 9  # it is the caller's own


def test_at_most_two_are_kept(tmp_path):
    box = Checkpoints(tmp_path / "key")
    for number in range(6):
        box.save(number, arrays(number))
    assert sorted(int(path.name[:12]) for path in (tmp_path / "key").iterdir()) == [4, 5]


@pytest.mark.parametrize("harm", ["cut", "flip", "empty"])
def test_a_damaged_one_is_passed_over(tmp_path, harm, caplog):
    box = Checkpoints(tmp_path / "key")
    box.save(1, arrays(1))
    box.save(2, arrays(2))
    newest = max((tmp_path / "key").iterdir())
    data = newest.read_bytes()
    middle = len(data) // 2
    newest.write_bytes(
        {
            "cut": data[:middle],
            "flip": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
            "empty": b"",
        }[harm]
    )
    found = box.latest()
    assert found is not None and found["step"] == 1
    assert "damaged" in caplog.text


def test_what_a_killed_writer_left_is_no_checkpoint(tmp_path):
    box = Checkpoints(tmp_path / "key")
    box.save(1, arrays(1))
    (tmp_path / "key" / "77-abc.part").write_bytes(b"half")
    found = box.latest()
    assert found is not None and found["step"] == 1
    box.clear()
    assert not (tmp_path / "key").exists()


def test_clearing_touches_nothing_that_is_not_its_own(tmp_path):
    box = Checkpoints(tmp_path / "key")
    box.save(1, arrays(1))
    (tmp_path / "key" / "notes.txt").write_text("mine")
    box.clear()
    assert [path.name for path in (tmp_path / "key").iterdir()] == ["notes.txt"]


def test_objects_that_need_pickle_are_refused(tmp_path):
    with pytest.raises(StageError, match="never pickled"):
        Checkpoints(tmp_path / "key").save(1, {"bad": np.array([object()])})


def test_a_store_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "key").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be written"):
        Checkpoints(Path(tmp_path / "key")).save(1, arrays(1))
