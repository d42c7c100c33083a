"""The columns of the data: what each is for, its range, its distribution, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QVBoxLayout, QWidget

from deepgui.qt.inspector.data_bars import Histogram
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import Elided, clear, label, scrolled

if TYPE_CHECKING:
    from deepgui.data.csv_roles import ColumnUse
    from deepgui.data.preview_columns import ColumnFacts

AUTO = "auto"
_ROLES = ("number", "category", "target", "ignore")


class ColumnsPage(QWidget):
    """Signals:
    role_chosen(column, role): what a column of a CSV file shall be for; an empty role: as its cells say.
    """

    role_chosen = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._content = QWidget()
        self._grid = QGridLayout(self._content)
        self._grid.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(6)
        layout.addWidget(scrolled(self._content))

    def show_columns(self, columns: Sequence[ColumnFacts], uses: Sequence[ColumnUse]) -> None:
        """Show the facts; with roles to choose where the columns are those of a text table."""
        clear(self._grid)
        facts = {column.name: column for column in columns}
        known = {use.name: use for use in uses}
        names = list(dict.fromkeys([*known, *facts]))
        heads = ["COLUMN", *(["ROLE"] if uses else []), "RANGE OR VALUES", "MISSING", "DISTRIBUTION"]
        for across, head in enumerate(heads):
            self._grid.addWidget(label(head, "section"), 0, across)
        for line, name in enumerate(names, 1):
            self._row(line, name, facts.get(name), known.get(name), with_roles=bool(uses))
        self._grid.setColumnStretch(0, 2)
        self._grid.setColumnStretch(len(heads) - 1, 3)
        for across in range(1, len(heads) - 1):
            self._grid.setColumnStretch(across, 0)
        self._grid.setRowStretch(len(names) + 1, 1)

    def _row(
        self, line: int, name: str, column: ColumnFacts | None, use: ColumnUse | None, *, with_roles: bool
    ) -> None:
        title = Elided(name, "strong" if use is not None and use.role == "target" else "")
        title.setMinimumWidth(110)
        parts: list[QWidget] = [title]
        if with_roles:
            parts.append(self._chooser(use) if use is not None else label())
        missing = max(column.missing if column else 0, use.missing if use else 0)
        parts += [_range(column, use), label(f"{missing:,}" if missing else "", "mono-muted")]
        parts.append(Histogram(column) if column is not None else Elided(_cells(use), "muted"))
        for across, part in enumerate(parts):
            self._grid.addWidget(part, line, across, Qt.AlignmentFlag.AlignVCenter)

    def _chooser(self, use: ColumnUse) -> QComboBox:
        combo = QComboBox()
        combo.setObjectName(f"role_{use.name}")
        combo.setAccessibleName(f"Role of {use.name}")
        combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        guess = f"{AUTO} ({use.role})" if not use.told else AUTO
        is_target = use.role == "target"
        for text, role in ((guess, ""), *((role, role) for role in _ROLES)):
            if not (is_target and role != "target"):
                combo.addItem(text, role)
        combo.setCurrentIndex(combo.findData(use.role if use.told else ""))
        if is_target:
            combo.setToolTip("To learn another column, make that one the target.")
        elif use.note:
            combo.setToolTip(use.note)
        combo.activated.connect(lambda at: self._choose(use, str(combo.itemData(at))))
        combo.setMinimumWidth(130)
        return combo

    def _choose(self, use: ColumnUse, role: str) -> None:
        if role != (use.role if use.told else ""):
            self.role_chosen.emit(use.name, role)


def _range(column: ColumnFacts | None, use: ColumnUse | None) -> QWidget:
    if column is None or column.kind == "category":
        different = column.different if column is not None else use.different if use is not None else 0
        return label(f"{different:,} different" if different != 1 else "always the same", "mono-muted")
    return label(f"{column.low:.4g} … {column.high:.4g}", "mono-muted")


def _cells(use: ColumnUse | None) -> str:
    return ", ".join(use.cells) if use is not None else ""
