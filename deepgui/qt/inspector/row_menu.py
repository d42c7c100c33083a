"""The menu of a parameter's row: reset it, compute it, or let the block have it as its own."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QMenu

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import ParamSpec
from deepgui.graph import blocks, grouping
from deepgui.graph.values import Node
from deepgui.project.values import with_block
from deepgui.qt.inspector.row import ParamRow
from deepgui.qt.session import Session


def build(session: Session, node: Node | None, row: ParamRow) -> QMenu:
    """The menu; it deletes itself when closed.

    Args:
        node: whose parameter it is; None if several are selected.
    """
    editor = row.field.focusProxy()
    menu = editor.createStandardContextMenu() if isinstance(editor, QLineEdit) else QMenu(row)
    menu.setObjectName("row_menu")
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    entries = [_action(menu, "write_expression", "Write an expression (=)", row.write_expression)]
    if session.block is not None and node is not None:
        entries.append(_action(menu, "promote", "Promote to block parameter", lambda: promote(session, node, row.spec)))
        entries[-1].setEnabled(can_promote(node, row.spec))
    entries.append(_action(menu, "reset_value", "Reset", lambda: row.reset.emit(row.spec.name)))
    entries[-1].setEnabled(row.own)
    first = menu.actions()[0] if menu.actions() else None
    if first is None:
        menu.addActions(entries)
    else:
        menu.insertActions(first, entries)
        menu.insertSeparator(first)
    return menu


def _action(menu: QMenu, name: str, words: str, does: Callable[[], object]) -> QAction:
    made = QAction(words, menu)
    made.setObjectName(name)
    made.triggered.connect(lambda: does())
    return made


def can_promote(node: Node, param: ParamSpec) -> bool:
    """Whether a block can take a parameter of one of its layers as its own: it has a value that is no expression."""
    if param.name == blocks.REPEAT.name or isinstance(node.params.get(param.name), Expr):
        return False
    return param.name in node.params or not (param.infer or param.required)


def promote(session: Session, node: Node, param: ParamSpec) -> None:
    """Let the block in view have a parameter of one of its layers as its own."""
    name = session.levels[-1].block
    session.edit_project(
        f"Promote {param.name}",
        lambda project: with_block(project, name, grouping.promote(project.blocks[name], node.id, param)),
    )
