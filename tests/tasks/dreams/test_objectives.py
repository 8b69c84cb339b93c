from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import InputError
from tasks.dreams.objective_text import read_objective
from tasks.dreams.objectives import MOST_TERMS, Objective, channel, class_, layer, neuron

nine = channel("Conv2D_3", 56)

names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
atoms = st.one_of(
    st.builds(channel, names, st.integers(-1, 999)),
    st.builds(layer, names),
    st.builds(neuron, names, *[st.integers(0, 50)] * 3),
    st.builds(class_, st.integers(0, 999)),
)
numbers = st.floats(-1000, 1000).filter(lambda value: abs(value) > 1e-9)
sums = st.lists(st.tuples(numbers, st.lists(atoms, min_size=1, max_size=3)), min_size=1, max_size=4)


def built(parts: list[tuple[float, list[Objective]]]) -> Objective:
    total = Objective(())
    for number, factors in parts:
        product: Objective | float = number
        for factor in factors:
            product = factor * product
        total = total + product
    return total


def test_the_text_of_an_objective_is_what_one_would_write() -> None:
    assert str(nine + 0.5 * class_(9)) == 'channel("Conv2D_3", 56) + 0.5 * class_(9)'
    assert str(-nine - 2 * neuron("a", 1, 2, 3)) == (
        '-channel("Conv2D_3", 56) - 2 * neuron("a", 1, 2, 3)'
    )


@given(sums)
def test_text_and_objective_say_the_same(parts: list[tuple[float, list[Objective]]]) -> None:
    objective = built(parts)
    if objective.atoms and len(str(objective)) <= 600:
        assert read_objective(str(objective)) == objective
        assert str(read_objective(str(objective))) == str(objective)


def test_what_means_the_same_has_one_text() -> None:
    assert str(read_objective(" channel( 'Conv2D_3',56 )+class_(9)*.50")) == (
        'channel("Conv2D_3", 56) + 0.5 * class_(9)'
    )
    assert str(read_objective('channel("Conv2D_3", -1)')) == 'layer("Conv2D_3")'
    assert read_objective("class_(1) * class_(2)") == read_objective("class_(2) * class_(1)")


def test_products_are_multiplied_out_and_like_terms_gathered() -> None:
    a, b = class_(1), class_(2)
    assert (a + b) * (a - b) == a * a - b * b
    assert a * (1 - b) == a - a * b
    assert 2 * a - a - a == Objective(())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('__import__("os").system("ls")', "not known here"),
        ('().__class__.__bases__[0]', "not known here"),
        ('open("/etc/passwd").read()', "not known here"),
        ("[class_(1) for _ in range(10)]", "not known here"),
        ("lambda: class_(1)", "not known here"),
        ("class_(1) if True else class_(2)", "not known here"),
        ("class_(*[1])", "name in quotes or a whole number"),
        ("class_(number=1)", r"by place: class_\(9\)"),
        ("class_(class_(1))", "name in quotes or a whole number"),
        ("(lambda: 1)()", "not known here"),
        ("f'{1}' * class_(1)", "not known here"),
        ("True * class_(1)", "a number or an activation"),
        ("1j * class_(1)", "a number or an activation"),
        ("class(9)", "with an underscore"),
        ("class_(1) / 2", "no division"),
        ("class_(1) ** 99999999", "no power"),
        ("10 ** 10 ** 10", "no power"),
        ("1e999 * class_(1)", "number inf"),
        ("9" * 500 + " * class_(1)", "beyond all bounds"),
        ("class_(-1)", "class = -1"),
        ("class_(9999999999)", "class = 9999999999"),
        ('channel("a", 1.5)', "whole number was expected"),
        ('channel("a", True)', "map = True"),
        ("channel(a, 1)", "name in quotes"),
        ('channel("a")', "1 values; write it like channel"),
        ('neuron("a", 1, -1, 0)', "row = -1"),
        ("5", "measures nothing"),
        ("class_(1) - class_(1)", "measures nothing"),
        ("", "missing"),
        ("  ", "missing"),
        ("class_(1", "not well formed"),
        ("class_(1); class_(2)", "not well formed"),
        ("x := 1", "not well formed"),
        ("class_(1)\x00", "not well formed"),
        ("(" * 290 + "class_(1)" + ")" * 290, "not well formed"),
        ("class_(1) + " * 60, "720 characters"),
        ("*".join(["class_(1)"] * 7), "at most 6"),
        ("*".join(["(" + "+".join(f"class_({i})" for i in range(6)) + ")"] * 4), "at most 64"),
    ],
)  # fmt: skip
def test_what_is_no_objective_is_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_objective(text)


def test_signs_may_pile_up() -> None:
    assert read_objective("-" * 500 + "class_(1)") == class_(1)


def test_a_sum_has_bounds() -> None:
    total = class_(0)
    for number in range(1, MOST_TERMS):
        total = total + class_(number)
    with pytest.raises(InputError, match="at most 64"):
        total + class_(MOST_TERMS)
