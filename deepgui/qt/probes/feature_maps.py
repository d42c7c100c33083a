"""The selected layer's output on one example, live."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget, QWidget

from deepgui.graph.values import Node
from deepgui.probes.pictures import FeatureMaps, Picture, Prediction, Vector, Watch
from deepgui.qt import style
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.probes.dock import ProbeDock
from deepgui.qt.probes.mosaic import Bars, Mosaic
from deepgui.qt.session import Session
from deepgui.qt.widgets import Elided, label, row, tool_button

ANSWER = Watch(view="prediction")


class FeatureMapDock(ProbeDock):
    """Shows the layer selected last; at first the first convolution, or the input."""

    title = "Feature maps"
    empty_text = "Select a layer on the canvas to see what it computes for one example."

    def __init__(self, session: Session, controller: RunController, parent: QWidget | None = None) -> None:
        self._node = ""
        self._drawn: tuple[Picture | None, Picture | None] = (None, None)
        super().__init__(session, controller, parent)
        self.setObjectName("feature_maps")
        self.name = Elided("", "strong", Qt.TextElideMode.ElideMiddle)
        self.each = tool_button("arrows-out-line-vertical", "scale_each", "Each channel on its own scale")
        self.each.setCheckable(True)
        self.previous = tool_button("caret-left", "previous_example", "Previous example")
        self.next = tool_button("caret-right", "next_example", "Next example")
        self.example = label("", "muted")
        self.answer = label("", "strong")
        self.answer.setObjectName("prediction")
        self.mosaic, self.bars = Mosaic(), Bars()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.mosaic)
        self.pages.addWidget(self.bars)
        self.body.addLayout(row(self.name, self.each, gap=4))
        line = row(self.previous, self.next, self.example, self.answer, gap=4)
        line.addStretch(1)
        self.body.addLayout(line)
        self.body.addWidget(self.pages, 1)
        self._connect()
        self._choose()

    def _connect(self) -> None:
        self.each.toggled.connect(self.mosaic.set_each)
        self.previous.clicked.connect(lambda: self.show_example(self.board.example - 1))
        self.next.clicked.connect(lambda: self.show_example(self.board.example + 1))
        self.mosaic.hovered.connect(self._hover)
        self.bars.hovered.connect(self._hover)

    def show_example(self, index: int) -> None:
        """Look at another example of the validation split; the index wraps around."""
        known = self.board.latest(ANSWER)
        self.board.example = index % known.total if isinstance(known, Prediction) else index
        self.prober.ask()

    # -- which layer

    def _on_selection(self) -> None:
        self._choose()
        super()._on_selection()

    def _choose(self) -> None:
        node = self.selected()
        if node is not None:
            self._node = node.id

    def node(self) -> Node | None:
        """The layer that is looked at."""
        network = self.session.network
        if self._node not in network.nodes:
            found = next((n for n in network.nodes.values() if n.kind.startswith("Conv")), None)
            found = found or next(iter(network.of_kind("Input")), None)
            self._node = found.id if found is not None else ""
        return network.nodes.get(self._node)

    def watch(self) -> Watch | None:
        """The wire that is looked at; an Output shows what arrives at it."""
        node = self.node()
        if node is None:
            return None
        if node.kind == "Output":
            wires = self.session.network.into(node.id)
            return Watch(self.session.path(wires[0].source), wires[0].output) if wires else None
        spec = self.session.registry.get(node.kind)
        ports = spec.active_outputs(node.params) if spec is not None else ()
        view = "image" if node.kind == "Input" and not self.session.levels else "maps"
        return Watch(self.session.path(node.id), ports[0].name if ports else "output", view)

    def wanted(self) -> Collection[Watch]:
        watch = self.watch()
        return (watch, ANSWER) if watch is not None else ()

    # -- showing it

    def forget_drawn(self) -> None:
        self._drawn = (None, None)

    def draw(self) -> bool:
        watch = self.watch()
        picture = self.board.latest(watch) if watch is not None else None
        answer = self.board.latest(ANSWER)
        if picture is None:
            return False
        if (picture, answer) != self._drawn:
            self._drawn = (picture, answer)
            self._show_answer(answer)
            self._show_picture(picture)
        return True

    def _show_picture(self, picture: Picture) -> None:
        node = self.node()
        self.name.setText(f"{node.label} · {node.kind}" if node is not None else "")
        if isinstance(picture, FeatureMaps):
            self.pages.setCurrentWidget(self.mosaic)
            self.each.setVisible(len(picture.maps) > 1 and not picture.colors)
            self.mosaic.show_maps(picture)
        elif isinstance(picture, Vector):
            self.pages.setCurrentWidget(self.bars)
            self.each.hide()
            answer = self._drawn[1]
            names = answer.classes if isinstance(answer, Prediction) and len(answer.classes) == picture.length else ()
            marked = names.index(answer.truth) if names and isinstance(answer, Prediction) else -1
            self.bars.show_values(picture.values, names, marked)
        if not self.caption.property("hovering"):
            self.caption.setText(self._facts(picture))

    def _facts(self, picture: Picture) -> str:
        assert isinstance(picture, (FeatureMaps, Vector))
        shape = "×".join(map(str, picture.shape)) or "1"
        shown = ""
        if isinstance(picture, FeatureMaps) and len(picture.maps) < picture.channels:
            shown = f", the first {len(picture.maps)} shown"
        return f"{shape}{shown} · from {picture.low:.3g} to {picture.high:.3g} · step {picture.step:,}"

    def _show_answer(self, answer: Picture | None) -> None:
        known = isinstance(answer, Prediction)
        self.answer.setVisible(known)
        if not isinstance(answer, Prediction):
            self.example.setText("")
            return
        self.example.setText(f"Example {answer.index + 1} of {answer.total}: {answer.truth}")
        sure = f" {answer.probability:.0%}" if answer.probability is not None else ""
        self.answer.setText(f"→ {answer.answer}{sure}")
        self.answer.setToolTip("What the network answers" + (", and how sure it is" if sure else ""))
        role = {True: "success", False: "error", None: "strong"}[answer.correct]
        style.set_role(self.answer, role)

    def _hover(self, text: str) -> None:
        self.caption.setProperty("hovering", bool(text))
        picture = self._drawn[0]
        self.caption.setText(text or (self._facts(picture) if picture is not None else ""))
