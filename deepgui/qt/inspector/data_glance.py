"""The data in a few square centimetres: some examples, the balance of the classes, how much there is to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from deepgui.qt.inspector.data_bars import BalanceStrip
from deepgui.qt.widgets import button, clear, column, label

if TYPE_CHECKING:
    from deepgui.data.preview import Preview

_SIDE = 40
_TILES = 6


class Glance(QWidget):
    """Signals:
    opened: the person wants to see more.
    """

    opened = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._tiles = QHBoxLayout()
        self._tiles.setContentsMargins(0, 0, 0, 0)
        self._tiles.setSpacing(4)
        self._strip = BalanceStrip()
        self._remarks = label("", "warning", wrap=True)
        self._remarks.setObjectName("data_remarks")
        self.more = button("Look at the data", "open_data_preview", icon="magnifying-glass")
        self.more.clicked.connect(self.opened)
        self.setLayout(column(self._tiles, self._strip, self._remarks, self.more))
        self.clear()

    def clear(self) -> None:
        """Nothing is known."""
        clear(self._tiles)
        for part in (self._strip, self._remarks, self.more):
            part.hide()

    def offer_columns(self) -> None:
        """The data cannot be used, but its columns can be looked at."""
        self.clear()
        self.more.show()

    def show_preview(self, preview: Preview) -> None:
        """Show what was found."""
        from deepgui.qt.inspector.data_tiles import Tile, drawable  # with numpy: not before the first picture

        clear(self._tiles)
        seen = [e for e in preview.examples if e.split == "train" and drawable(e)][:_TILES]
        for example in seen:
            self._tiles.addWidget(Tile(example, QSize(_SIDE, _SIDE), captioned=False))
        if seen:
            self._tiles.addStretch()
        self._strip.show_classes(preview.splits[0].classes)
        count = len(preview.remarks)
        things = "1 thing" if count == 1 else f"{count} things"
        self._remarks.setText(f"{things} to look at: {preview.remarks[0].text}" if count else "")
        self._remarks.setVisible(bool(count))
        self.more.show()
