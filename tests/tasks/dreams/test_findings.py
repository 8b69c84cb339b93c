from __future__ import annotations

from tasks.dreams.findings import tabulate_dreams


def test_an_own_network_is_called_no_cnn_and_nothing_is_expected_of_it() -> None:
    patterns = {"alive": 5, "alive_unsearched": 3, "gain": 4.0, "shifted": None, "turned": None}
    found = tabulate_dreams.fn(
        {"dead": [1, 2]}, {"plain_alive": 2}, patterns, {"accuracy": 0.7}, reference=False
    )
    values = {row["name"]: row["value"] for row in found["findings"]}
    assert values["the network on unseen images"] == 70
    assert values["maps that no test image moves"] == 2
    assert not any("CNN" in name for name in values) and found["checked"] == 0
