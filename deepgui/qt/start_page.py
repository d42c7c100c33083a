"""The first page: new, open, recent files, lost work, and a gallery of samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from deepgui import paths
from deepgui.catalog.spec import LayerSpec
from deepgui.graph.values import Network
from deepgui.library.templates import Template, templates
from deepgui.project import file, recent
from deepgui.project.autosave import Recovery
from deepgui.project.decode import FileError
from deepgui.qt import icons, style, theme
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import Flow, button, clear, column, label, row, scrolled

PICTURE_HEIGHT = 164
CARD = QSize(264, PICTURE_HEIGHT + 132)
TEMPLATE = QSize(150, 50)
SIDE = 304
STEPS = (
    (
        "tree-structure",
        "Draw",
        "Tab or a double click adds a layer; drag from port to port to wire it. Shapes show at once.",
    ),
    ("chart-line", "Watch", "Ctrl+Enter trains. Curves, feature maps and mistakes move while the network learns."),
    ("export", "Take home", "Ctrl+E gives readable PyTorch, weights and ONNX that need no DeepGUI."),
)
"""Icon, title and words of what one does here."""


@dataclass(frozen=True)
class Sample:
    """A project in the gallery; ``picture`` may be missing."""

    path: Path
    title: str
    notes: str
    network: Network
    picture: Path


def samples() -> list[Sample]:
    """The samples that can be read, by name."""
    found = []
    for path in sorted(paths.samples().glob(f"*{file.SUFFIX}")):
        try:
            project = file.read(path)
        except FileError:
            continue
        picture = path.parent / "pictures" / f"{path.stem}.png"
        title = project.name.replace("_", " ")
        found.append(Sample(path, title[:1].upper() + title[1:], project.notes.strip(), project.main, picture))
    return found


class _Card(QAbstractButton):
    """A button that paints itself: raised under the pointer, ringed with the focus."""

    def __init__(self, name: str, accessible: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(accessible)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def _frame(self, painter: QPainter) -> QPainterPath:
        """Paint the ground and return its outline."""
        colors = theme.theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.setPen(colors.color("accent" if self.hasFocus() or self.underMouse() else "border"))
        painter.setBrush(colors.color("raised" if self.underMouse() or self.isDown() else "panel"))
        painter.drawPath(outline)
        return outline


class SampleCard(_Card):
    """A sample with its picture, title and the beginning of its notes."""

    def __init__(self, sample: Sample, kinds: Mapping[str, LayerSpec]) -> None:
        super().__init__(f"sample_{sample.path.stem}", f"Open the sample {sample.title}")
        self._sample, self._kinds = sample, kinds
        self._picture = QPixmap(str(sample.picture)) if sample.picture.is_file() else QPixmap()
        self.setFixedHeight(CARD.height())
        self.setToolTip(sample.notes)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self), theme.theme()
        outline = self._frame(painter)
        area = QRect(1, 1, self.width() - 2, PICTURE_HEIGHT)
        painter.save()
        painter.setClipPath(outline)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(area, colors.color("canvas"))
        if not self._picture.isNull():
            painter.drawPixmap(area, self._picture, _cover(self._picture.size(), area.size()))
        painter.restore()
        painter.setPen(colors.color("border"))
        painter.drawLine(1, area.bottom() + 1, self.width() - 2, area.bottom() + 1)
        text = QRect(14, area.bottom() + 12, self.width() - 28, 20)
        painter.setFont(style.font(13, bold=True))
        painter.setPen(colors.color("text"))
        painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter), _fit(painter, self._sample.title, text.width()))
        draw_chain(painter, QRectF(text.translated(0, 25)), self._sample.network, self._kinds)
        painter.setFont(style.font(12))
        painter.setPen(colors.color("muted"))
        for line, words in enumerate(_lines(painter, first_sentence(self._sample.notes), text.width(), 3)):
            painter.drawText(text.translated(0, 49 + 18 * line), int(Qt.AlignmentFlag.AlignVCenter), words)


class TemplateCard(_Card):
    """A published architecture: its name and how many parameters it has; the tooltip says what it is."""

    def __init__(self, template: Template) -> None:
        name = template.path.stem
        super().__init__(f"template_{name}", f"Open {template.name}, {template.parameters:,} parameters")
        self._template = template
        self.setFixedHeight(TEMPLATE.height())
        self.setToolTip(f"{template.summary}\n{template.parameters:,} parameters")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self), theme.theme()
        self._frame(painter)
        text = QRect(12, 6, self.width() - 24, 20)
        painter.setFont(style.font(12, bold=True))
        painter.setPen(colors.color("text"))
        painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter), _fit(painter, self._template.name, text.width()))
        painter.setFont(style.font(11))
        painter.setPen(colors.color("muted"))
        words = f"{short_count(self._template.parameters)} parameters"
        painter.drawText(text.translated(0, 18), int(Qt.AlignmentFlag.AlignVCenter), words)


def short_count(number: int) -> str:
    """``61.7 k``, ``25.6 M``."""
    return f"{number / 1e6:.1f} M" if number >= 1e6 else f"{number / 1e3:.1f} k"


class RecentButton(_Card):
    """A file opened lately: its name, its folder and when it was saved."""

    def __init__(self, number: int, path: Path) -> None:
        super().__init__(f"recent_{number}", f"Open {path}")
        self.path = path
        self.setFixedHeight(52)
        self.setToolTip(str(path))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self), theme.theme()
        self._frame(painter)
        icons.paint(painter, QRect(14, 0, 18, self.height()), "file", colors.color("accent"))
        text = QRect(44, 7, self.width() - 56, 20)
        painter.setFont(style.font(13))
        painter.setPen(colors.color("text"))
        painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter), _fit(painter, self.path.stem, text.width()))
        painter.setFont(style.font(11))
        painter.setPen(colors.color("muted"))
        where = f"{age(self.path)}  ·  {_short(self.path.parent)}"
        words = painter.fontMetrics().elidedText(where, Qt.TextElideMode.ElideMiddle, text.width())
        painter.drawText(text.translated(0, 18), int(Qt.AlignmentFlag.AlignVCenter), words)


def age(path: Path, now: float | None = None) -> str:
    """How long ago a file was saved: ``just now``, ``3 h ago``, ``12 days ago``."""
    try:
        seconds = (time.time() if now is None else now) - path.stat().st_mtime
    except OSError:
        return "gone"
    return ago(seconds)


def ago(seconds: float) -> str:
    """A span of time before now in words."""
    for size, word in ((86400, "day"), (3600, "h"), (60, "min")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {word}{'s' if word == 'day' and count > 1 else ''} ago"
    return "just now"


def _short(folder: Path) -> str:
    try:
        return str(Path("~") / folder.relative_to(Path.home()))
    except ValueError:
        return str(folder)


def _fit(painter: QPainter, text: str, width: int) -> str:
    return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, width)


def _lines(painter: QPainter, text: str, width: int, most: int) -> list[str]:
    """The beginning of a text in at most so many lines."""
    lines, words = [""], text.split()
    while words:
        longer = f"{lines[-1]} {words[0]}".strip()
        if painter.fontMetrics().horizontalAdvance(longer) <= width or not lines[-1]:
            lines[-1] = longer
            words.pop(0)
        elif len(lines) < most:
            lines.append("")
        else:
            lines[-1] = _fit(painter, " ".join([lines[-1], *words]), width)
            break
    return lines


def _cover(size: QSize, area: QSize) -> QRect:
    """The largest part of a picture, from its middle, with the proportions of ``area``."""
    scale = min(size.width() / area.width(), size.height() / area.height())
    wide, high = int(area.width() * scale), int(area.height() * scale)
    return QRect((size.width() - wide) // 2, (size.height() - high) // 2, wide, high)


def first_sentence(notes: str) -> str:
    """The beginning of a text up to its first full stop or line's end."""
    line = notes.partition("\n")[0]
    return line[: line.find(". ") + 1] or line


