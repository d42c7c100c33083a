"""The palette: every layer kind by family, with search; drag one to the canvas or press Enter."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from PySide6.QtCore import (
    QAbstractItemModel,
    QByteArray,
    QEvent,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QDrag, QFont, QKeyEvent, QPainter, QPixmap, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QStackedLayout,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from deepgui.catalog.spec import LayerSpec, Registry
from deepgui.graph.blocks import CATEGORY as PROJECT_BLOCKS
from deepgui.qt import icons, shelf, style, theme
from deepgui.qt.palette import block_menu
from deepgui.qt.palette.block_menu import BlockMenu
from deepgui.qt.palette.search import EVERYDAY, rank
from deepgui.qt.session import Session
from deepgui.qt.widgets import Note, column, label, row, tool_button

LAYER_MIME = "application/x-deepgui-layer"
KIND = Qt.ItemDataRole.UserRole + 1
CATEGORY = Qt.ItemDataRole.UserRole + 2
_ROW = 28
_HEADING = 32
_LEADING = 9
"""So many everyday kinds lead the palette; more would push the families out of sight."""


class PaletteModel(QStandardItemModel):
    """Families with their kinds, or a flat list of search results. Dragging gives the kind as UTF-8."""

    def mimeTypes(self) -> list[str]:
        return [LAYER_MIME]

    def mimeData(self, indexes: Iterable[QModelIndex]) -> QMimeData:
        data = QMimeData()
        kinds = [index.data(KIND) for index in indexes if index.data(KIND)]
        if kinds:
            data.setData(LAYER_MIME, QByteArray(kinds[0].encode("utf-8")))
            data.setText(kinds[0])
        return data

    def show_families(self, registry: Registry, own: Collection[str] = ()) -> None:
        """Everyday kinds first, then the project's ``own`` blocks, then each family with all of its kinds."""
        self.clear()
        everyday = [registry[kind] for kind in EVERYDAY[:_LEADING] if kind in registry]
        if everyday and len(registry) > len(everyday):
            self.appendRow(_heading("Everyday", everyday, every=False))
        families: dict[str, list[LayerSpec]] = {PROJECT_BLOCKS: [], **{name: [] for name in icons.FAMILIES}}
        for spec in registry.values():
            families.setdefault(PROJECT_BLOCKS if spec.kind in own else spec.category, []).append(spec)
        for name, specs in families.items():
            if specs:
                self.appendRow(_heading(name, specs, every=True))

    def show_found(self, specs: Sequence[LayerSpec]) -> None:
        """Search results, best first."""
        self.clear()
        for spec in specs:
            self.appendRow(_entry(spec))


def _heading(name: str, specs: Sequence[LayerSpec], *, every: bool) -> QStandardItem:
    item = QStandardItem(name)
    item.setData(name if every else "", CATEGORY)
    item.setEditable(False)
    item.setSelectable(False)
    item.setDragEnabled(False)
    for spec in specs:
        item.appendRow(_entry(spec))
    return item


def _entry(spec: LayerSpec) -> QStandardItem:
    item = QStandardItem(spec.kind)
    item.setData(spec.kind, KIND)
    item.setData(spec.category, CATEGORY)
    item.setEditable(spec.form == "block")
    item.setToolTip(spec.summary or spec.kind)
    item.setData(f"{spec.kind}: {spec.summary}", Qt.ItemDataRole.AccessibleTextRole)
    return item


