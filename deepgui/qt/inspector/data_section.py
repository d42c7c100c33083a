"""Where examples come from: source, its options, split and normalisation, and a look at what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.project.values import DataConfig
from deepgui.qt.dashboard.worker import Broken, Worker
from deepgui.qt.inspector.data_download import DownloadBar
from deepgui.qt.inspector.data_glance import Glance
from deepgui.qt.inspector.row import LABEL_WIDTH, ParamRow, Shown
from deepgui.qt.session import Session
from deepgui.qt.widgets import clear, column, label, row

if TYPE_CHECKING:
    from deepgui.data.csv_roles import ColumnUse
    from deepgui.data.preview import Preview
    from deepgui.data.source_spec import SourceSpec
    from deepgui.qt.inspector.data_preview import DataPreview

_DEFAULTS = DataConfig()
_SPLIT = (
    ParamSpec(
        "validation", "float", _DEFAULTS.validation, minimum=0.0, doc="Share of the examples kept for validation."
    ),
    ParamSpec("test", "float", _DEFAULTS.test, minimum=0.0, doc="Share of the examples kept for the final test."),
    ParamSpec("seed", "int", _DEFAULTS.seed, minimum=0, doc="Seed of the split: the same seed gives the same split."),
    ParamSpec(
        "normalize",
        "choice",
        _DEFAULTS.normalize,
        choices=("none", "standard", "minmax"),
        doc="How inputs are scaled; fitted on the training split.",
    ),
)
_TITLES = {"seed": "split seed", "validation": "validation share", "test": "test share"}
PREVIEW_MS = 350
PROGRESS_MS = 200


class DataSection(QWidget):
    """Edits the project's :class:`DataConfig`; a thread of its own reads the data for the preview."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._sources: Mapping[str, SourceSpec] = {}
        self._built_for: str | None = None
        self._previewed: tuple[Any, ...] | None = None
        self._read: DataConfig | None = None
        self._worker = Worker(self)
        self.option_rows: dict[str, ParamRow] = {}
        self.split_rows: dict[str, ParamRow] = {}
        self.source = QComboBox()
        self.source.setObjectName("data_source")
        self.source.setAccessibleName("Data source")
        self.source.setPlaceholderText("Choose a data set")
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.source.setMinimumWidth(80)
        self.source.activated.connect(self._choose)
        self._summary = label("", "muted", wrap=True)
        self.preview = label("", "muted", wrap=True)
        self.preview.setObjectName("data_summary")
        self.download = DownloadBar()
        self.download.arrived.connect(self._on_arrival)
        self.glance = Glance()
        self.glance.opened.connect(self.open_preview)
        self.dialog: DataPreview | None = None
        self._seen: Preview | None = None
        self._trouble: tuple[str, tuple[ColumnUse, ...]] = ("", ())
        session.changed.connect(self._follow)
        self._options = QVBoxLayout()
        self._options.setSpacing(8)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PREVIEW_MS)
        self._timer.timeout.connect(self._read_preview)
        self._progress = QTimer(self)
        self._progress.setInterval(PROGRESS_MS)
        self._progress.timeout.connect(self._show_progress)
        self._lay_out()

    def _lay_out(self) -> None:
        title = label("source", "parameter")
        title.setFixedWidth(LABEL_WIDTH)
        pick = row(title, self.source)
        pick.setStretch(1, 1)
        self.preview.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = column(pick, self._summary, self.download, self.preview, self.glance, self._options, gap=8)
        for spec in _SPLIT:
            line = ParamRow(spec, _TITLES.get(spec.name, ""))
            line.edited.connect(self._set_split)
            line.reset.connect(lambda name: self._set_split(name, getattr(_DEFAULTS, name)))
            self.split_rows[spec.name] = line
            layout.addWidget(line)
        self.setLayout(layout)

    def close_worker(self) -> None:
        """Wait for a preview under way; for closing the window."""
        self._timer.stop()
        self._worker.close()
        self.download.close_worker()
        if self.dialog is not None:
            self.dialog.close()

    # -- showing

    def refresh(self) -> None:
        """Show the project's data settings."""
        if self._session.ready and not self._sources:
            from deepgui.data.sources import sources

            self._sources = sources()
            for id, spec in self._sources.items():
                self.source.addItem(spec.title, id)
                self.source.setItemData(self.source.count() - 1, spec.summary, Qt.ItemDataRole.ToolTipRole)
        data = self._session.project.data
        self.source.setEnabled(bool(self._sources))
        self.source.setPlaceholderText(self._placeholder(data))
        self.source.setCurrentIndex(self.source.findData(data.source) if data.source else -1)
        known = self._sources.get(data.source)
        if self._built_for != data.source or (known is not None and len(known.params) != len(self.option_rows)):
            self._build(data.source)
        self._summary.setText(known.summary if known else "")
        self._summary.setVisible(bool(known))
        for name, line in self.option_rows.items():
            own = name in data.options
            line.show_state(Shown(data.options.get(name, line.spec.default), own=own and not line.spec.required))
        for name, line in self.split_rows.items():
            value = getattr(data, name)
            line.show_state(Shown(value, own=value != getattr(_DEFAULTS, name)))
            line.setVisible(bool(data.source))
        self._ask_preview(data)

    def _placeholder(self, data: DataConfig) -> str:
        if not self._sources:
            return "Waiting for PyTorch …"
        return f"{data.source} (unknown)" if data.source else "Choose a data set"

    def _build(self, source: str) -> None:
        clear(self._options)
        self.option_rows = {}
        self._built_for = source
        known = self._sources.get(source)
        for spec in known.params if known else ():
            line = ParamRow(spec, "data seed" if spec.name == "seed" else "")
            line.edited.connect(self._set_option)
            line.reset.connect(self._unset_option)
            self.option_rows[spec.name] = line
            self._options.addWidget(line)

    # -- editing

    def _choose(self, index: int) -> None:
        source = self.source.itemData(index)

        def change(data: DataConfig) -> DataConfig:
            return data if data.source == source else replace(data, source=source, options={}, inputs={}, target="")

        self._edit("Choose data", change, None)
        self._suit(source)

    def _suit(self, source: str) -> None:
        """A source made for another objective brings that along, in a step of its own."""
        suits = self._sources[source].suits
        training = self._session.project.training
        if suits and training.objective not in suits and training.objective in ("classification", "regression"):
            self._session.edit_project(
                f"Train for {suits[0]}",
                lambda p: replace(p, training=replace(p.training, objective=suits[0], objective_options={})),
            )

    def _set_option(self, name: str, value: Value) -> None:
        self._edit(f"Set {name}", lambda d: replace(d, options={**d.options, name: value}), ("data", name))

    def _unset_option(self, name: str) -> None:
        kept = {k: v for k, v in self._session.project.data.options.items() if k != name}
        self._edit(f"Reset {name}", lambda d: replace(d, options=kept), None)

    def _set_split(self, name: str, value: Value) -> None:
        assert name in {f.name for f in fields(DataConfig)}
        self._edit(f"Set {name}", lambda d: replace(d, **{name: value}), ("data", name))

    def _edit(self, title: str, change: Any, merge: object) -> None:
        self._session.edit_project(title, lambda project: replace(project, data=change(project.data)), merge)

    def _set_role(self, name: str, role: str) -> None:
        """What a column of a CSV file is for; an empty role: as its cells say."""
        from deepgui.data.csv_roles import ROLES, with_role

        chosen = next((r for r in ROLES if r == role), None)

        def change(data: DataConfig) -> DataConfig:
            target = "" if chosen == "target" else data.target
            return replace(data, options=with_role(data.options, name, chosen), target=target)

        self._edit(f"Make {name} {role}" if role else f"Reset the role of {name}", change, None)

    # -- preview

    def open_preview(self) -> None:
        """Show the data in a window of its own."""
        from deepgui.qt.inspector.data_preview import DataPreview

        if self.dialog is None:
            self.dialog = DataPreview(self.window())
            self.dialog.role_chosen.connect(self._set_role)
        self._fill_dialog()
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _fill_dialog(self) -> None:
        if self.dialog is None:
            return
        if self._seen is not None:
            self.dialog.show_preview(self._title(), self._seen)
        elif self._trouble[0]:
            self.dialog.show_trouble(self._title(), *self._trouble)

    def _title(self) -> str:
        """The file or folder, else the source."""
        data = self._session.project.data
        known = self._sources.get(data.source)
        path = str(data.options.get("path", ""))
        return Path(path).name if path else known.title if known else data.source

    def _follow(self) -> None:
        """While the window of the data is open, it shows every change, whatever page the inspector shows."""
        if self.dialog is not None and self.dialog.isVisible():
            self.refresh()

    def _on_arrival(self) -> None:
        """A set was downloaded: read it, and judge the project anew."""
        self.download.offer(None)
        self._previewed = None
        self._ask_preview(self._session.project.data)
        self._session.recheck()

    def _ask_preview(self, data: DataConfig) -> None:
        wanted = (data, self._session.project.training.objective)
        if self._previewed is not None and self._previewed[0] is data and self._previewed[1:] == wanted[1:]:
            return
        self._previewed = wanted
        self._timer.stop()
        self.download.offer(None)
        if not data.source or not self._session.ready:
            self.preview.hide()
            self.glance.clear()
            self._progress.stop()
            self._previewed = None if not self._session.ready else wanted
            return
        self.preview.setProperty("role", "muted")
        self.preview.setText("Reading …")
        self.preview.show()
        if self.dialog is not None:
            self.dialog.say("Reading …")
        self._timer.start()

    def _read_preview(self) -> None:
        data, objective = self._session.project.data, self._session.project.training.objective

        def read() -> dict[str, Any]:
            from deepgui.data.dataset import prepare

            return prepare(data, objective).summary()

        if self._read is None or (self._read.source, self._read.options) != (data.source, data.options):
            self._worker.give_up("preview")  # nobody waits for the other examples any more
        self._worker.give_up("look")
        self._read = data
        self._worker.submit("preview", read, lambda result: self._show_preview(data, result))
        self._progress.start()

    def _show_progress(self) -> None:
        if not self._worker.busy:
            self._progress.stop()
        elif self._worker.progress is not None and not self._timer.isActive():
            text = f"Reading: {self._worker.progress} …"
            if self.preview.text().startswith("Reading"):
                self.preview.setText(text)
            if self.dialog is not None:
                self.dialog.say(text)

    def _show_preview(self, data: DataConfig, result: dict[str, Any] | Broken) -> None:
        if self._session.project.data is not data or (isinstance(result, Broken) and result.given_up):
            return
        from deepgui.qt import style

        objective = self._session.project.training.objective
        if isinstance(result, Broken):
            self._show_broken(data, result.error)
            return
        style.set_role(self.preview, "muted")
        self.preview.setText(describe(result))
        self._worker.submit("look", lambda: _look(data, objective), lambda found: self._show_look(data, found))

    def _show_look(self, data: DataConfig, found: Preview | Broken) -> None:
        if self._session.project.data is not data or isinstance(found, Broken):
            return  # what can be wrong with the data was said when it was read
        self._seen, self._trouble = found, ("", ())
        self.glance.show_preview(found)
        self._fill_dialog()

    def _show_broken(self, data: DataConfig, error: Exception) -> None:
        from deepgui.data.known_sets import NotHere
        from deepgui.data.known_sources import known_sets
        from deepgui.qt import style

        self._seen, self._trouble = None, (_sentence(error), ())
        self.glance.clear()
        if isinstance(error, NotHere):
            self.preview.hide()
            self.download.offer(known_sets()[error.id])
            return
        style.set_role(self.preview, "error")
        self.preview.setText(_sentence(error))
        self._fill_dialog()
        source = self._sources.get(data.source)
        self._worker.submit("look", lambda: _rest(source, data), lambda found: self._show_rest(data, found))

    def _show_rest(self, data: DataConfig, found: Preview | tuple[ColumnUse, ...] | Broken) -> None:
        """What can be seen of data that cannot be used as it is, so that it can be mended."""
        if self._session.project.data is not data or isinstance(found, Broken):
            return
        if isinstance(found, tuple):
            self._trouble = (self._trouble[0], found)
            self.glance.offer_columns()
        else:
            self._seen = found
            self.glance.show_preview(found)
        self._fill_dialog()


def _look(data: DataConfig, objective: str) -> Preview:
    from deepgui.data import preview
    from deepgui.data.dataset import prepare

    return preview.of(prepare(data, objective))


def _rest(source: SourceSpec | None, data: DataConfig) -> Preview | tuple[ColumnUse, ...]:
    """The data as it is without an objective; if that does not help, the columns of a text table. Raises DataError."""
    from deepgui.data.csv_roles import uses_of_file
    from deepgui.data.errors import DataError

    try:
        return _look(data, "")
    except DataError:
        if source is None or source.id != "csv":
            raise
        return uses_of_file(source.options(data.options))


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def describe(summary: Mapping[str, Any]) -> str:
    """A data set's summary in a few lines."""
    splits = ",  ".join(f"{part['examples']:,} {name}" for name, part in summary["splits"].items())
    lines = [f"{summary['examples']:,} examples:  {splits}"]
    for field in summary["fields"]:
        shape = "×".join(map(str, field["shape"])) or "one number"
        role = "  (to learn)" if field["name"] == summary["target"] else ""
        classes = f"{len(field['classes'])} classes" if field["classes"] else shape
        lines.append(f"{field['name']}:  {field['kind']}, {classes}{role}")
    return "\n".join([*lines, *summary.get("notes", ())])
