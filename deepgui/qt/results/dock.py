"""The dock of what has been learnt: one view for each kind of preview."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from PySide6.QtWidgets import QComboBox, QStackedWidget, QWidget

from deepgui.probes.pictures import Picture, Shown, Watch
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.probes.dock import ProbeDock
from deepgui.qt.results import images, points
from deepgui.qt.results.lines import LinesView
from deepgui.qt.results.matrix import MatrixView
from deepgui.qt.results.texts import TextsView
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import Elided, row
from deepgui.training.objectives import objectives, previews


class ResultsDock(ProbeDock):
    """Shows the chosen preview of the project's objective, live."""

    title = "Results"
    icon = "sparkle"
    empty_text = (
        "What a network makes appears here: samples, reconstructions, texts, masks. Choose an objective that makes "
        "something; for classification look at Confusion and Boundary."
    )

    def __init__(self, session: Session, controller: RunController, parent: QWidget | None = None) -> None:
        self._offered: Mapping[str, str] = {}
        self._drawn: Picture | None = None
        super().__init__(session, controller, parent)
        self.setObjectName("results")
        self.choice = QComboBox()
        self.choice.setObjectName("result_choice")
        self.choice.setAccessibleName("What to show")
        self.note = Elided("", "muted")
        self.wall, self.points, self.matrix = images.ImageWall(), points.PointsView(), MatrixView()
        self.texts, self.lines = TextsView(), LinesView()
        self.pages = QStackedWidget()
        for page in (self.wall, self.points, self.matrix, self.texts, self.lines):
            self.pages.addWidget(page)
        for surface in (self.wall, self.points, self.matrix):
            surface.hovered.connect(self._hover)
        line = row(self.choice, self.note, gap=GRID)
        line.setStretch(1, 1)
        self.body.addLayout(line)
        self.body.addWidget(self.pages, 1)
        self._show: Mapping[type, Callable[[Any], QWidget]] = {
            previews.Images: lambda p: self._walled(images.wall_of_images(p)),
            previews.Masks: lambda p: self._walled(images.wall_of_masks(p)),
            previews.Boxes: lambda p: self._walled(images.wall_of_boxes(p)),
            previews.Scatter: lambda p: self._clouded(points.cloud_of_scatter(p)),
            previews.GraphDrawing: lambda p: self._clouded(points.cloud_of_graph(p)),
            previews.Matrix: self._matrix,
            previews.Texts: self._texts,
            previews.Lines: self._lines,
        }
        self.choice.activated.connect(lambda index: self.rewatch())
        self._offer()

    # -- what there is to see

    def _offer(self) -> None:
        """The previews of the objective in force."""
        kind = objectives().get(self.session.project.training.objective)
        offered = dict(kind.previews) if kind else {}
        if offered != self._offered:
            self._offered = offered
            self.choice.clear()
            for id, title in offered.items():
                self.choice.addItem(title, id)
        self.choice.setVisible(len(offered) > 1)

    def wanted(self) -> Collection[Watch]:
        chosen = self.choice.currentData() if hasattr(self, "choice") else None
        return (Watch(node=chosen, view="preview"),) if chosen else ()

    def rewatch(self) -> None:
        if hasattr(self, "choice"):
            self._offer()
        super().rewatch()

    def forget_drawn(self) -> None:
        self._drawn = None

    def draw(self) -> bool:
        picture = next((self.board.latest(watch) for watch in self.wanted()), None)
        if not isinstance(picture, Shown) or type(picture.preview) not in self._show:
            return False
        if picture is not self._drawn:
            self._drawn = picture
            assert isinstance(picture.preview, previews.Preview)
            self.pages.setCurrentWidget(self._show[type(picture.preview)](picture.preview))
            self.note.setText(picture.preview.note)
            self._hover("")
        return True

    def _hover(self, text: str) -> None:
        if self._drawn is not None:
            self.caption.setText(text or f"step {self._drawn.step:,}")

    # -- the views

    def _walled(self, wall: images.Wall) -> QWidget:
        self.wall.show_wall(wall)
        return self.wall

    def _clouded(self, cloud: points.Cloud) -> QWidget:
        self.points.show_cloud(cloud)
        return self.points

    def _matrix(self, shown: previews.Matrix) -> QWidget:
        self.matrix.show_matrix(shown)
        return self.matrix

    def _texts(self, shown: previews.Texts) -> QWidget:
        self.texts.show_texts(shown)
        return self.texts

    def _lines(self, shown: previews.Lines) -> QWidget:
        self.lines.show_lines(shown)
        return self.lines