class _Delegate(QStyledItemDelegate):
    """Paints headings with their count and kinds with the mark of their family; blocks are renamed in place.

    Signals:
        renamed(kind, name): another name was typed for a block.
    """

    renamed = Signal(str, str)

    def setModelData(
        self, editor: QWidget, model: QAbstractItemModel, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        kind = index.data(KIND)
        if isinstance(editor, QLineEdit) and editor.text() != kind:
            text = editor.text()  # the list is filled anew, but not while Qt is still closing the editor
            QTimer.singleShot(0, self, lambda: self.renamed.emit(kind, text))

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(120, _ROW if index.data(KIND) else _HEADING)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        self.initStyleOption(option, index)
        option.text = ""
        option.widget.style().drawControl(option.widget.style().ControlElement.CE_ItemViewItem, option, painter)
        painter.save()
        if index.data(KIND):
            self._kind(painter, option.rect, index)
        else:
            self._heading(painter, option.rect, index)
        painter.restore()

    def _kind(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        colors, category = theme.theme(), index.data(CATEGORY)
        glyph = QRect(rect.x() + 6, rect.y(), 16, rect.height())
        icons.paint(painter, glyph, icons.glyph(category), colors.family(category))
        text = rect.adjusted(30, 0, -6, 0)
        painter.setFont(style.font())
        painter.setPen(colors.color("text"))
        name = painter.fontMetrics().elidedText(index.data(), Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter), name)

    def _heading(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        colors = theme.theme()
        font = style.font(12)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(colors.color("text"))
        painter.drawText(rect.adjusted(4, 0, -40, 0), int(Qt.AlignmentFlag.AlignVCenter), index.data())
        painter.setFont(style.font(11))
        painter.setPen(colors.color("muted"))
        flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        painter.drawText(rect.adjusted(0, 0, -10, 0), flags, str(index.model().rowCount(index)))


class _Tree(QTreeView):
    """The list; carries a card with the layer's name while dragging."""

    def startDrag(self, actions: Qt.DropAction) -> None:
        index = self.currentIndex()
        if not index.data(KIND):
            return
        drag = QDrag(self)
        drag.setMimeData(self.model().mimeData([index]))
        card = drag_card(index.data(KIND), index.data(CATEGORY), self.devicePixelRatioF())
        drag.setPixmap(card)
        drag.setHotSpot(QPoint(24, 18))
        drag.exec(Qt.DropAction.CopyAction)

    def drawBranches(self, painter: QPainter, rect: QRect, index: QModelIndex) -> None:
        if not index.data(KIND):
            name = "caret-down" if self.isExpanded(index) else "caret-right"
            icons.paint(
                painter, QRect(rect.right() - 14, rect.y(), 12, rect.height()), name, theme.theme().color("muted")
            )

    def mousePressEvent(self, event: object) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and not index.data(KIND) and event.button() == Qt.MouseButton.LeftButton:
            self.setExpanded(index, not self.isExpanded(index))
            return
        super().mousePressEvent(event)


def drag_card(kind: str, category: str, scale: float) -> QPixmap:
    """The small card under the pointer while a kind is dragged."""
    font = style.font(13, bold=True)
    size = QSize(180, 36)
    pixmap = QPixmap(size * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colors = theme.theme()
    painter.setPen(colors.family(category))
    painter.setBrush(QColor(colors.color("node")))
    painter.drawRoundedRect(1, 1, size.width() - 2, size.height() - 2, 8, 8)
    icons.paint(painter, QRect(12, 9, 18, 18), icons.glyph(category), colors.family(category))
    painter.setFont(font)
    painter.setPen(colors.color("node_text"))
    area = QRect(40, 0, size.width() - 48, size.height())
    text = painter.fontMetrics().elidedText(kind, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), text)
    painter.end()
    return pixmap


class Palette(QWidget):
    """All layer kinds with search.

    Signals:
        place_requested(kind): double-click or Enter: place this kind where the canvas thinks best.
    """

    place_requested = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("palette")
        self.setAccessibleName("Layer palette")
        self.setProperty("role", "panel")
        self.setMinimumWidth(208)
        self._session = session
        self._known: object = None
        self._model = PaletteModel(self)
        self.search = self._make_search()
        self.tree = self._make_tree()
        self._nothing = Note(
            "magnifying-glass",
            "Nothing found",
            "Try another word: layers are found by name, by nickname and by what they do.",
        )
        self._waiting = label("Getting the layers from PyTorch …", "muted", wrap=True)
        self._waiting.setContentsMargins(12, 12, 12, 12)
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._pages = QStackedLayout()
        for page in (self._waiting, self.tree, self._nothing):
            self._pages.addWidget(page)
        self.write = tool_button("code", "palette_own_layer", "New layer of your own, in Python")
        self.write.clicked.connect(lambda: session.code_requested.emit(""))
        top = row(self.search, self.write, margin=8)
        layout = column(gap=0)
        layout.addLayout(top)
        layout.addLayout(self._pages, 1)
        self.setLayout(layout)
        session.registry_ready.connect(self._refill)
        session.document_replaced.connect(self._follow)
        session.changed.connect(lambda _before, _after: self._follow())
        theme.current().changed.connect(self.tree.viewport().update)
        self._refill()

    def _make_search(self) -> QLineEdit:
        search = QLineEdit()
        search.setObjectName("palette_search")
        search.setAccessibleName("Search layers")
        search.setPlaceholderText("Search layers")
        search.setClearButtonEnabled(True)
        search.addAction(icons.icon("magnifying-glass"), QLineEdit.ActionPosition.LeadingPosition)
        search.textChanged.connect(self._refill)
        search.installEventFilter(self)
        return search

    def _make_tree(self) -> QTreeView:
        tree = _Tree()
        tree.setObjectName("palette_tree")
        tree.setAccessibleName("Layers by family")
        tree.setModel(self._model)
        delegate = _Delegate(tree)
        delegate.renamed.connect(lambda kind, name: block_menu.rename(self._session, kind, name))
        tree.setItemDelegate(delegate)
        tree.setHeaderHidden(True)
        tree.setIndentation(14)
        tree.setDragEnabled(True)
        tree.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        tree.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        tree.setExpandsOnDoubleClick(False)
        tree.setMouseTracking(True)
        tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        tree.doubleClicked.connect(self._place)
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tree.customContextMenuRequested.connect(lambda at: self._open_menu(tree.indexAt(at), at))
        tree.installEventFilter(self)
        return tree

    def _follow(self) -> None:
        """List the blocks anew if there are others now, or if they are called or described otherwise."""
        known = {name: (b.category, b.summary) for name, b in self._session.project.blocks.items()}
        if known != self._known:
            self._refill()

    def _open_menu(self, index: QModelIndex, at: QPoint) -> None:
        if index.data(KIND):
            self.tree.setCurrentIndex(index)
            self.menu().popup(self.tree.viewport().mapToGlobal(at))

    def menu(self) -> BlockMenu:
        """What can be done with the current kind."""
        return BlockMenu(self, self._session, self.current_kind(), self._place, self.begin_rename)

    def begin_rename(self) -> None:
        """Edit the name of the current kind where it stands, if it is a block of the project."""
        kind = self.current_kind()
        if kind in self._session.project.blocks and not self._session.is_written(kind):
            self.tree.edit(self.tree.currentIndex())

    def _refill(self) -> None:
        query = self.search.text().strip()
        self._known = {name: (b.category, b.summary) for name, b in self._session.project.blocks.items()}
        offered = shelf.offered(self._session)
        if not offered:
            self._pages.setCurrentWidget(self._waiting)
        elif query:
            self._show_found(rank(query, offered))
        else:
            self._show_families(offered)

    def _show_families(self, offered: Registry) -> None:
        """Every kind under its heading; headings that were open stay so, and new blocks are to be seen."""
        opened = {self._model.index(i, 0).data() for i in range(self._model.rowCount()) if self._is_open(i)}
        at = self.tree.verticalScrollBar().value()
        self._model.show_families(offered, self._session.project.blocks)
        self.tree.setRootIsDecorated(True)
        for line in range(self._model.rowCount()):
            index = self._model.index(line, 0)
            self.tree.setExpanded(index, line == 0 or index.data() in opened or index.data() == PROJECT_BLOCKS)
        self._pages.setCurrentWidget(self.tree)
        self.tree.verticalScrollBar().setValue(at)

    def _is_open(self, line: int) -> bool:
        return self.tree.isExpanded(self._model.index(line, 0))

    def _show_found(self, specs: list[LayerSpec]) -> None:
        self._model.show_found(specs)
        self.tree.setRootIsDecorated(False)
        self._pages.setCurrentWidget(self.tree if specs else self._nothing)
        if specs:
            self.tree.setCurrentIndex(self._model.index(0, 0))
            self.tree.scrollToTop()

    def current_kind(self) -> str:
        """The kind that Enter would place, or an empty string."""
        return self.tree.currentIndex().data(KIND) or ""

    def _place(self, index: QModelIndex | None = None) -> None:
        kind = index.data(KIND) if index is not None else self.current_kind()
        if kind:
            self.place_requested.emit(kind)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """In the search field the arrows move through the list and Enter places; Escape clears."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._place()
                return True
            if watched is self.search and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown):
                self.tree.keyPressEvent(event)
                return True
            if watched is self.tree and event.key() == Qt.Key.Key_F2:
                self.begin_rename()
                return True
            if watched is self.tree and event.key() == Qt.Key.Key_Delete:
                block_menu.remove(self._session, self.current_kind())
                return True
            if watched is self.search and event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)
