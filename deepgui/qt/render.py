"""The drawing of a project's network as a file: SVG, PDF or PNG, painted by the canvas itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMarginsF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPageSize, QPaintDevice, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

from deepgui.catalog.builtin import registry
from deepgui.compiler.report import check
from deepgui.project.document import Document
from deepgui.project.values import Project
from deepgui.qt import theme
from deepgui.qt.canvas import frame as frames
from deepgui.qt.canvas import paint
from deepgui.qt.canvas.mirror import Mirror
from deepgui.qt.canvas.style import style
from deepgui.qt.session import Session

MARGIN = 48.0
SHARPNESS = 2.0
"""Pixels a scene unit: of a PNG, and of what SVG and PDF hold as pixels (card bodies)."""
LARGEST = 16_000
"""Pixels a side of an image, at most."""
_POINTS_A_UNIT = 0.75  # 96 units an inch, as on screen


def render(
    project: Project, out: Path | str, *, theme_name: str = "light", size: tuple[int, int] | None = None
) -> Path:
    """Draw the main network into a file; its suffix says how.

    Args:
        theme_name: ``light`` or ``dark``.
        size: of a PNG in pixels, the drawing fitted into it; by default twice life size.

    Raises:
        ValueError: another suffix than .svg, .pdf or .png, or an empty network.
        OSError: the file cannot be written.
    """
    out = Path(out)
    write = _WRITERS.get(out.suffix.lower())
    if write is None:
        raise ValueError(f"{out.name}: a drawing is written to a .svg, .pdf or .png file.")
    if not project.main.nodes:
        raise ValueError("the network is empty: there is nothing to draw.")
    application()
    before = theme.theme().name
    theme.use(theme_name)
    try:
        _write_beside(out, lambda path: write(_mirror(project), path, size))
    finally:
        theme.use(before)
    return out


def application() -> QGuiApplication:
    """The running application, or one without a display made for the occasion."""
    from PySide6.QtWidgets import QApplication

    running = QGuiApplication.instance()
    if isinstance(running, QGuiApplication):
        return running
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    return QApplication(["deepgui"])


def _mirror(project: Project) -> Mirror:
    """The network as the canvas holds it, with shapes on its wires."""
    session = Session(Document(project))
    session.show_catalogue(registry())
    session.report = check(session.network, session.registry)
    mirror = Mirror(session, session)
    mirror.setProperty("session", session)  # Qt's parent does not keep Python's object alive
    session.registry_ready.emit()
    session.report_changed.emit(session.report)
    return mirror


def _write_beside(out: Path, write: Callable[[Path], None]) -> None:
    """Have ``write`` make a file beside ``out`` and put it there when it is whole."""
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".deepgui-", suffix=out.suffix.lower(), dir=out.parent)
    os.close(handle)
    try:
        write(Path(name))
        mask = os.umask(0o022)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _area(mirror: Mirror) -> QRectF:
    return mirror.bounds().adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)


def _paint(mirror: Mirror, device: QPaintDevice, scale: float, left: float = 0.0, top: float = 0.0) -> None:
    """Paint the drawing with its top left corner at a device point."""
    area = _area(mirror)
    painter = QPainter(device)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    painter.translate(left, top)
    painter.scale(scale, scale)
    painter.translate(-area.topLeft())
    frame = frames.begin(painter, style())
    painter.fillRect(area, frame.style.color("canvas"))
    paint.paint_network(painter, frame, area, mirror, None)
    painter.end()


def _write_png(mirror: Mirror, path: Path, size: tuple[int, int] | None) -> None:
    area = _area(mirror)
    scale = min(SHARPNESS, LARGEST / max(area.width(), area.height()))
    whole = QImage(round(area.width() * scale), round(area.height() * scale), QImage.Format.Format_ARGB32_Premultiplied)
    whole.fill(style().color("canvas"))
    _paint(mirror, whole, scale)
    if size is not None:
        whole = _fitted(whole, QSize(*size))
    if not whole.save(str(path), "PNG"):
        raise OSError(f"{path.name} could not be written.")


def _fitted(image: QImage, size: QSize) -> QImage:
    """The image shrunk into a picture of exactly this size, in the middle."""
    fitted = QImage(size, image.format())
    fitted.fill(style().color("canvas"))
    small = image.scaled(size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    painter = QPainter(fitted)
    painter.drawImage((size.width() - small.width()) // 2, (size.height() - small.height()) // 2, small)
    painter.end()
    return fitted


def _write_svg(mirror: Mirror, path: Path, size: tuple[int, int] | None) -> None:
    area = _area(mirror)
    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setTitle(mirror.network.name)
    generator.setResolution(96)
    generator.setSize(QSizeF(area.width(), area.height()).toSize())
    generator.setViewBox(QRectF(0, 0, area.width() * SHARPNESS, area.height() * SHARPNESS))
    _paint(mirror, generator, SHARPNESS)


def _write_pdf(mirror: Mirror, path: Path, size: tuple[int, int] | None) -> None:
    area = _area(mirror)
    writer = QPdfWriter(str(path))
    writer.setTitle(mirror.network.name)
    points = QSizeF(area.width(), area.height()) * _POINTS_A_UNIT
    writer.setPageSize(QPageSize(points, QPageSize.Unit.Point, "drawing", QPageSize.SizeMatchPolicy.ExactMatch))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    writer.setResolution(round(96 * SHARPNESS))
    _paint(mirror, writer, SHARPNESS)


_WRITERS: dict[str, Callable[[Mirror, Path, tuple[int, int] | None], None]] = {
    ".png": _write_png,
    ".svg": _write_svg,
    ".pdf": _write_pdf,
}
