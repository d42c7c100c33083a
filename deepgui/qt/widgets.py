"""Small widgets that several panels share. They know nothing of projects."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLayoutItem,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from deepgui.qt import icons
from deepgui.qt.theme import GRID, theme


def label(text: str = "", role: str = "", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    """A plain-text label in a role of the style sheet."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if role:
        made.setProperty("role", role)
    if wrap:
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    if selectable:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def button(text: str, name: str, *, role: str = "", icon: str = "", tip: str = "") -> QPushButton:
    """A push button with its object name; the accessible name is its text or its tip."""
    made = QPushButton(text)
    made.setObjectName(name)
    made.setAccessibleName(text or tip)
    made.setToolTip(tip)
    made.setAutoDefault(False)  # in a dialog only the button that says so answers Enter
    if role:
        made.setProperty("role", role)
    if icon:
        made.setIcon(icons.icon(icon, "on_accent" if role == "primary" else "muted"))
    return made


def tool_button(icon: str, name: str, tip: str, *, token: str = "muted") -> QToolButton:
    """A small icon button; ``tip`` is also what a screen reader says."""
    made = QToolButton()
    made.setObjectName(name)
    made.setIcon(icons.icon(icon, token))
    made.setIconSize(QSize(16, 16))
    made.setToolTip(tip)
    made.setAccessibleName(tip)
    return made


def action_button(action: QAction) -> QToolButton:
    """A tool button that follows an action."""
    made = QToolButton()
    made.setDefaultAction(action)
    made.setIconSize(QSize(18, 18))
    made.setObjectName(f"tool_{action.objectName()}")
    made.setAccessibleName(action.text().replace("&", ""))
    return made


def rule() -> QFrame:
    """A thin horizontal line."""
    made = QFrame()
    made.setProperty("role", "rule")
    return made


def column(*parts: QWidget | QLayout, margin: int = 0, gap: int = GRID) -> QVBoxLayout:
    """A vertical layout of widgets and layouts."""
    made = QVBoxLayout()
    _fill(made, parts, margin, gap)
    return made


def row(*parts: QWidget | QLayout, margin: int = 0, gap: int = GRID) -> QHBoxLayout:
    """A horizontal layout of widgets and layouts."""
    made = QHBoxLayout()
    _fill(made, parts, margin, gap)
    return made


def _fill(layout: QVBoxLayout | QHBoxLayout, parts: Iterable[QWidget | QLayout], margin: int, gap: int) -> None:
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(gap)
    for part in parts:
        if isinstance(part, QLayout):
            layout.addLayout(part)
        else:
            layout.addWidget(part)


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and delete it."""
    while (item := layout.takeAt(0)) is not None:
        if (inner := item.layout()) is not None:
            clear(inner)
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()


class _Scrolled(QScrollArea):
    """Gives its content the whole width, and the height that wrapped text needs at that width.

    QScrollArea alone asks for a minimum size without saying how wide it will be, and squeezes paragraphs.
    """

    def __init__(self, content: QWidget, role: str) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setProperty("role", role)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)
        content.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        content, width = self.widget(), self.viewport().width()
        if content is not None:
            tall = content.heightForWidth(width) if content.hasHeightForWidth() else content.sizeHint().height()
            content.setMinimumHeight(max(0, tall))


def scrolled(content: QWidget, role: str = "panel") -> QScrollArea:
    """A vertical scroll area around ``content``."""
    return _Scrolled(content, role)


class Switch(QAbstractButton):
    """An on/off switch, painted in the accent colour when on."""

    WIDTH, HEIGHT = 34, 20

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedSize(self.WIDTH + 4, self.HEIGHT + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(2, 2, self.WIDTH, self.HEIGHT)
        painter.setPen(colors.color("accent" if self.isChecked() else "muted"))
        painter.setBrush(colors.color("accent" if self.isChecked() else "field"))
        painter.drawRoundedRect(track.adjusted(0.5, 0.5, -0.5, -0.5), self.HEIGHT / 2, self.HEIGHT / 2)
        size = self.HEIGHT - 8
        left = track.right() - size - 4 if self.isChecked() else track.left() + 4
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.color("on_accent" if self.isChecked() else "muted"))
        painter.drawEllipse(QRectF(left, track.top() + 4, size, size))
        if self.hasFocus():
            painter.setPen(colors.color("text" if self.isChecked() else "accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 12, 12)


class Elided(QLabel):
    """A label that shortens its text with ``…`` rather than be cut off; the tooltip has all of it."""

    clicked = Signal()

    def __init__(
        self, text: str = "", role: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, *, width: int = 0
    ) -> None:
        super().__init__()
        self._full, self._shown, self._mode = "", "", mode
        self.setSizePolicy(
            QSizePolicy.Policy.Fixed if width else QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        if width:
            self.setFixedWidth(width)
        if role:
            self.setProperty("role", role)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show another text. The label keeps its place and size: the window is not laid out anew.

        A QLabel would ask for that with every new text, and a window with docks takes milliseconds for it.
        """
        if text != self._full:
            self._full = text
            self.setAccessibleName(text)
            self._elide()

    def text(self) -> str:
        """What is to be read, shortened."""
        return self._shown

    def full_text(self) -> str:
        return self._full

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._elide()

    def sizeHint(self) -> QSize:
        margins = self.contentsMargins()
        metrics = self.fontMetrics()
        wide = metrics.horizontalAdvance(self._full) + margins.left() + margins.right() + 2
        return QSize(wide, metrics.height() + margins.top() + margins.bottom())

    def minimumSizeHint(self) -> QSize:
        return QSize(16, self.sizeHint().height())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit()
        super().mouseReleaseEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)  # background and frame
        painter = QPainter(self)
        place = self.contentsRect()
        self.style().drawItemText(
            painter, place, int(self.alignment()), self.palette(), self.isEnabled(), self._shown, self.foregroundRole()
        )

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._full, self._mode, max(0, self.contentsRect().width()))
        if shown != self._shown:
            self._shown = shown
            self.update()
        tip = self._full if shown != self._full else ""
        if tip != self.toolTip():
            self.setToolTip(tip)


