"""What the numbers mean that a network takes and gives: kept with a run, so that it can be used without its data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.normalize import Normalizer
from deepgui.project import atomic

FILE = "data.json"
FORMAT = 1


@dataclass(frozen=True)
class Legend:
    """What a network learnt of its data besides its weights.

    Attributes:
        inputs: the field for each Input node, in the order of the module's arguments.
        target: the field that was learnt, with its classes.
        normalizer: the scales of these fields.
        made: names of those inputs that do not come from data (noise, a time step).
    """

    inputs: tuple[Field, ...]
    target: Field
    normalizer: Normalizer
    made: tuple[str, ...] = ()

    @property
    def of_data(self) -> tuple[Field, ...]:
        """The fields that data must have: the inputs that come from it, and the target."""
        return (*(field for field in self.inputs if field.name not in self.made), self.target)

    def to_json(self) -> str:
        """Text that :meth:`from_json` reads; numbers come back to the last bit."""
        state = {
            "format": FORMAT,
            "inputs": [field.state() for field in self.inputs],
            "target": self.target.state(),
            "normalizer": self.normalizer.state(),
            "made": list(self.made),
        }
        return json.dumps(state, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Legend:
        """Raises ValueError if it is not what :meth:`to_json` wrote."""
        try:
            state: Mapping[str, Any] = json.loads(text)
            if state["format"] != FORMAT:
                raise DataError(f"its format is {state['format']}, not {FORMAT}")
            inputs = tuple(Field.from_state(field) for field in state["inputs"])
            target, normalizer = Field.from_state(state["target"]), Normalizer.from_state(state["normalizer"])
            return cls(inputs, target, normalizer, tuple(state.get("made", ())))
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise DataError(f"it lacks what belongs in it ({type(error).__name__}: {error})") from None


def read(folder: Path) -> Legend | None:
    """The legend in the folder of a run; None if its version did not keep one. Raises DataError if it is damaged."""
    path = folder / FILE
    try:
        return Legend.from_json(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})", file=path) from None
    except ValueError as error:
        raise DataError(f"this is damaged, so the run cannot be used: {error}", file=path) from None


def write(folder: Path, legend: Legend) -> None:
    """Keep a legend in the folder of a run. Raises OSError."""
    atomic.replace(folder / FILE, legend.to_json().encode())
