"""A small list with a search line that floats over the canvas. The keyboard never leaves the line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from deepgui.qt import icons
from deepgui.qt import style as look
from deepgui.qt.theme import theme

SIZE = QSize(372, 344)
_ROW = 40
_MOST = 80
_KEY = Qt.ItemDataRole.UserRole + 1
_SUMMARY = Qt.ItemDataRole.UserRole + 2
_CATEGORY = Qt.ItemDataRole.UserRole + 3


class Entry(NamedTuple):
    """A row: what choosing it gives, two lines of text, and the family that colours its icon."""

    key: str
    title: str
    summary: str
    category: str


Find = Callable[[str], Sequence[Entry]]


class _Rows(QStyledItemDelegate):
    """Icon, name and summary."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        self.initStyleOption(option, index)
        option.text = ""
        option.widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter)
        colors, category = theme(), index.data(_CATEGORY)
        painter.save()
        glyph = QRect(option.rect.x() + 10, option.rect.y(), 18, option.rect.height())
        icons.paint(painter, glyph, icons.glyph(category), colors.family(category))
        place = option.rect.adjusted(40, 4, -8, -4)
        upper = QRect(place.x(), place.y(), place.width(), place.height() // 2)
        painter.setFont(look.font(13, bold=True))
        painter.setPen(colors.color("text"))
        painter.drawText(upper, int(Qt.AlignmentFlag.AlignVCenter), index.data())
        painter.setFont(look.font(11))
        painter.setPen(colors.color("muted"))
        summary = painter.fontMetrics().elidedText(index.data(_SUMMARY), Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(upper.translated(0, place.height() // 2), int(Qt.AlignmentFlag.AlignVCenter), summary)
        painter.restore()


class PickList(QFrame):
    """Type to narrow, up and down to move, Enter to choose, Esc or a click elsewhere to leave.

    Signals:
        chosen(key): a row was chosen; the popup is closed by then.
        closed: it closed, with or without a choice.
    """

    chosen = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget, name: str, line: str, hint: str, find: Find, none: str) -> None:
        super().__init__(parent)
        self._find = find
        self.setObjectName(name)
        self.setProperty("role", "card")
        self.edit = QLineEdit(self)
        self.edit.setObjectName(line)
        self.edit.setPlaceholderText(hint)
        self.edit.setAccessibleName(hint)
        self.edit.textChanged.connect(self._refill)
        self.edit.installEventFilter(self)
        self._model = QStandardItemModel(self)
        self.rows = self._make_list(name)
        self._none = QLabel(none, self)
        self._none.setProperty("role", "muted")
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._none.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self.edit)
        layout.addWidget(self.rows)
        layout.addWidget(self._none, 1)
        self.hide()

    def _make_list(self, name: str) -> QListView:
        rows = QListView(self)
        rows.setObjectName(f"{name}_list")
        rows.setModel(self._model)
        rows.setItemDelegate(_Rows(rows))
        rows.setUniformItemSizes(True)
        rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        rows.setMouseTracking(True)
        rows.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows.clicked.connect(lambda index: self._choose(index.row()))
        return rows

    @property
    def keys(self) -> list[str]:
        """What is listed, best first."""
        return [self._model.item(row).data(_KEY) for row in range(self._model.rowCount())]

    def open_at(self, at: QPoint) -> None:
        """Show the popup near a place of its parent, inside it, ready to be typed into."""
        room = self.parentWidget().rect()
        self.resize(SIZE.boundedTo(room.size() - QSize(8, 8)))
        x = max(4, min(at.x(), room.width() - self.width() - 4))
        y = max(4, min(at.y(), room.height() - self.height() - 4))
        self.move(x, y)
        self.edit.clear()
        self._refill()
        self.show()
        self.raise_()
        self.edit.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_up(self) -> None:
        """Hide and give the keyboard back to the canvas."""
        if self.isHidden():
            return
        had_focus = self.window().focusWidget() is self.edit
        self.hide()
        if had_focus:
            self.parentWidget().setFocus()
        self.closed.emit()

    def _refill(self) -> None:
        self._model.clear()
        for entry in self._find(self.edit.text())[:_MOST]:
            item = QStandardItem(entry.title)
            item.setData(entry.key, _KEY)
            item.setData(entry.summary, _SUMMARY)
            item.setData(entry.category, _CATEGORY)
            item.setData(f"{entry.title}: {entry.summary}", Qt.ItemDataRole.AccessibleTextRole)
            self._model.appendRow(item)
        found = self._model.rowCount() > 0
        self._shrink()
        self.rows.setVisible(found)
        self._none.setVisible(not found)
        if found:
            self.rows.setCurrentIndex(self._model.index(0, 0))

    def _shrink(self) -> None:
        """As tall as the rows need, where there is room for them."""
        needed = self._model.rowCount() * _ROW + self.edit.sizeHint().height() + 28
        room = self.parentWidget().height() - 8
        self.resize(self.width(), min(max(needed, 160), SIZE.height(), room))

    def _choose(self, row: int) -> None:
        if not 0 <= row < self._model.rowCount():
            return
        key = self._model.item(row).data(_KEY)
        self.close_up()
        self.chosen.emit(key)

    def _step(self, by: int) -> None:
        count = self._model.rowCount()
        if count:
            row = min(max(self.rows.currentIndex().row() + by, 0), count - 1)
            self.rows.setCurrentIndex(self._model.index(row, 0))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.edit and event.type() == QEvent.Type.KeyPress:
            return self._key(event)
        if watched is self.edit and event.type() == QEvent.Type.FocusOut and not self.isHidden():
            self.close_up()
        return False

    def _key(self, event: QKeyEvent) -> bool:
        """Whether a key belongs to the list and not to the line."""
        page = max(1, self.rows.height() // _ROW)
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: page, Qt.Key.Key_PageUp: -page}
        if event.key() in steps:
            self._step(steps[event.key()])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            self._choose(self.rows.currentIndex().row())
        elif event.key() == Qt.Key.Key_Escape:
            self.close_up()
        else:
            return False
        return True