class Fold(QWidget):
    """A section that opens and closes by its heading."""

    def __init__(self, title: str, name: str, content: QWidget, *, opened: bool = True) -> None:
        super().__init__()
        self._content = content
        self._heading = button(title, name, role="fold")
        self._heading.setCheckable(True)
        self._heading.setChecked(opened)
        self._heading.toggled.connect(self._show)
        self.setLayout(column(self._heading, content, gap=GRID // 2))
        self._show(opened)

    def set_title(self, title: str) -> None:
        self._heading.setText(title)
        self._heading.setAccessibleName(title)

    def _show(self, opened: bool) -> None:
        self._heading.setIcon(icons.icon("caret-down" if opened else "caret-right"))
        self._heading.setIconSize(QSize(12, 12))
        self._content.setVisible(opened)


class Badge(QLabel):
    """A rounded patch of colour with an icon: the mark of a layer's family."""

    def __init__(self, size: int = 32) -> None:
        super().__init__()
        self.setFixedSize(size, size)
        self._icon, self._token = "squares-four", "family_other"

    def show_family(self, category: str) -> None:
        self._icon = icons.glyph(category)
        self._token = theme().family_token(category)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = theme().color(self._token)
        wash = theme().color(self._token)
        wash.setAlphaF(0.18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(wash)
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        inset = self.width() // 4
        icons.paint(painter, QRectF(self.rect().adjusted(inset, inset, -inset, -inset)), self._icon, color)


class Flow(QLayout):
    """Lays widgets out in rows of as many as fit, all as wide as the row allows and of one height."""

    def __init__(self, item_width: int, item_height: int, gap: int = 2 * GRID) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._width, self._height, self._gap = item_width, item_height, gap
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def _columns(self, width: int) -> int:
        return max(1, (width + self._gap) // (self._width + self._gap))

    def heightForWidth(self, width: int) -> int:
        rows = -(-len(self._items) // self._columns(width))
        return max(0, rows * (self._height + self._gap) - self._gap)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        return QSize(self._width, self._height if self._items else 0)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        columns = self._columns(rect.width())
        wide = min((rect.width() + self._gap) // columns - self._gap, self._width * 3 // 2)
        for index, item in enumerate(self._items):
            across, down = index % columns, index // columns
            corner = QPoint(rect.x() + across * (wide + self._gap), rect.y() + down * (self._height + self._gap))
            item.setGeometry(QRect(corner, QSize(wide, self._height)))


class Note(QWidget):
    """An empty state: an icon, one line, and what to do."""

    def __init__(self, icon: str, title: str, text: str = "") -> None:
        super().__init__()
        self._icon = icon
        self._picture = QLabel()
        self._picture.setFixedSize(40, 40)
        self._picture.setPixmap(icons.icon(icon).pixmap(QSize(32, 32)))
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title = label(title, "strong", wrap=True)
        self.text = label(text, "muted", wrap=True)
        for part in (self.title, self.text):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = column(self._picture, self.title, self.text, margin=2 * GRID, gap=GRID)
        layout.setAlignment(self._picture, Qt.AlignmentFlag.AlignHCenter)
        layout.insertStretch(0)
        layout.addStretch()
        self.setLayout(layout)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._picture.setPixmap(icons.icon(self._icon).pixmap(QSize(32, 32)))


__all__ = [
    "Badge",
    "Elided",
    "Flow",
    "Fold",
    "Note",
    "Switch",
    "action_button",
    "button",
    "clear",
    "column",
    "label",
    "row",
    "rule",
    "scrolled",
    "tool_button",
]