def draw_chain(painter: QPainter, area: QRectF, network: Network, kinds: Mapping[str, LayerSpec]) -> None:
    """The layers of a network as a row of squares in the colours of their families, joined by a line."""
    nodes = list(network.nodes.values())
    if not nodes:
        return
    step = min(22.0, (area.width() - 14) / max(1, len(nodes) - 1))
    side, middle = min(14.0, step - 3), area.center().y()
    colors = theme.theme()
    painter.setPen(colors.color("wire"))
    painter.drawLine(QPointF(area.left() + 7, middle), QPointF(area.left() + 7 + step * (len(nodes) - 1), middle))
    painter.setPen(Qt.PenStyle.NoPen)
    for place, node in enumerate(nodes):
        spec = kinds.get(node.kind)
        painter.setBrush(colors.family(spec.category if spec else ""))
        centre = QPointF(area.left() + 7 + step * place, middle)
        painter.drawRoundedRect(QRectF(centre.x() - side / 2, centre.y() - side / 2, side, side), 4, 4)


class StartPage(QWidget):
    """Where people arrive.

    Signals:
        new_requested, open_requested: the two buttons.
        file_chosen(path): a recent file.
        sample_chosen(path): a sample or a template; it is opened as an unsaved copy.
        recovery_chosen(recovery), recovery_discarded(recovery): what to do with lost work.
    """

    new_requested = Signal()
    open_requested = Signal()
    file_chosen = Signal(Path)
    sample_chosen = Signal(Path)
    recovery_chosen = Signal(object)
    recovery_discarded = Signal(object)

    def __init__(self, kinds: Callable[[], Mapping[str, LayerSpec]]) -> None:
        super().__init__()
        self.setObjectName("start_page")
        self.setAccessibleName("Start page")
        self.setProperty("role", "page")
        self._kinds = kinds
        self._recent = QVBoxLayout()
        self._recent.setSpacing(GRID)
        self._recent.setContentsMargins(0, 0, 0, 0)
        self._lost = QVBoxLayout()
        self._gallery = Flow(CARD.width(), CARD.height())
        self._templates = Flow(TEMPLATE.width(), TEMPLATE.height())
        self.setLayout(row(gap=0))
        self.layout().addWidget(scrolled(self._content(), "page"))
        theme.current().changed.connect(self.update)
        self.refresh()

    def _content(self) -> QWidget:
        content = QWidget()
        content.setProperty("role", "page")
        inner = QWidget()
        inner.setProperty("role", "page")
        inner.setMaximumWidth(1240)
        inner.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        page = column(self._heading(), self._lost, self._columns(), gap=3 * GRID)
        page.addStretch()
        inner.setLayout(page)
        centred = QHBoxLayout(content)
        centred.setContentsMargins(4 * GRID, 4 * GRID, 4 * GRID, 3 * GRID)
        centred.addStretch(1)
        centred.addWidget(inner, 1000)
        centred.addStretch(1)
        return content

    def _heading(self) -> QVBoxLayout:
        return column(
            label("DeepGUI", "title"),
            label("Draw a neural network, watch it learn, take the PyTorch home.", "muted", wrap=True),
            gap=4,
        )

    def _columns(self) -> QHBoxLayout:
        new = button("New network", "new_button", role="primary", icon="plus")
        opening = button("Open …", "open_button", icon="folder-open")
        new.clicked.connect(self.new_requested)
        opening.clicked.connect(self.open_requested)
        self.new_button = new
        files = QWidget()
        files.setObjectName("recent_files")
        files.setAccessibleName("Recent files")
        files.setLayout(self._recent)
        side = QWidget()
        side.setFixedWidth(SIDE)
        buttons = row(new, opening)
        left = column(buttons, label("Recent", "strong"), files, gap=2 * GRID)
        left.addStretch()
        side.setLayout(left)
        gallery = QWidget()
        gallery.setObjectName("sample_gallery")
        gallery.setAccessibleName("Samples")
        gallery.setLayout(self._gallery)
        published = QWidget()
        published.setObjectName("templates")
        published.setAccessibleName("Published architectures")
        published.setLayout(self._templates)
        right = column(label("Start from a sample", "strong"), gallery, gap=2 * GRID)
        for part in (label("Or from a published architecture", "strong"), published, self._steps()):
            right.addWidget(part)
        right.setContentsMargins(0, 7, 0, 0)
        right.addStretch()
        both = row(side, right, gap=5 * GRID)
        both.setStretch(1, 1)
        return both

    def _steps(self) -> QWidget:
        """What one does with DeepGUI, in three short columns."""
        parts = []
        for icon, title, words in STEPS:
            mark = QLabel()
            mark.setPixmap(icons.icon(icon, "accent").pixmap(QSize(22, 22)))
            head = row(mark, label(title, "strong"), gap=GRID)
            head.setStretch(1, 1)
            parts.append(column(head, label(words, "muted", wrap=True), gap=GRID // 2))
            parts[-1].addStretch()
        line = row(*parts, gap=3 * GRID)
        for place in range(len(parts)):
            line.setStretch(place, 1)
        line.setContentsMargins(2, 2 * GRID, 0, 0)
        made = QWidget()
        made.setLayout(line)
        return made

    def refresh(self, lost: list[Recovery] | None = None) -> None:
        """Read the recent files and the samples again; ``lost`` is work to recover, None leaves it as it is."""
        clear(self._recent)
        files = recent.recent()
        for number, path in enumerate(files[:6]):
            entry = RecentButton(number, path)
            entry.clicked.connect(lambda _=False, p=path: self.file_chosen.emit(p))
            self._recent.addWidget(entry)
        if not files:
            self._recent.addWidget(label("Files that you open or save show here.", "muted", wrap=True))
        clear(self._gallery)
        for sample in samples():
            card = SampleCard(sample, self._kinds())
            card.clicked.connect(lambda _=False, p=sample.path: self.sample_chosen.emit(p))
            self._gallery.addWidget(card)
        clear(self._templates)
        for template in templates().values():
            small = TemplateCard(template)
            small.clicked.connect(lambda _=False, p=template.path: self.sample_chosen.emit(p))
            self._templates.addWidget(small)
        if lost is not None:
            self._show_lost(lost)

    def _show_lost(self, lost: list[Recovery]) -> None:
        clear(self._lost)
        for number, recovery in enumerate(lost):
            banner = QFrame()
            banner.setProperty("role", "banner")
            when = ago(max(0.0, time.time() - recovery.time))
            text = label(
                f"Unsaved work on {recovery.name} was kept {when}, before DeepGUI ended unexpectedly.", wrap=True
            )
            keep = button("Recover", f"recover_{number}", role="primary")
            drop = button("Discard", f"discard_{number}")
            keep.clicked.connect(lambda _=False, r=recovery: self.recovery_chosen.emit(r))
            drop.clicked.connect(lambda _=False, r=recovery: self.recovery_discarded.emit(r))
            line = row(text, keep, drop)
            line.setStretch(0, 1)
            line.setContentsMargins(16, 12, 16, 12)
            banner.setLayout(line)
            self._lost.addWidget(banner)
