"""The page of the block in view: its name, its own parameters, and where it is used."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from deepgui.catalog.spec import ParamSpec, Value, show
from deepgui.graph.blocks import port_names, repeats
from deepgui.graph.values import Block
from deepgui.project import blocks
from deepgui.project.blocks import BlockError, Use
from deepgui.project.values import Project, with_block
from deepgui.qt.inspector.fields import Field, TextField, field_for
from deepgui.qt.inspector.row import LABEL_WIDTH
from deepgui.qt.session import Session
from deepgui.qt.shelf import catalogue
from deepgui.qt.widgets import Elided, Fold, button, clear, column, label, row, tool_button


class BlockParam(QWidget):
    """One parameter of a block: its name, its default, and what it is in the use that is in view.

    Signals:
        renamed(name, wanted), changed(name, value), removed(name)
    """

    renamed = Signal(str, str)
    changed = Signal(str, object)
    removed = Signal(str)

    def __init__(self, param: ParamSpec) -> None:
        super().__init__()
        self.param = param
        self.name = QLineEdit(param.name)
        self.name.setObjectName(f"block_param_name_{param.name}")
        self.name.setAccessibleName(f"Name of the parameter {param.name}")
        self.name.setFixedWidth(LABEL_WIDTH)
        self.name.editingFinished.connect(lambda: self.renamed.emit(self.param.name, self.name.text()))
        self.field = _default_field(param)
        self.field.name_editor(f"block_param_{param.name}", f"Default of {param.name}")
        self.field.edited.connect(lambda value: self.changed.emit(self.param.name, value))
        self.remove = tool_button("trash", f"remove_block_param_{param.name}", "Remove the parameter")
        self.remove.clicked.connect(lambda: self.removed.emit(self.param.name))
        self._note = label("", "inferred", wrap=True)
        self._error = label("", "error", wrap=True)
        self.field.rejected.connect(self._show_error)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for across, part in enumerate((self.name, self.field, self.remove)):
            grid.addWidget(part, 0, across)
        for down, part in enumerate((self._error, self._note), 1):
            grid.addWidget(part, down, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        self._error.hide()

    def show_state(self, param: ParamSpec, here: str, asking: tuple[str, ...]) -> None:
        """Show a default, the value in the use in view if it is another, and who asks for it."""
        self.param = param
        if not self.name.hasFocus():
            self.name.setText(param.name)
        self.field.show_value(param.default, hint="from the wire" if param.infer else "None")
        asked = f"used by {', '.join(asking)}" if asking else "no expression uses it yet"
        self._note.setText(f"{here} here; {asked}" if here else asked)
        self.remove.setEnabled(not asking)
        self.remove.setToolTip(f"{param.name} is {asked}" if asking else "Remove the parameter")

    def _show_error(self, sentence: str) -> None:
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))


def _default_field(param: ParamSpec) -> Field:
    """The editor of a default. Anything can be typed where the type is only that of the default so far."""
    if param.type in ("bool", "choice"):
        return field_for(param)
    return TextField(ParamSpec(param.name, "literal", nullable=True))


class BlockPage(QWidget):
    """What belongs to a block as a whole. Empty while none is in view."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._session = session
        self._block = ""  # whose page it is; a field that loses the keyboard on leaving still means that one
        self._built_for: tuple[object, ...] = ()
        self._uses_for: tuple[object, ...] = ()
        self.params: dict[str, BlockParam] = {}
        self.name = self._line("block_name", "Name of the block", "name")
        self.name.editingFinished.connect(self._rename)
        self.summary = self._line("block_summary", "What the block does", "")
        self.summary.setPlaceholderText("What it does, in a sentence")
        self.summary.editingFinished.connect(self._summarise)
        self._caption = Elided("", "muted")
        self._caption.setContentsMargins(7, 0, 0, 0)
        self._rows, self._uses = (QVBoxLayout() for _ in range(2))
        add = button("Add parameter", "add_block_param", icon="plus")
        add.clicked.connect(self._add)
        self._trouble = label("", "error", wrap=True)
        self._trouble.hide()
        hint = label("A field of a layer inside can then hold an expression such as =4 * width.", "caption", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 8, 16)
        layout.setSpacing(12)
        layout.addLayout(column(self.name, self._caption, gap=0))
        layout.addWidget(self.summary)
        bar = row(add)
        bar.addStretch()
        layout.addWidget(Fold("PARAMETERS", "fold_block_params", _held(self._rows, bar, hint, self._trouble)))
        layout.addWidget(Fold("USED BY", "fold_block_uses", _held(self._uses)))
        layout.addStretch()

    def _line(self, name: str, accessible: str, role: str) -> QLineEdit:
        made = QLineEdit()
        made.setObjectName(name)
        made.setAccessibleName(accessible)
        if role:
            made.setProperty("role", role)
        return made

    # -- showing

    def refresh(self) -> None:
        """Show the block of the moment."""
        block = self._session.block
        if block is None:
            return
        wanted = (self._session.levels[0].node, *((p.name, p.type) for p in block.params), len(self._session.levels))
        anew = wanted != self._built_for or self._block != self._session.levels[-1].block
        if wanted != self._built_for:
            self._built_for = wanted
            self._build(block)
        self._block = self._session.levels[-1].block
        if anew or not self.name.hasFocus():
            self.name.setText(self._block)
        if anew or not self.summary.hasFocus():
            self.summary.setText(block.summary)
        self._caption.setText(_caption(block))
        values = self._session.values
        for param in block.params:
            other = param.name in values and (values[param.name] != param.default or param.infer is not None)
            here = show(values[param.name]) if other else ""
            self.params[param.name].show_state(param, here, blocks.asked_by(block, param.name))
        self._show_uses()

    def _build(self, block: Block) -> None:
        clear(self._rows)
        self.params = {}
        for param in block.params:
            line = self.params[param.name] = BlockParam(param)
            line.renamed.connect(self._rename_param)
            line.changed.connect(self._set_default)
            line.removed.connect(self._remove)
            self._rows.addWidget(line)
        self._say("")

    def _show_uses(self) -> None:
        found = blocks.uses(self._session.project, self._block)
        wanted = tuple((use.drawing, use.in_block, use.node.label, _row(use)) for use in found)
        if wanted == self._uses_for and self._uses.count():
            return
        self._uses_for = wanted
        clear(self._uses)
        for number, use in enumerate(found):
            where = f"block {use.drawing}" if use.in_block else "the network"
            going = button(f"{use.node.label}{_row(use)} in {where}", f"block_use_{number}", role="quiet")
            going.clicked.connect(lambda _=False, use=use: self._go(use))
            line = row(going)
            line.addStretch()
            self._uses.addLayout(line)
        if not found:
            self._uses.addWidget(label("Nothing uses it yet. Drag it from the palette.", "muted", wrap=True))

    def _go(self, use: Use) -> None:
        """Show a use where it stands."""
        if use.in_block:
            self._session.show_block(use.drawing)
            self._session.select((use.node.id,))
        else:
            self._session.show(use.node.id)

    def _say(self, sentence: str) -> None:
        self._trouble.setText(sentence)
        self._trouble.setVisible(bool(sentence))

    # -- editing

    def _edit(self, label: str, change: object, merge: object = None) -> None:
        name = self._block
        if name in self._session.project.blocks:
            self._session.edit_project(label, lambda p: with_block(p, name, change(p.blocks[name])), merge)

    def _rename(self) -> None:
        old, text, new = self._block, self.name.text(), [""]
        if old not in self._session.project.blocks:
            return
        alone = [level.block for level in self._session.levels[:1] if not level.node] == [old]

        def change(project: Project) -> Project:
            project, new[0] = blocks.rename(project, old, text, catalogue(self._session))
            return project

        self._session.edit_project(f"Rename block {old}", change)
        if alone:
            self._session.show_block(new[0])
        self.name.setText(new[0])

    def _summarise(self) -> None:
        text = self.summary.text().strip()
        self._edit("Describe block", lambda block: block if block.summary == text else replace(block, summary=text))

    def _add(self) -> None:
        before = set(self.params)
        self._edit("Add parameter", lambda block: blocks.add_param(block, "width", 1))
        for name in self.params.keys() - before:
            self.params[name].name.setFocus()
            self.params[name].name.selectAll()

    def _rename_param(self, name: str, wanted: str) -> None:
        if wanted != name and self._block in self._session.project.blocks:
            block = self._block
            self._session.edit_project(
                f"Rename {name}", lambda project: blocks.rename_param(project, block, name, wanted)[0]
            )

    def _set_default(self, name: str, value: Value) -> None:
        self._edit(f"Default of {name}", lambda block: blocks.set_default(block, name, value), ("default", name))

    def _remove(self, name: str) -> None:
        block = self._block
        try:
            self._session.edit_project(f"Remove {name}", lambda p: blocks.remove_param(p, block, name))
        except BlockError as refusal:
            self._say(str(refusal))


def _held(*parts: object) -> QWidget:
    holder = QWidget()
    holder.setLayout(column(*parts))
    holder.layout().setContentsMargins(4, 0, 0, 0)
    return holder


def _row(use: Use) -> str:
    count = repeats(use.node.params)
    return "" if count is None else f" ×{count}"


def _caption(block: Block) -> str:
    """``Block  ·  3 layers  ·  x, skip → output``."""
    inside = sum(n.kind not in ("Input", "Output") for n in block.network.nodes.values())
    into, out = (", ".join(port_names(block.network, kind).values()) or "nothing" for kind in ("Input", "Output"))
    return f"Block  ·  {inside} layer{'' if inside == 1 else 's'}  ·  {into} → {out}"
