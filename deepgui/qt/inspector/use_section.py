"""How a layer takes part in its network: bypassed, or with the weights of another."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import LayerSpec, ParamSpec, Value
from deepgui.graph import edits
from deepgui.graph.values import Network, Node
from deepgui.qt.inspector.expressions import complaint, computed, known
from deepgui.qt.inspector.row import LABEL_WIDTH, ParamRow, Shown
from deepgui.qt.session import Session
from deepgui.qt.widgets import Elided, row

BYPASS = ParamSpec("bypass", "bool", default=False, doc="Hand the first input on in place of the result. Ctrl+B")
_OWN = "its own weights"


class UseSection(QWidget):
    """Two rows of the page of one layer."""

    def __init__(self, session: Session, node: Node, spec: LayerSpec) -> None:
        super().__init__()
        self._session, self._node = session, node.id
        self.bypass = ParamRow(BYPASS, judge=self._judge)
        self.bypass.edited.connect(lambda name, value: self._bypass(value))
        self.bypass.reset.connect(lambda name: self._bypass(False))
        self.shares = QComboBox()
        self.shares.setObjectName("shares_with")
        self.shares.setAccessibleName("Uses the weights of")
        self.shares.setToolTip("Two layers with the same weights: what one learns, the other knows.")
        self.shares.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.shares.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.shares.activated.connect(lambda index: self._share(self.shares.itemData(index)))
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(8)
        lines.addWidget(self.bypass)
        self._sharing = QWidget()
        line = row(Elided("weights of", "parameter", width=LABEL_WIDTH), self.shares)
        line.setStretch(1, 1)
        self._sharing.setLayout(line)
        lines.addWidget(self._sharing)
        self._able = spec.form in ("module", "block")

    def refresh(self) -> None:
        """Show what is so at the moment."""
        network = self._session.network
        node = network.nodes.get(self._node)
        if node is None:
            return
        note = computed("bypass", node.bypass, node, None, self._session) if isinstance(node.bypass, Expr) else ""
        self.bypass.show_state(Shown(node.bypass, own=node.bypass is not False, computed=note))
        self._sharing.setVisible(self._able and (bool(node.shares) or self._has_weights(node.id)))
        with QSignalBlocker(self.shares):
            self.shares.clear()
            self.shares.addItem(_OWN, "")
            for other in self._possible(network, node):
                self.shares.addItem(other.label, other.id)
            self.shares.setCurrentIndex(max(0, self.shares.findData(node.shares)))

    def _possible(self, network: Network, node: Node) -> list[Node]:
        """The layers whose weights this one could use, those of its own kind first."""
        registry = self._session.registry
        others = [
            other
            for other in network.nodes.values()
            if other.id != node.id
            and (not other.shares or other.id == node.shares)
            and (spec := registry.get(other.kind)) is not None
            and spec.form in ("module", "block")
            and self._has_weights(other.id)
        ]
        return sorted(others, key=lambda other: other.kind != node.kind)

    def _has_weights(self, node: str) -> bool:
        """Whether a layer has any, as far as that is known."""
        report = self._session.report.nodes.get(node) if self._session.report else None
        return report is None or not report.outputs or report.parameters > 0

    def _judge(self, expr: Expr) -> str:
        return complaint(expr, BYPASS, None, known(self._session))

    def _bypass(self, value: Value) -> None:
        self._session.edit("Bypass", lambda net: edits.bypass(net, self._node, value))

    def _share(self, other: str) -> None:
        label = "Share weights" if other else "Own weights"
        self._session.edit(label, lambda net: edits.share(net, self._node, other))
