"""The plot of runs as a picture that is kept: PNG or SVG."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from deepgui.qt import style, theme
from deepgui.qt.dashboard.chart import Chart
from deepgui.qt.runs.curves import CurvesPage

SHARPNESS = 2
LEAST = QSize(960, 480)
"""A plot that is smaller on the screen is drawn so large."""
HEAD, LINE = 30, 20
MARGIN = 12.0
Names = list[list[tuple[str, str, float]]]


def save(page: CurvesPage, path: Path) -> None:
    """Write what the plot shows, with the names of the runs. Raises OSError."""
    chart = page.plot.chart.sized(page.plot.chart.size().expandedTo(LEAST))
    names = _names(page, chart.width())
    size = QSize(chart.width(), chart.height() + _head_height(names))
    if path.suffix.lower() == ".svg":
        generator = QSvgGenerator()
        generator.setFileName(str(path))
        generator.setTitle(page.metric)
        generator.setSize(size)
        generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
        painter = QPainter()
        if not painter.begin(generator):
            raise OSError(f"{path.name} could not be written.")
        _paint(page, chart, names, painter)
        painter.end()
        return
    image = QImage(size * SHARPNESS, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SHARPNESS)
    painter = QPainter(image)
    _paint(page, chart, names, painter)
    painter.end()
    if not image.save(str(path)):
        raise OSError(f"{path.name} could not be written.")


def _names(page: CurvesPage, width: int) -> Names:
    """The names of the runs with their colours and widths, in as many lines as they take."""
    advance = QFontMetricsF(style.font(12, bold=True)).horizontalAdvance
    lines: Names = [[]]
    x = MARGIN + advance(page.choice.currentText()) + 24
    for series in page.plot.series:
        wide = 14 + advance(series.label) + 18
        if x + wide > width and lines[-1]:
            lines.append([])
            x = MARGIN
        lines[-1].append((series.label, series.token, wide))
        x += wide
    return lines


def _head_height(names: Names) -> int:
    return HEAD + LINE * (len(names) - 1)


def _paint(page: CurvesPage, chart: Chart, names: Names, painter: QPainter) -> None:
    colors, head, title = theme.theme(), _head_height(names), page.choice.currentText()
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    painter.fillRect(QRectF(0, 0, chart.width(), chart.height() + head), colors.color("plot"))
    painter.setPen(colors.color("text"))
    painter.setFont(style.font(12, bold=True))
    painter.drawText(QRectF(MARGIN, 0, chart.width(), HEAD), Qt.AlignmentFlag.AlignVCenter, title)
    x, y = MARGIN + painter.fontMetrics().horizontalAdvance(title) + 24.0, 0.0
    painter.setFont(style.font(12))
    for line in names:
        for name, token, wide in line:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.color(token))
            painter.drawEllipse(QRectF(x, y + HEAD / 2 - 4, 8, 8))
            painter.setPen(colors.color("text"))
            painter.drawText(QRectF(x + 14, y, wide, HEAD), Qt.AlignmentFlag.AlignVCenter, name)
            x += wide
        x, y = MARGIN, y + LINE
    painter.translate(0, head)
    chart.paint_on(painter)
