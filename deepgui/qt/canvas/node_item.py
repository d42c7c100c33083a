"""A node on the canvas: where it stands, what is at a place of it, and how it is painted."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from deepgui.qt.canvas.card import HEADER, PORT_Y, WIDTH, Card, Slot
from deepgui.qt.canvas.frame import IDENTITY, Frame
from deepgui.qt.canvas.hits import PortRef
from deepgui.qt.canvas.spatial import Box
from deepgui.qt.canvas.style import PAD, PORT, TILE, Text, text

TEXT_X = 50.0
BADGE = QPointF(WIDTH - 4, 4)
BADGE_REACH = 12.0
FROST = QPointF(4, 4)
"""Where the mark of a frozen layer is: on the corner across from that of a problem."""
STRIPE = 12.0
FADED = 0.4
"""How much is left to see of a node that is bypassed."""
_MARGIN = 12.0


class NodeItem:
    """A mirror of one node. Not a QGraphicsItem: five thousand of those cannot be painted in a frame from Python."""

    __slots__ = ("_lines", "card", "order", "x", "y")

    def __init__(self, card: Card, x: float, y: float, order: int) -> None:
        self.card = card
        self.x = x
        self.y = y
        self.order = order
        self._lines: list[tuple[str, Text, float, float]] | None = None

    def show(self, card: Card) -> None:
        """Look like another card from now on."""
        self.card = card
        self._lines = None

    @property
    def rect(self) -> QRectF:
        return QRectF(self.x, self.y, WIDTH, self.card.height)

    @property
    def box(self) -> Box:
        """The rectangle with its ports and outline."""
        return self.x - _MARGIN, self.y - _MARGIN, self.x + WIDTH + _MARGIN, self.y + self.card.height + _MARGIN

    def port_point(self, slot: Slot) -> QPointF:
        return QPointF(self.x if slot.side == "in" else self.x + WIDTH, self.y + slot.y)

    def port_at(self, at: QPointF, reach: float) -> PortRef | None:
        """The nearest port within ``reach`` of a scene point."""
        best, nearest = None, reach
        for slot in self.card.slots:
            point = self.port_point(slot)
            far = max(abs(point.x() - at.x()), abs(point.y() - at.y()))
            if far < nearest:
                best, nearest = PortRef(self.card.node, slot.side, slot.port, slot.index), far
        return best

    def badge_at(self, at: QPointF) -> bool:
        """Whether a scene point is on the problem badge."""
        if not self.card.severity:
            return False
        return abs(at.x() - self.x - BADGE.x()) <= BADGE_REACH and abs(at.y() - self.y - BADGE.y()) <= BADGE_REACH

    def paint(self, painter: QPainter, frame: Frame) -> None:
        """Paint everything. The painter is left with a transform of the frame's own."""
        style, card = frame.style, self.card
        origin = frame.device(self.x, self.y)
        painter.setWorldTransform(IDENTITY)
        pad = PAD * frame.scale
        painter.setOpacity(FADED if card.bypassed else 1.0)
        if card.block:
            painter.drawPixmap(origin - QPointF(pad, pad), style.edges(card.height, 2 if card.repeat else 1))
        painter.drawPixmap(origin - QPointF(pad, pad), style.body(card.height, self._state(frame), card.known))
        painter.drawPixmap(origin + TILE.topLeft() * frame.scale, style.tile(card.category, card.known))
        for slot in card.slots:
            self._paint_port(painter, frame, origin, slot)
        if card.severity:
            corner = origin + (BADGE - QPointF(12, 12)) * frame.scale
            painter.drawPixmap(corner, style.badge(card.severity))
        if card.frozen:
            painter.drawPixmap(origin + (FROST - QPointF(12, 12)) * frame.scale, style.frost())
        painter.setWorldTransform(frame.card_transform(origin))
        for token, line, x, y in self._texts():
            painter.setPen(style.color(token))
            line.paint(painter, x, y)
        if card.bypassed:
            painter.setOpacity(1.0)
            painter.setPen(style.pen("wire", 2.0))
            into, out = (slots[0].y if slots else PORT_Y for slots in (card.inputs, card.outputs))
            painter.drawLine(QPointF(PORT, into), QPointF(WIDTH - PORT, out))

    def paint_title(self, painter: QPainter) -> None:
        """Paint the layer's kind alone, large enough to be read from afar; the body is painted in a batch."""
        line = text(self.card.title, 24, True, WIDTH - STRIPE - 16)
        line.paint(painter, self.x + STRIPE + 10, self.y + (self.card.height - line.height) / 2)

    def _state(self, frame: Frame) -> str:
        if self.card.node in frame.selection:
            return "selected"
        return "hover" if frame.hover == self.card.node else ""

    def _paint_port(self, painter: QPainter, frame: Frame, origin: QPointF, slot: Slot) -> None:
        ref = PortRef(self.card.node, slot.side, slot.port, slot.index)
        focus = frame.focus
        token, hot = "port", frame.hover_port == ref
        if focus is not None:
            fits = focus.accepts(ref)
            token, hot = ("accent", focus.target == ref) if fits else ("node_border", False)
        elif hot:
            token = "accent"
        elif slot.optional and not slot.connected:
            token = "node_muted"
        x = 0.0 if slot.side == "in" else WIDTH
        at = QPointF(x - 2 * PORT, slot.y - 2 * PORT) * frame.scale
        painter.drawPixmap(origin + at, frame.style.port(token, slot.connected or hot, hot))

    def _texts(self) -> list[tuple[str, Text, float, float]]:
        """Colour token, laid-out text and place of every line, made when first needed."""
        if self._lines is None:
            self._lines = [*self._heading(), *self._parameters(), *self._port_names()]
        return self._lines

    def _heading(self) -> list[tuple[str, Text, float, float]]:
        card = self.card
        room = WIDTH - TEXT_X - 14
        lines: list[tuple[str, Text, float, float]] = []
        beside = 0.0
        if card.repeat:
            row = text(card.repeat, 12, True, room / 2)
            lines.append(("family_block", row, WIDTH - 14 - row.width, 8.0))
            beside = row.width + 8
        lines.append(("node_text", text(card.title, 13, True, room - beside), TEXT_X, 8.0))
        if card.count:
            count = text(card.count, 10)
            lines.append(("node_muted", count, WIDTH - 14 - count.width, 26.0))
            room -= count.width + 8
        lines.append(("node_muted", text(card.subtitle, 11, False, room), TEXT_X, 25.0))
        return lines

    def _parameters(self) -> list[tuple[str, Text, float, float]]:
        lines: list[tuple[str, Text, float, float]] = []
        x, limit = 14.0, WIDTH - 12
        for i, detail in enumerate(self.card.details):
            if i and not self.card.details[i - 1].text.endswith("→"):
                dot = text("·", 11)
                lines.append(("node_muted", dot, x, HEADER))
                x += dot.width + 4
            if limit - x < 16:
                break
            line = text(detail.text, 11, False, limit - x)
            lines.append(("inferred" if detail.inferred else "node_text", line, x, HEADER))
            x += line.width + 4
        return lines

    def _port_names(self) -> list[tuple[str, Text, float, float]]:
        lines: list[tuple[str, Text, float, float]] = []
        both = len(self.card.inputs) > 1 and len(self.card.outputs) > 1
        room = (WIDTH - 36) / 2 if both else WIDTH - 28
        for slot in self.card.slots:
            if slot.label:
                line = text(slot.label, 11, False, room)
                x = 14.0 if slot.side == "in" else WIDTH - 14 - line.width
                muted = slot.optional and not slot.connected
                lines.append(("node_muted" if muted else "node_text", line, x, slot.y - line.height / 2))
        return lines


