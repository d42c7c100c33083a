"""Context menus of nodes, ports, wires and the empty canvas."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QMenu

from deepgui.project.blocks import uses
from deepgui.qt.canvas.hits import Hit

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView


def build(view: CanvasView, hit: Hit, at: QPointF) -> QMenu:
    """The menu for what was clicked; it deletes itself when closed."""
    menu = QMenu(view)
    menu.setObjectName("canvas_menu")
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if hit.node:
        _node(menu, view, hit)
    elif hit.wire is not None:
        _wire(menu, view, hit, at)
    else:
        _canvas(menu, view, at)
    return menu


def _add(menu: QMenu, words: str, keys: str, does: Callable[[], object], *, enabled: bool = True) -> None:
    """An entry; the keys are shown, not bound, since the canvas handles them itself."""
    action = menu.addAction(f"{words}\t{keys}" if keys else words)
    action.triggered.connect(lambda: does())
    action.setEnabled(enabled)


def _node(menu: QMenu, view: CanvasView, hit: Hit) -> None:
    if hit.node not in view.session.selection:
        view.session.select((hit.node,))
    item = view.mirror.nodes[hit.node]
    for problem in item.card.problems[:3]:
        if (fix := problem.fix) is not None:
            _add(menu, fix.label, "", lambda fix=fix: view.act.mend(fix))
        elif problem.inside:
            _add(menu, "Go to the problem inside", "", lambda problem=problem: view.blocks.go_to(problem))
    if hit.port is not None:
        port = hit.port
        _add(menu, f"Break wires of {port.port}", "Alt+click", lambda: view.act.break_port(port))
    if not menu.isEmpty():
        menu.addSeparator()
    if view.blocks.is_block(hit.node):
        _block(menu, view, hit.node)
    elif view.blocks.is_written(hit.node):
        _add(menu, "Edit the code…", "Enter", lambda: view.blocks.enter(hit.node))
    _add(menu, "Rename", "F2", lambda: view.rename(hit.node))
    _add(menu, "Duplicate", "Ctrl+D", view.duplicate)
    _add(menu, "Copy", "Ctrl+C", view.copy)
    _add(menu, "Cut", "Ctrl+X", view.cut)
    menu.addSeparator()
    _add(menu, "Make a block", "Ctrl+G", view.blocks.group)
    _part(menu, view, hit.node)
    menu.addSeparator()
    _add(menu, "Fit in view", "F", view.fit_selection)
    _add(menu, "Lay out selection", "L", view.auto_layout, enabled=len(view.session.selection) > 1)
    menu.addSeparator()
    _add(menu, "Delete", "Del", view.delete)
    _add(menu, "Delete and heal", "Ctrl+Del", lambda: view.delete(heal=True))


def _block(menu: QMenu, view: CanvasView, node: str) -> None:
    """What only blocks can."""
    kind = view.session.network.nodes[node].kind
    found = len(uses(view.session.project, kind))
    _add(menu, "Go in", "Enter", lambda: view.blocks.enter(node))
    _add(menu, "Repeat…", "R", lambda: view.blocks.ask_repeat(node))
    shared = f"Make unique (one of {found} uses)" if found > 1 else "Make unique"
    _add(menu, shared, "U", lambda: view.blocks.make_unique(node), enabled=found > 1)
    _add(menu, "Take apart", "Ctrl+Shift+G", view.blocks.ungroup)
    _add(menu, "Rename block", "", lambda: view.overlays.rename_kind(node))
    menu.addSeparator()


def _part(menu: QMenu, view: CanvasView, node: str) -> None:
    """How nodes take part in the network."""
    used = view.session.network.nodes[node]
    if used.kind in ("Input", "Output"):
        return
    _add(menu, "Bypass no more" if used.bypass is True else "Bypass", "Ctrl+B", view.blocks.bypass)
    chosen = [n for n in view.blocks.chosen() if n != node]
    if used.shares:
        _add(menu, "Weights of its own", "", lambda: view.blocks.share(node, ""))
    elif len(chosen) == 1 and view.session.network.nodes[chosen[0]].kind not in ("Input", "Output"):
        _add(menu, f"Use the weights of {_label(view, chosen[0])}", "", lambda: view.blocks.share(node, chosen[0]))


def _wire(menu: QMenu, view: CanvasView, hit: Hit, at: QPointF) -> None:
    wire = hit.wire
    if wire is None:
        return
    view.pick_wires((wire,))
    _add(menu, f"Go to {_label(view, wire.source)}", "", lambda: view.centre_on(wire.source))
    _add(menu, f"Go to {_label(view, wire.target)}", "", lambda: view.centre_on(wire.target))
    menu.addSeparator()
    _add(menu, "Delete wire", "Del", lambda: view.act.disconnect((wire,)))


def _label(view: CanvasView, node: str) -> str:
    found = view.session.network.nodes.get(node)
    return found.label if found else node


def _canvas(menu: QMenu, view: CanvasView, at: QPointF) -> None:
    document = view.session.document
    _add(menu, "Add a layer…", "Tab", lambda: view.open_search(at), enabled=len(view.session.registry) > 0)
    _add(menu, "New layer in Python…", "", lambda: view.session.code_requested.emit(""))
    _add(menu, "Paste", "Ctrl+V", lambda: view.paste())
    if view.session.levels:
        menu.addSeparator()
        _add(menu, "Go out", "Esc", lambda: view.blocks.leave())
        if view.blocks.place()[1] > 1:
            _add(menu, "Next of the row", "PgDown", lambda: view.blocks.step(1))
            _add(menu, "Previous of the row", "PgUp", lambda: view.blocks.step(-1))
    menu.addSeparator()
    _add(
        menu, f"Undo {document.undo_label.lower()}".strip(), "Ctrl+Z", document.undo, enabled=bool(document.undo_label)
    )
    _add(
        menu, f"Redo {document.redo_label.lower()}".strip(), "Ctrl+Y", document.redo, enabled=bool(document.redo_label)
    )
    menu.addSeparator()
    some = bool(view.session.network.nodes)
    _add(menu, "Select all", "Ctrl+A", view.select_all, enabled=some)
    _add(menu, "Find a node…", "Ctrl+F", view.find, enabled=some)
    _add(menu, "Lay out", "L", view.auto_layout, enabled=some)
    _add(menu, "Fit all", "Home", view.fit_all, enabled=some)
