"""Whether a person can see a widget: Qt calls a panel visible even while another tab covers it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QDockWidget, QWidget


class Sight(QObject):
    """Follows a widget and the dock it is in. ``changed(seen)`` fires when it comes into sight or goes.

    The widget calls :meth:`shown` and :meth:`hidden` from its ``showEvent`` and ``hideEvent``; an event filter
    would still be called while the interpreter ends.
    """

    changed = Signal(bool)

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._dock: QDockWidget | None = None
        self._uncovered = True
        self.seen = False

    def shown(self) -> None:
        """The widget was shown."""
        self._find_dock()
        self._update(True)

    def hidden(self) -> None:
        """The widget was hidden."""
        self._update(False)

    def _find_dock(self) -> None:
        parent = self._widget.parentWidget()
        while parent is not None and not isinstance(parent, QDockWidget):
            parent = parent.parentWidget()
        if parent is not None and parent is not self._dock:
            self._dock = parent
            # A dock that another tab covers is laid beyond the left edge; Qt told so before anybody listened.
            self._uncovered = parent.isFloating() or parent.geometry().right() >= 0
            parent.visibilityChanged.connect(self._on_dock)

    def _on_dock(self, visible: bool) -> None:
        self._uncovered = visible
        self._update(self._widget.isVisible())

    def _update(self, visible: bool) -> None:
        seen = visible and self._uncovered
        if seen != self.seen:
            self.seen = seen
            self.changed.emit(seen)


class SeenPanel(QWidget):
    """The content of a dock that knows, by its ``sight``, whether a person can see it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.sight = Sight(self)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.sight.shown()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.sight.hidden()
