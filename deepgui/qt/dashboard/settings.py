"""How the network is trained, as a form. All edits go through the session: they are in the project and undoable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QLabel, QVBoxLayout, QWidget

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.project.values import Project, TrainingConfig
from deepgui.qt import style
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.schedule_preview import SchedulePreview
from deepgui.qt.dashboard.worker import Broken
from deepgui.qt.inspector.fields import ChoiceField, Field, field_for
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import Elided, Fold, clear, column, label, scrolled

WIDTH = 284
_WORDS = {
    "optimizer": "Optimizer",
    "max_steps": "Most steps",
    "early_stopping": "Stop early after",
    "clip_grad_norm": "Clip gradient norm",
    "accumulate": "Accumulate steps",
    "restore_best": "Keep best weights",
    "checkpoint_minutes": "Checkpoint minutes",
    "batch_size": "Batch size",
    "warmup_steps": "Warm-up steps",
    "ema": "Average weights",
    "compile": "Compile",
    "check_gradients": "Check gradients",
    "start_from": "Start from run",
}
_MAIN = (
    ParamSpec(
        "device", "choice", default="auto", choices=("auto",), doc="Where to train: automatic is the best found."
    ),
    ParamSpec("epochs", "int", default=20, minimum=1, doc="Passes over the training examples."),
    ParamSpec("batch_size", "int", default=32, minimum=1, doc="Examples per step."),
    ParamSpec("optimizer", "choice", default="Adam", choices=("Adam",), doc="How the weights follow the gradient."),
    ParamSpec("scheduler", "choice", default="", choices=("",), doc="How the learning rate changes over the run."),
    ParamSpec(
        "objective",
        "choice",
        default="classification",
        choices=("classification",),
        doc="What the network learns to do.",
    ),
    ParamSpec("seed", "int", default=0, doc="Of initial weights, shuffling and dropout: the same seed, the same run."),
    ParamSpec(
        "early_stopping",
        "int",
        nullable=True,
        minimum=1,
        doc="Epochs without a better validation loss before training stops; empty means never.",
    ),
)
_MORE = (
    ParamSpec(
        "precision", "choice", default="fp32", choices=("fp32", "bf16", "fp16"), doc="Number format of the layers."
    ),
    ParamSpec("max_steps", "int", nullable=True, minimum=1, doc="Stop after so many steps; empty means all epochs."),
    ParamSpec("clip_grad_norm", "float", nullable=True, minimum=0, doc="Largest gradient norm; empty means no limit."),
    ParamSpec(
        "accumulate", "int", default=1, minimum=1, doc="Steps whose gradients are summed before the weights move."
    ),
    ParamSpec("restore_best", "bool", default=True, doc="Give back the weights of the best epoch at the end."),
    ParamSpec(
        "checkpoint_minutes", "float", default=1.0, minimum=0, doc="At most so much training is lost by a crash."
    ),
    ParamSpec(
        "start_from",
        "str",
        default="",
        doc="A run's folder, or a file of weights: what has the same name and shape is taken over, the rest is fresh.",
    ),
    ParamSpec(
        "ema",
        "float",
        nullable=True,
        minimum=0,
        doc="Decay of a moving average of the weights, such as 0.999, that is judged and kept; empty means none.",
    ),
    ParamSpec("compile", "bool", default=False, doc="Run the network through torch.compile, where that works."),
    ParamSpec("deterministic", "bool", default=False, doc="Only algorithms that give the same numbers every time."),
    ParamSpec(
        "check_gradients",
        "int",
        default=0,
        minimum=0,
        doc="Look every so many steps whether gradients are finite, and name the layer where they are not; 0: never.",
    ),
)
_SCHEDULE = (
    ParamSpec(
        "warmup_steps",
        "int",
        default=0,
        minimum=0,
        doc="Steps over which the rate rises in front of all else.",
    ),
)
_HINTS = {
    "early_stopping": "never",
    "max_steps": "all epochs",
    "clip_grad_norm": "no limit",
    "ema": "no average",
    "start_from": "fresh weights",
}


Choices = tuple[tuple[str, str, str], ...]
"""Value, shown text, tooltip of what a combo offers."""


@dataclass(frozen=True)
class Offers:
    """What PyTorch and this machine offer, found off the GUI thread."""

    devices: Choices
    optimizers: Mapping[str, Any]
    schedulers: Mapping[str, Any]
    objectives: Mapping[str, Any]

    def choices(self) -> Mapping[str, Choices]:
        """What the combos of the main settings offer."""
        constant = ("", "constant", "The learning rate stays as it is.")
        return {
            "device": self.devices,
            "optimizer": tuple((n, n, f"{o.doc} {o.note}".strip()) for n, o in self.optimizers.items()),
            "scheduler": (constant, *((n, n, f"{o.doc} {o.note}".strip()) for n, o in self.schedulers.items())),
            "objective": tuple((n, o.title, o.summary) for n, o in self.objectives.items()),
        }


def find_offers() -> Offers:
    """Ask PyTorch. Imports torch: call it off the GUI thread."""
    from deepgui.training import devices, optim
    from deepgui.training.objectives import objectives

    devices.preload()
    found = devices.devices()
    best = found[0]
    listed = [("auto", f"Automatic ({best.id})", best.title), *((d.id, f"{d.id}: {d.title}", d.title) for d in found)]
    return Offers(tuple(listed), optim.optimizers(), optim.schedulers(), objectives())


class SettingsPane(QWidget):
    """The form. Fields of options follow the optimiser, scheduler and objective chosen."""

    def __init__(self, session: Session, controller: RunController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training_settings")
        self.session, self.controller = session, controller
        self.offers: Offers | None = None
        self._main: dict[str, Field] = {}
        self._options: dict[tuple[str, str], tuple[ParamSpec, Field, QWidget]] = {}
        self._shown: tuple[str, str, str] | None = None
        self._build()
        session.changed.connect(lambda before, after: self._show() if before.training is not after.training else None)
        session.document_replaced.connect(self._show)
        session.registry_ready.connect(lambda: self._ask() if session.ready else None)
        if session.ready:
            self._ask()
        self._show()

    def set_wide(self, wide: bool) -> None:
        """Two columns beside each other, for a panel that is too low for one."""
        self.setFixedWidth(2 * WIDTH if wide else WIDTH)
        direction = QBoxLayout.Direction
        self._columns.setDirection(direction.LeftToRight if wide else direction.TopToBottom)

    def _build(self) -> None:
        content = QWidget()
        self._columns = QBoxLayout(QBoxLayout.Direction.TopToBottom, content)
        self._columns.setContentsMargins(0, 0, GRID, GRID)
        self._columns.setSpacing(GRID // 2)
        main, more = _form(), _form()
        for spec in _MAIN:
            self._add_main(main, spec)
        for spec in _MORE:
            self._add_main(more, spec)
        first, layout = column(main, gap=0), column(gap=GRID // 2)
        first.addStretch(1)
        self._columns.addLayout(first, 1)
        self._columns.addLayout(layout, 1)
        self.set_wide(False)
        self._groups: dict[str, tuple[Fold, QWidget]] = {}
        for group in ("objective", "optimizer", "scheduler"):
            box = _form()
            inner = self._schedule(box) if group == "scheduler" else box
            fold = Fold(group, f"{group}_options", inner, opened=group != "optimizer")
            self._groups[group] = (fold, box)
            layout.addWidget(fold)
        layout.addWidget(Fold("More", "more_settings", more, opened=False))
        layout.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(content))

    def _schedule(self, options: QWidget) -> QWidget:
        """The scheduler's own options, the warm-up in front of it, and the curve that both give."""
        form, content = _form(), QWidget()
        for spec in _SCHEDULE:
            self._add_main(form, spec)
        self.preview = SchedulePreview(self.session, self.controller)
        content.setLayout(column(options, form, self.preview, gap=GRID // 2))
        return content

    def _add_main(self, form: QWidget, spec: ParamSpec) -> None:
        name = spec.name
        word = _WORDS.get(name, name.replace("_", " ").capitalize())
        field = _add_row(form, spec, f"{name}_{_suffix(spec)}", label(word, "muted"), word)
        field.edited.connect(lambda value: self._set(name, value))
        self._main[name] = field

    # -- what there is to choose from

    def _ask(self) -> None:
        self.controller.worker.submit("offers", find_offers, self._offer)

    def _offer(self, offers: Any) -> None:
        if isinstance(offers, Broken):
            self.controller.message.emit("error", f"The training settings cannot be listed: {offers.error}", "")
            return
        self.offers = offers
        for name, choices in offers.choices().items():
            field = self._main[name]
            if isinstance(field, ChoiceField):
                _offer(field, choices)
        self._shown = None
        self._show()

    def _specs(self, group: str) -> tuple[ParamSpec, ...]:
        if self.offers is None:
            return ()
        training = self.session.project.training
        if group == "objective":
            kind = self.offers.objectives.get(training.objective)
            return kind.settings if kind is not None else ()
        known = self.offers.optimizers if group == "optimizer" else self.offers.schedulers
        option = known.get(getattr(training, group))
        return option.params if option is not None else ()

    # -- showing

    def _show(self) -> None:
        training = self.session.project.training
        for name, field in self._main.items():
            field.show_value(getattr(training, name), hint=_HINTS.get(name, ""))
        chosen = (training.objective, training.optimizer, training.scheduler)
        if chosen != self._shown:
            self._shown = chosen
            for group in self._groups:
                self._rebuild(group)
        for (group, name), (spec, field, text) in self._options.items():
            options = getattr(training, f"{group}_options")
            field.show_value(options.get(name, spec.default), hint="automatic" if spec.nullable else "")
            style.set_flag(text, "changed", name in options)
        self.preview.refresh()

    def _rebuild(self, group: str) -> None:
        fold, box = self._groups[group]
        clear(box.layout())
        self._options = {key: row for key, row in self._options.items() if key[0] != group}
        specs = self._specs(group)
        fold.setVisible(bool(specs) or group == "scheduler")
        fold.set_title(f"{group.capitalize()}: {getattr(self.session.project.training, group) or 'constant'}")
        if group == "scheduler":
            box.setVisible(bool(specs))
        for spec in specs:
            name = f"{spec.name if group == 'objective' else f'{group}_{spec.name}'}_{_suffix(spec)}"
            text = Elided(spec.name, "parameter")
            field = _add_row(box, spec, name, text, spec.name)
            field.edited.connect(lambda value, s=spec: self._set_option(group, s, value))
            self._options[group, spec.name] = (spec, field, text)

    # -- editing

    def _edit(self, label: str, merge: str, change: Callable[[TrainingConfig], TrainingConfig]) -> None:
        def edit(project: Project) -> Project:
            after = change(project.training)
            return project if after == project.training else replace(project, training=after)

        self.session.edit_project(label, edit, merge=f"training.{merge}")

    def _set(self, name: str, value: Value) -> None:
        def change(training: TrainingConfig) -> TrainingConfig:
            changes: dict[str, Any] = {name: value}
            if name in ("optimizer", "scheduler", "objective") and value != getattr(training, name):
                changes[f"{name}_options"] = self._carried(name, str(value), training)
            return replace(training, **changes)

        self._edit(f"Set {_WORDS.get(name, name).lower()}", name, change)

    def _carried(self, group: str, chosen: str, training: TrainingConfig) -> dict[str, Value]:
        """Of the options set so far, those that the newly chosen one has too (``lr``, ``weight_decay``)."""
        if self.offers is None or group == "scheduler":
            return {}
        known = self.offers.optimizers if group == "optimizer" else self.offers.objectives
        option = known[chosen]
        specs = option.params if group == "optimizer" else option.settings
        accepted = {p.name: p for p in specs}
        old: Mapping[str, Value] = getattr(training, f"{group}_options")
        return {n: v for n, v in old.items() if n in accepted and accepted[n].check(v) is None}

    def _set_option(self, group: str, spec: ParamSpec, value: Value) -> None:
        def change(training: TrainingConfig) -> TrainingConfig:
            options = {n: v for n, v in getattr(training, f"{group}_options").items() if n != spec.name}
            if value != spec.default or spec.required:
                options[spec.name] = value
            return replace(training, **{f"{group}_options": options})

        self._edit(f"Set {spec.name}", f"{group}.{spec.name}", change)


def _form() -> QWidget:
    box = QWidget()
    grid = QGridLayout(box)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(GRID)
    grid.setVerticalSpacing(GRID // 2)
    grid.setColumnStretch(1, 1)
    grid.setColumnMinimumWidth(0, 100)
    return box


def _suffix(spec: ParamSpec) -> str:
    return "combo" if spec.type == "choice" else "field"


def _add_row(form: QWidget, spec: ParamSpec, name: str, text: QLabel, accessible: str) -> Field:
    """A labelled editor at the end of a form; what is wrong with what is typed is its tooltip."""
    field = field_for(spec)
    field.name_editor(name, accessible)
    field.setToolTip(spec.doc)
    field.rejected.connect(lambda sentence: field.setToolTip(sentence or spec.doc))
    text.setToolTip(spec.doc)
    text.setBuddy(field)
    grid = form.layout()
    assert isinstance(grid, QGridLayout)
    place = grid.count() // 2
    grid.addWidget(text, place, 0)
    grid.addWidget(field, place, 1)
    return field


def _offer(field: ChoiceField, choices: Choices) -> None:
    """Replace what a choice offers."""
    field.combo.clear()
    for value, shown, tip in choices:
        field.combo.addItem(shown, value)
        field.combo.setItemData(field.combo.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
