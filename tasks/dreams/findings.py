"""The headline numbers of a network, its maps and their patterns, held against what is expected."""

from __future__ import annotations

from typing import Any

from engine import stage
from tasks.judging import Band, conclude, judge_value

ACCURACY = Band("≥ 99.0", 99.0, 100)
ACCURACY_QUICK = Band("≥ 98 after one epoch", 98.0, 100)


@stage
def tabulate_dreams(
    maps: dict[str, Any],
    starts: dict[str, Any],
    patterns: dict[str, Any],
    evaluation: dict[str, Any] | None = None,
    *,
    reference: bool = True,
    epochs: int = 4,
) -> dict[str, Any]:
    """Collect the numbers that a run is judged by, each with its band where one is known.

    Arguments:
        maps: of `measure_maps`.
        starts: of `search_starts`.
        patterns: of `score_patterns`.
        evaluation: of `evaluate_cnn`; none of a network that tells other classes apart.
        reference: the data is all of MNIST and the CNN was trained here; bands hold for no other.
        epochs: of the training.

    Returns:
        findings, met, checked and sentence, as `tabulate_digits` has them.
    """
    rows = []
    if evaluation is not None:
        band = (ACCURACY if epochs > 1 else ACCURACY_QUICK) if reference else None
        rows.append(
            judge_value(
                "the network on unseen images",
                100 * evaluation["accuracy"],
                "evaluate_cnn",
                band,
                "%",
            )
        )
    rows.append(judge_value("maps that no test image moves", len(maps["dead"]), "measure_maps"))
    rows += [
        judge_value(name, patterns[key], "score_patterns")
        for name, key in (
            ("maps whose pattern ends above zero", "alive"),
            ("the same without the search of starts", "alive_unsearched"),
        )
    ]
    rows.append(
        judge_value("maps that one random image moves", starts["plain_alive"], "search_starts")
    )
    rows += [
        judge_value(name, factor * patterns[key], "score_patterns", None, unit)
        for name, key, factor, unit in (
            ("activation beside the best real image (median)", "gain", 1, "×"),
            ("left of it after a shift of 2 pixels (median)", "shifted", 100, "%"),
            ("left of it after a turn of 5° (median)", "turned", 100, "%"),
        )
        if patterns[key] is not None
    ]
    return conclude(rows, "here")
