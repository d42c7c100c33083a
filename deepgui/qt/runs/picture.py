"""The plot of runs as a picture that is kept: PNG or SVG."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from deepgui.qt import style, theme
from deepgui.qt.runs.curves import CurvesPage

SHARPNESS = 2
HEAD = 30
MARGIN = 12.0


def save(page: CurvesPage, path: Path) -> None:
    """Write what the plot shows, with the names of the runs. Raises OSError."""
    size = QSize(page.plot.chart.width(), page.plot.chart.height() + _head_height(page))
    if path.suffix.lower() == ".svg":
        generator = QSvgGenerator()
        generator.setFileName(str(path))
        generator.setTitle(page.metric)
        generator.setSize(size)
        generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
        painter = QPainter()
        if not painter.begin(generator):
            raise OSError(f"{path.name} could not be written.")
        _paint(page, painter, size)
        painter.end()
        return
    image = QImage(size * SHARPNESS, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SHARPNESS)
    painter = QPainter(image)
    _paint(page, painter, size)
    painter.end()
    if not image.save(str(path)):
        raise OSError(f"{path.name} could not be written.")


def _names(page: CurvesPage) -> list[list[tuple[str, str, float]]]:
    """The names of the runs with their colours and widths, in as many lines as they take."""
    advance = QFontMetricsF(style.font(12, bold=True)).horizontalAdvance
    lines: list[list[tuple[str, str, float]]] = [[]]
    x = MARGIN + advance(page.choice.currentText()) + 24
    for series in page.plot.series:
        wide = 14 + advance(series.label) + 18
        if x + wide > page.plot.chart.width() and lines[-1]:
            lines.append([])
            x = MARGIN
        lines[-1].append((series.label, series.token, wide))
        x += wide
    return lines


def _head_height(page: CurvesPage) -> int:
    return HEAD + 20 * (len(_names(page)) - 1)


def _paint(page: CurvesPage, painter: QPainter, size: QSize) -> None:
    colors, head = theme.theme(), _head_height(page)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    painter.fillRect(QRectF(0, 0, size.width(), size.height()), colors.color("plot"))
    title = page.choice.currentText()
    painter.setPen(colors.color("text"))
    painter.setFont(style.font(12, bold=True))
    painter.drawText(QRectF(MARGIN, 0, size.width(), HEAD), Qt.AlignmentFlag.AlignVCenter, title)
    x, y = MARGIN + QFontMetricsF(style.font(12, bold=True)).horizontalAdvance(title) + 24, 0.0
    painter.setFont(style.font(12))
    for line in _names(page):
        for name, token, wide in line:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.color(token))
            painter.drawEllipse(QRectF(x, y + HEAD / 2 - 4, 8, 8))
            painter.setPen(colors.color("text"))
            painter.drawText(QRectF(x + 14, y, wide, HEAD), Qt.AlignmentFlag.AlignVCenter, name)
            x += wide
        x, y = MARGIN, y + 20
    painter.translate(0, head)
    page.plot.chart.paint_on(painter)
