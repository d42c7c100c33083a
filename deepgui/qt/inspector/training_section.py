"""How the selected layers learn: frozen, at a rate of their own, begun in another way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.project.layer_training import PLAIN, in_force, of_network, with_layers
from deepgui.project.values import LayerTraining
from deepgui.qt.inspector.fields import ChoiceField
from deepgui.qt.inspector.row import ParamRow, Shown
from deepgui.qt.session import Session
from deepgui.qt.widgets import Fold, clear, column, label

FROZEN = ParamSpec("frozen", "bool", default=False, doc="Its weights stay as they are, and so do running statistics.")
RATE = ParamSpec(
    "lr", "float", default=None, nullable=True, minimum=0, doc="Its learning rate as a multiple of the run's: 0.1, 2."
)
_OWN = "PyTorch's own"


class TrainingSection(QWidget):
    """Rows that edit ``training.layers`` of the project, for one layer or several, also inside a block."""

    def __init__(self, session: Session, nodes: tuple[str, ...]) -> None:
        super().__init__()
        self._session, self._nodes = session, nodes
        self._inits: Mapping[str, Any] = _known() if session.ready else {}
        self.frozen, self.rate = ParamRow(FROZEN), ParamRow(RATE, "learning rate ×")
        doc = "How its weights begin; biases then begin at 0. Those of torch.nn.init, by name."
        self.init = ParamRow(
            ParamSpec("init", "choice", default="", choices=("", *self._inits), doc=doc), "begins with"
        )
        if isinstance(self.init.field, ChoiceField):
            self.init.field.combo.setItemText(0, _OWN)
        self.init.setVisible(bool(self._inits))
        self.options: dict[str, ParamRow] = {}
        self._shown: str | None = None
        content = QWidget()
        lines = QVBoxLayout(content)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(8)
        self._note = label("", "muted", wrap=True)
        self._note.setObjectName("layer_training_note")
        box = QWidget()
        self._options = QVBoxLayout(box)
        self._options.setContentsMargins(0, 0, 0, 0)
        for part in (self._note, self.frozen, self.rate, self.init, box):
            lines.addWidget(part)
        said = self._said()
        opened = any(path in said for path in self._paths())
        self.setLayout(column(Fold("TRAINING OF THIS LAYER", "fold_layer_training", content, opened=opened), gap=0))
        for row in (self.frozen, self.rate, self.init):
            row.edited.connect(self._set)
            row.reset.connect(lambda name: self._set(name, getattr(PLAIN, name)))

    # -- showing

    def refresh(self) -> None:
        """Show what is said of the layers at the moment."""
        self.setVisible(self._learns())
        said = [self._said().get(path, PLAIN) for path in self._paths()]
        if not said:
            return
        for row in (self.frozen, self.rate, self.init):
            values = [getattr(own, row.spec.name) for own in said]
            row.show_state(_shown(values, row.spec.default))
        self._show_options(said)
        self._note.setText(self._around())
        self._note.setVisible(bool(self._note.text()))

    def _learns(self) -> bool:
        """Whether one of the layers has weights, as far as that is known; in a block by itself nothing is trained."""
        if any(level.step == "" for level in self._session.levels):
            return False
        known = self._session.report.nodes if self._session.report else {}
        found = [known.get(node) for node in self._nodes]
        return any(r is None or not r.outputs or r.parameters > 0 for r in found)

    def _said(self) -> dict[str, LayerTraining]:
        return of_network(self._session.project, self._session.key)

    def _paths(self) -> list[str]:
        return [self._session.path(node) for node in self._nodes if node in self._session.network.nodes]

    def _around(self) -> str:
        """What a block around the layers says of them."""
        layers, paths = self._said(), self._paths()
        outer = [in_force({way: own for way, own in layers.items() if way != path}, path) for path in paths]
        if any(own.frozen for own in outer):
            return "The block around it is frozen."
        rates = {own.lr for own in outer if own.lr is not None}
        return f"The block around it learns at {min(rates):g} times the rate." if rates else ""

    def _show_options(self, said: list[LayerTraining]) -> None:
        names = {own.init for own in said}
        name = names.pop() if len(names) == 1 else ""
        if name != self._shown:
            self._shown = name
            clear(self._options)
            specs = self._inits[name].params if name in self._inits else ()
            self.options = {spec.name: self._option(spec) for spec in specs}
        for key, row in self.options.items():
            row.show_state(_shown([own.init_options.get(key, row.spec.default) for own in said], row.spec.default))

    def _option(self, spec: ParamSpec) -> ParamRow:
        row = ParamRow(spec)
        row.edited.connect(self._set_option)
        row.reset.connect(lambda name: self._set_option(name, spec.default))
        self._options.addWidget(row)
        return row

    # -- editing

    def _set(self, name: str, value: Value) -> None:
        changes: dict[str, Any] = {name: value}
        if name == "init":
            changes["init_options"] = {}
        words = {
            "frozen": "Freeze" if value else "Let learn",
            "lr": "Set learning rate of layer",
            "init": "Set initialisation",
        }
        self._change(words[name], name, lambda own: replace(own, **changes))

    def _set_option(self, name: str, value: Value) -> None:
        default = self.options[name].spec.default

        def change(own: LayerTraining) -> LayerTraining:
            options = {key: kept for key, kept in own.init_options.items() if key != name}
            return replace(own, init_options=options if value == default else {**options, name: value})

        self._change(f"Set {name}", f"init.{name}", change)

    def _change(self, words: str, merge: str, change: Callable[[LayerTraining], LayerTraining]) -> None:
        key, paths = self._session.key, self._paths()
        self._session.edit_project(
            words, lambda project: with_layers(project, key, paths, change), merge=("layer_training", merge, *paths)
        )


def _shown(values: list[Any], default: Value) -> Shown:
    own = any(value != default for value in values)
    return Shown(None, own, mixed=True) if any(v != values[0] for v in values) else Shown(values[0], own)


def _known() -> Mapping[str, Any]:
    from deepgui.training.inits import inits

    return inits()
