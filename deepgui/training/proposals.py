"""Between DeepGUI's ranges and Optuna: what it may propose, and its values in our words and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepgui.catalog.spec import Value
from deepgui.project.ranges import Choices, Range, Space

if TYPE_CHECKING:
    import optuna

_PLAIN = (type(None), bool, int, float, str)


def suggest(trial: optuna.Trial, path: str, choice: Range | Choices) -> Value:
    """A value for a path, as Optuna proposes it."""
    if isinstance(choice, Choices):
        return decoded(choice, trial.suggest_categorical(path, [encoded(choice, value) for value in choice.values]))
    if choice.whole:
        step = 1 if choice.step is None else int(choice.step)
        return trial.suggest_int(path, int(choice.low), int(choice.high), step=step, log=choice.log)
    return trial.suggest_float(path, choice.low, choice.high, step=choice.step, log=choice.log)


def encoded(choice: Range | Choices, value: Value) -> Any:
    """A value as Optuna keeps it: what is no scalar (a kernel of 3 × 1) as text."""
    return value if isinstance(choice, Range) or isinstance(value, _PLAIN) else str(value)


def decoded(choice: Range | Choices, value: Any) -> Value:
    """The value that Optuna means."""
    if isinstance(choice, Choices):
        for known in choice.values:
            plain = encoded(choice, known)
            if plain == value and type(plain) is type(value):
                return known
    return value  # type: ignore[no-any-return]


def values_of(space: Space, params: dict[str, Any]) -> dict[str, Value]:
    """What a trial of Optuna's tried, by path."""
    return {path: decoded(space[path], value) for path, value in params.items() if path in space}