def paint_blocks(painter: QPainter, frame: Frame, items: list[NodeItem]) -> None:
    """Paint many nodes as coloured blocks with their titles: one call a colour, then the words."""
    style = frame.style
    by_color: dict[str, list[QRectF]] = {}
    for item in items:
        hue = style.family(item.card.category) if item.card.known else "disabled"
        by_color.setdefault(hue, []).append(QRectF(item.x, item.y, STRIPE, item.card.height))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(style.pen("node_border", 0))
    painter.setBrush(style.color("node"))
    painter.drawRects([item.rect for item in items])
    painter.setPen(Qt.PenStyle.NoPen)
    for token, rects in by_color.items():
        painter.setBrush(style.color(token))
        painter.drawRects(rects)
    wrong = [i.rect for i in items if i.card.severity == "error"]
    paint_frames(painter, frame, wrong, [i.rect for i in items if i.card.node in frame.selection])
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(style.color("node_text"))
    for item in items:
        item.paint_title(painter)


def paint_frames(painter: QPainter, frame: Frame, wrong: list[QRectF], chosen: list[QRectF]) -> None:
    """Outline blocks that have an error, and those selected, two device pixels wide at any zoom."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for token, rects in (("error", wrong), ("selection", chosen)):
        if rects:
            pen = QPen(frame.style.color(token), 2)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawRects(rects)
