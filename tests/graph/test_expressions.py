"""Expressions of a block's parameters: arithmetic that is understood, and nothing else."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgui.catalog.expr import Expr, ExprError, parse, rename

ENV: dict[str, Any] = {"width": 64, "heads": 8, "stride": 2, "project": False, "sizes": (3, 5), "mode": "same"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4 * width", 256),
        ("width // heads", 8),
        ("2 if stride > 1 else 1", 2),
        ("not project", True),
        ("-width + 2 ** 3", -56),
        ("max(width, 100) % 7", 2),
        ("(width, sizes[1])", (64, 5)),
        ("1 < stride <= 2 and mode == 'same'", True),
        ("project or heads", 8),
        ("int(width * 0.5)", 32),
        ("None if stride == 2 else 0", None),
    ],
)
def test_values(text: str, value: object) -> None:
    found = Expr(text).evaluate(ENV)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("__import__('os').system('true')", "may call only"),
        ("width.bit_length()", "may call only"),
        ("().__class__", "attribute"),
        ("[x for x in (1, 2)]", "listcomp"),
        ("lambda: 1", "lambda"),
        ("4 *", "not a valid expression"),
        ("width; heads", "not a valid expression"),
        ("widht", "uses widht, which is no parameter here"),
        ("width / 0", "divides by zero"),
        ("9 ** 9 ** 9", "exponent"),
        ("'a' * 10 ** 9", "multiplies what is no number"),
        ("(1,) * 10 ** 9", "multiplies what is no number"),
        ("10 ** 30", "too large"),
        ("width @ heads", "operator"),
        ("sizes[7]", "has no value"),
        ("(-1) ** 0.5", "no real value"),
        ("f'{width}'", "joinedstr"),
        ("print(width)", "may call only"),
        ("max(*sizes)", "starred"),
        ("1 + " * 300 + "1", "longer than"),
    ],
)
def test_what_is_refused_and_why(text: str, reason: str) -> None:
    with pytest.raises(ExprError, match="(?i)" + reason.replace("(", r"\(")):
        Expr(text).evaluate(ENV)


numbers = st.integers(-50, 50)
operators = st.sampled_from(["+", "-", "*", "//", "%", "<", "=="])
names = st.sampled_from(["width", "heads", "stride"])
texts = st.recursive(
    st.one_of(numbers.map(str), names),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%", "<", "=="]), inner).map(
            lambda p: f"({' '.join(p)})"
        ),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        inner.map(lambda t: f"(-{t})"),
    ),
    max_leaves=12,
)


@given(texts)
def test_the_value_is_the_one_that_python_gives(text: str) -> None:
    try:
        expected = eval(text, {"__builtins__": {}}, ENV)
    except ZeroDivisionError:
        with pytest.raises(ExprError, match="divides by zero"):
            Expr(text).evaluate(ENV)
        return
    if abs(expected) <= 10**6:  # larger ones may be refused on the way
        assert Expr(text).evaluate(ENV) == expected


@given(texts)
def test_renaming_keeps_the_value(text: str) -> None:
    other = rename(text, {"width": "self.width", "heads": "(4 + 4)", "stride": "2"})
    assert "self.width" in other or "width" not in text
    values = {**ENV, "width_": 64}
    try:
        assert Expr(other.replace("self.width", "width_")).evaluate(values) == Expr(text).evaluate(ENV)
    except ExprError:
        with pytest.raises(ExprError):
            Expr(text).evaluate(ENV)


@given(st.text(max_size=40))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        parse(text)
    except ExprError:
        return
    ast.parse(text.strip(), mode="eval")
