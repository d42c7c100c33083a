"""Every type of parameter has an editor that reads, complains in a sentence, and loses nothing."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from deepgui.catalog.spec import Infer, ParamSpec, Value
from deepgui.qt.inspector.fields import ChoiceField, NumberField, SwitchField, TextField, field_for, next_number
from deepgui.qt.inspector.text import Unreadable, read, write

INT = ParamSpec("n", "int", 1, minimum=1)
FLOAT = ParamSpec("p", "float", 0.5)
INTS = ParamSpec("kernel_size", "ints", 3, minimum=1, length=2)
SHAPE = ParamSpec("shape", "ints", minimum=1)


@pytest.mark.parametrize(
    ("spec", "text", "value"),
    [
        (INT, "12", 12),
        (INT, " 1_000 ", 1000),
        (INT, "1e3", 1000),
        (FLOAT, "1e-3", 0.001),
        (FLOAT, "0,25", 0.25),
        (FLOAT, "2", 2),
        (INTS, "3", 3),
        (INTS, "3, 5", (3, 5)),
        (INTS, "(3, 5)", (3, 5)),
        (INTS, "3x5", (3, 5)),
        (INTS, "3 5", (3, 5)),
        (ParamSpec("f", "floats"), "0.9, 0.999", (0.9, 0.999)),
        (ParamSpec("k", "int", nullable=True), "", None),
        (ParamSpec("k", "int", nullable=True), "None", None),
        (ParamSpec("k", "int", infer=Infer("input", 1)), "", None),
        (ParamSpec("s", "str"), " kept as typed ", " kept as typed "),
        (ParamSpec("v", "literal"), "[1, (2, 'a')]", (1, (2, "a"))),
    ],
)
def test_what_people_type_is_understood(spec: ParamSpec, text: str, value: Value) -> None:
    assert read(text, spec) == value
    assert type(read(text, spec)) is type(value)


@pytest.mark.parametrize(
    ("spec", "text", "part"),
    [
        (INT, "three", "whole number"),
        (INT, "0", "at least 1"),
        (INT, "2.5", "whole number"),
        (INT, "", "needs a value"),
        (FLOAT, "much", "must be a number"),
        (SHAPE, "3 x 0", "must be at least 1, not “3 x 0”"),
        (SHAPE, "3.5, 2", "must be whole numbers, not “3.5, 2”"),
        (FLOAT, "nan", "must be a number"),
        (INTS, "3, a", "whole numbers"),
        (INTS, "1, 2, 3", "2 elements"),
        (INTS, "()", "whole numbers"),
        (INT, "inf", "whole number"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(spec: ParamSpec, text: str, part: str) -> None:
    with pytest.raises(Unreadable, match=part) as refused:
        read(text, spec)
    assert spec.name in str(refused.value)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("value", [3, (3, 5), (3,)])
def test_written_values_read_the_same(value: Value) -> None:
    spec = ParamSpec("v", "ints")
    assert read(write(value, spec), spec) in (value, value[0] if isinstance(value, tuple) else value)


def test_steps_follow_the_size_of_the_number() -> None:
    assert next_number(3, 1, whole=True) == 4
    assert next_number(0.5, 1, whole=False) == 0.6
    assert next_number(0.001, -1, whole=False) == 0.0009
    assert next_number(0.001, 1, whole=False) == 0.002
    assert next_number(0.0, 1, whole=False) == 0.1


def test_each_type_has_its_editor(qtbot: QtBot) -> None:
    assert isinstance(field_for(INT), NumberField)
    assert isinstance(field_for(FLOAT), NumberField)
    assert isinstance(field_for(ParamSpec("b", "bool", True)), SwitchField)
    assert isinstance(field_for(ParamSpec("b", "bool", nullable=True)), ChoiceField)
    assert isinstance(field_for(ParamSpec("c", "choice", "a", choices=("a", "b"))), ChoiceField)
    assert isinstance(field_for(INTS), TextField)


def test_wrong_text_stays_until_it_is_mended(qtbot: QtBot) -> None:
    field = field_for(INT)
    qtbot.addWidget(field)
    said: list[str] = []
    values: list[Value] = []
    field.rejected.connect(said.append)
    field.edited.connect(values.append)
    field.show_value(4)
    field.type("four")
    assert (field.text(), values) == ("four", [])
    assert "whole number" in said[-1]
    field.show_value(4)
    assert field.text() == "four"
    field.type("5")
    assert values == [5]
    assert said[-1] == ""


def test_arrow_keys_step_within_the_minimum(qtbot: QtBot) -> None:
    from PySide6.QtCore import Qt

    field = field_for(INT)
    qtbot.addWidget(field)
    values: list[Value] = []
    field.edited.connect(values.append)
    field.show_value(2)
    spin = field.focusProxy()
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down):
        qtbot.keyClick(spin, key)
    assert values == [3, 2, 1, 1]
