"""The page of the selected layers: name, parameters, ports with shapes, cost, documentation."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import LayerSpec, ParamSpec, PortSpec, Value
from deepgui.graph import edits
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network, Node
from deepgui.qt import theme
from deepgui.qt.inspector import row_menu
from deepgui.qt.inspector.expressions import complaint, computed, known
from deepgui.qt.inspector.feeding_section import FeedingSection
from deepgui.qt.inspector.help import plain, to_html
from deepgui.qt.inspector.row import LABEL_WIDTH, ParamRow, Shown
from deepgui.qt.inspector.training_section import TrainingSection
from deepgui.qt.inspector.use_section import UseSection
from deepgui.qt.session import Session
from deepgui.qt.widgets import Badge, Elided, Fold, button, clear, column, label, row

HELP_STYLE = """<style>
p {{ margin: 0 0 8px 0; }} p.section {{ font-weight: 600; margin: 12px 0 4px 0; }} p.term {{ margin: 0 0 6px 8px; }}
p.math {{ font-style: italic; color: {inferred}; margin: 4px 0 8px 8px; }} code {{ color: {code_string}; }}
pre {{ color: {muted}; white-space: pre-wrap; }} ul {{ margin: 0 0 8px -24px; }}
</style>"""


class LayerPage(QWidget):
    """Edits one layer, or the parameters that several selected layers have in common."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._session = session
        self._built_for: tuple[object, ...] = ()
        self._nodes: tuple[Node, ...] = ()
        self.rows: dict[str, ParamRow] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(16, 8, 8, 16)
        self._layout.setSpacing(8)
        self._ports: list[tuple[str, str, Elided]] = []
        self._name = QLineEdit()
        self._cost = label()
        self._help: QLabel | None = None
        self._use: UseSection | None = None
        self._feeding: FeedingSection | None = None
        self._training: TrainingSection | None = None
        theme.current().changed.connect(self._restyle)

    def show_selection(self) -> None:
        """Show what is selected; builds new rows only if other kinds of layer are."""
        network = self._session.network
        chosen = self._session.selection
        self._nodes = tuple(n for n in network.nodes.values() if n.id in chosen)
        specs = tuple((n.id, n.kind, self._spec(n)) for n in self._nodes)
        wanted = (specs, self._session.levels[-1:], id(self._session.document), self._session.ready)
        if wanted != self._built_for:
            self._built_for = wanted
            self._build()
        self.refresh()

    def _spec(self, node: Node) -> LayerSpec | None:
        return self._session.registry.get(node.kind)

    # -- building

    def _build(self) -> None:
        clear(self._layout)
        self.rows, self._ports, self._help, self._use = {}, [], None, None
        self._training = self._feeding = None
        if not self._nodes:
            return
        found = [self._spec(node) for node in self._nodes]
        specs = [spec for spec in found if spec is not None]
        self._layout.addLayout(self._header(specs[0] if len(specs) == len(found) else None))
        for param in common_params(specs) if len(specs) == len(found) else ():
            self._add_row(param)
        if len(specs) == len(found):
            self._add_training(specs)
        if len(self._nodes) == 1 and specs:
            self._add_use(specs[0])
            self._add_ports(specs[0])
            self._add_help(specs[0])
        self._layout.addStretch()

    def _header(self, spec: LayerSpec | None) -> QVBoxLayout:
        badge = Badge(40)
        badge.show_family(spec.category if spec else "")
        self._name = QLineEdit()
        self._name.setObjectName("node_name")
        self._name.setAccessibleName("Name of the layer")
        self._name.setProperty("role", "name")
        self._name.editingFinished.connect(self._rename)
        kinds = {node.kind for node in self._nodes}
        if len(self._nodes) == 1:
            under = f"{self._nodes[0].kind}  ·  {spec.category}" if spec else f"{self._nodes[0].kind}  ·  unknown layer"
            head: QWidget = self._name
        else:
            under = next(iter(kinds)) if len(kinds) == 1 else f"{len(kinds)} kinds; common parameters"
            head = label(f"{len(self._nodes)} layers", "heading")
            head.setContentsMargins(6, 2, 6, 2)
        caption = Elided(under, "muted")
        caption.setContentsMargins(7, 0, 0, 0)
        title = row(badge, column(head, caption, gap=0), gap=4)
        header = column(title, gap=8)
        if spec is not None and len(kinds) == 1:
            header.addWidget(label(plain(spec.summary), "muted", wrap=True))
        elif spec is None:
            text = "This layer is not in the catalogue, so its parameters cannot be shown. They are kept as they are."
            header.addWidget(label(text, "warning", wrap=True))
        if spec is not None and spec.form == "block" and len(self._nodes) == 1:
            go = button("Go in", "enter_block", icon="sign-in", tip="Look into the block (Enter on the canvas)")
            node = self._nodes[0].id
            go.clicked.connect(lambda: self._session.enter(node))
            header.addWidget(go, 0, Qt.AlignmentFlag.AlignLeft)
        header.setContentsMargins(0, 0, 0, 8)
        return header

    def _add_row(self, param: ParamSpec) -> None:
        line = ParamRow(param, judge=lambda expr: self._judge(param, expr))
        line.edited.connect(self._set)
        line.reset.connect(self._unset)
        line.menu_requested.connect(self._open_menu)
        self.rows[param.name] = line
        self._layout.addWidget(line)

    def _add_use(self, spec: LayerSpec) -> None:
        """How it takes part; Inputs and Outputs always do."""
        node = self._nodes[0]
        if spec.form not in ("input", "output"):
            self._use = UseSection(self._session, node, spec)
            self._layout.addWidget(self._use)
        elif spec.form == "input":
            self._feeding = FeedingSection(self._session, node)
            self._layout.addWidget(self._feeding)

    def _add_training(self, specs: list[LayerSpec]) -> None:
        """How they learn; only layers that can have weights do."""
        if all(spec.form in ("module", "block") or spec.kind == "Parameter" for spec in specs):
            self._training = TrainingSection(self._session, tuple(node.id for node in self._nodes))
            self._layout.addWidget(self._training)

    def _judge(self, param: ParamSpec, expr: Expr) -> str:
        """What is wrong with an expression for a parameter of the selected layers; empty if nothing is."""
        for node in self._nodes:
            values = known(self._session, node, param.name)
            if wrong := complaint(expr, param, self._spec(node), values):
                return wrong
        return ""

    def _open_menu(self, name: str, at: QPoint) -> None:
        only = self._nodes[0] if len(self._nodes) == 1 else None
        row_menu.build(self._session, only, self.rows[name]).popup(at)

    def _add_ports(self, spec: LayerSpec) -> None:
        content = QWidget()
        lines = QVBoxLayout(content)
        lines.setContentsMargins(4, 0, 0, 0)
        lines.setSpacing(4)
        params = self._nodes[0].params
        for side, ports in (("in", spec.active_inputs(params)), ("out", spec.active_outputs(params))):
            for port in ports:
                lines.addWidget(self._port(side, port))
        self._cost = label("", "muted", wrap=True)
        lines.addWidget(self._cost)
        self._layout.addWidget(Fold("PORTS AND COST", "fold_ports", content))

    def _port(self, side: str, port: PortSpec) -> QWidget:
        line = QWidget()
        name = Elided(port.name, "muted", width=LABEL_WIDTH - 8)
        shape = Elided("", "mono")
        shape.setObjectName(f"shape_{side}_{port.name}")
        arrow = label("→" if side == "in" else "←", "caption")
        arrow.setAccessibleName("input" if side == "in" else "output")
        line.setLayout(row(arrow, name, shape, gap=4))
        line.layout().setStretch(2, 1)
        line.setToolTip(plain(port.doc))
        self._ports.append((side, port.name, shape))
        return line

    def _add_help(self, spec: LayerSpec) -> None:
        if not spec.doc:
            return
        self._help = QLabel()
        self._help.setObjectName("layer_documentation")
        self._help.setTextFormat(Qt.TextFormat.RichText)
        self._help.setWordWrap(True)
        self._help.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._help.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._help.setContentsMargins(4, 0, 0, 0)
        self._restyle()
        self._layout.addWidget(Fold("DOCUMENTATION", "fold_documentation", self._help, opened=False))

    def _restyle(self) -> None:
        if self._help is not None and self._nodes and (spec := self._spec(self._nodes[0])) is not None:
            self._help.setText(HELP_STYLE.format(**theme.theme().tokens) + to_html(spec.doc))

    # -- showing

    def refresh(self) -> None:
        """Show the values, shapes and counts of the moment."""
        network, report = self._session.network, self._session.report
        self._nodes = tuple(network.nodes[n.id] for n in self._nodes if n.id in network.nodes)
        if not self._nodes:
            return
        for name, line in self.rows.items():
            line.show_state(self._state(name, line.spec))
        for section in (self._use, self._training, self._feeding):
            if section is not None:
                section.refresh()
        node = self._nodes[0]
        if not self._name.hasFocus() and self._name.text() != node.label:
            self._name.setText(node.label)
        if len(self._nodes) == 1 and self._ports:
            found = report.nodes.get(node.id) if report else None
            self._show_ports(found.inputs if found else {}, found.outputs if found else {}, network)
            self._cost.setText(_cost(found.parameters, found.multiply_adds) if found and found.outputs else "")

    def _show_ports(
        self, inputs: Mapping[str, tuple[TensorType, ...]], outputs: Mapping[str, TensorType], network: Network
    ) -> None:
        node = self._nodes[0]
        for side, name, shown in self._ports:
            if side == "out":
                shown.setText(str(outputs[name]) if name in outputs else "not known yet")
            elif name in inputs:
                shown.setText(",  ".join(map(str, inputs[name])))
            else:
                shown.setText("not known yet" if network.into(node.id, name) else "not connected")

    def _state(self, name: str, spec: ParamSpec) -> Shown:
        states = [self._state_of(node, name, spec) for node in self._nodes]
        first = states[0]
        if any(s.value != first.value or type(s.value) is not type(first.value) for s in states):
            return Shown(None, own=any(s.own for s in states), mixed=True)
        return first._replace(own=any(s.own for s in states))

    def _state_of(self, node: Node, name: str, spec: ParamSpec) -> Shown:
        if name in node.params:
            value = node.params[name]
            if isinstance(value, Expr):
                note = computed(name, value, node, self._spec(node), self._session)
                return Shown(value, own=True, computed=note)
            same = not spec.infer and value == spec.default and type(value) is type(spec.default)
            return Shown(
                value, own=not same and (spec.infer is not None or spec.default is not None or not spec.required)
            )
        report = self._session.report
        found = report.nodes.get(node.id) if report else None
        if found is not None and name in found.inferred:
            return Shown(found.params.get(name), inferred=True)
        return Shown(None if spec.infer or spec.required else spec.default)

    # -- editing

    def _set(self, name: str, value: Value) -> None:
        spec = self.rows[name].spec
        ids = [node.id for node in self._nodes]
        to_default = not spec.required and not spec.infer and value == spec.default
        unset = (to_default and type(value) is type(spec.default)) or (spec.infer is not None and value is None)

        def change(network: Network) -> Network:
            for node in ids:
                if unset:
                    network = edits.unset_param(network, node, name)
                else:
                    network = edits.set_params(network, node, {name: value})
            return network

        self._session.edit(f"Set {name}", change, merge=("param", name, *ids))

    def _unset(self, name: str) -> None:
        spec = self.rows[name].spec
        ids = [node.id for node in self._nodes]
        keep_default = spec.required and spec.infer is None

        def change(network: Network) -> Network:
            for node in ids:
                if keep_default:
                    network = edits.set_params(network, node, {name: spec.default})
                else:
                    network = edits.unset_param(network, node, name)
            return network

        self._session.edit(f"Reset {name}", change)

    def _rename(self) -> None:
        if len(self._nodes) == 1:
            node, text = self._nodes[0].id, self._name.text()
            self._session.edit("Rename", lambda network: edits.rename_node(network, node, text))
            self._name.setText(self._session.network.nodes[node].label)


def common_params(specs: list[LayerSpec]) -> tuple[ParamSpec, ...]:
    """The parameters that all kinds have under the same name and type; the first kind's declarations."""
    if not specs:
        return ()
    return tuple(
        p for p in specs[0].params if all(s.has_param(p.name) and s.param(p.name).type == p.type for s in specs[1:])
    )


def _cost(parameters: int, multiply_adds: int) -> str:
    return f"{parameters:,} parameters  ·  {multiply_adds:,} multiply-adds per example"
