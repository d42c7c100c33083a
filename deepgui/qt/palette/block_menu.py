"""What can be done with a block from the palette: open it, call it something else, delete it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from deepgui.project import blocks
from deepgui.project.values import Project
from deepgui.qt.session import Session
from deepgui.qt.shelf import catalogue


class BlockMenu(QMenu):
    """The menu of one kind. For a layer it only places; it deletes itself when closed."""

    def __init__(
        self, parent: QWidget, session: Session, kind: str, place: Callable[[], object], rename: Callable[[], object]
    ) -> None:
        super().__init__(parent)
        self.setObjectName("palette_menu")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._add("place", "Place\tEnter", place)
        if kind in session.project.blocks:
            used = len(blocks.uses(session.project, kind))
            self.addSeparator()
            written = session.is_written(kind)
            self._add("open_block", "Edit the code…" if written else "Open", lambda: open_block(session, kind))
            if not written:  # a class is called what its code calls it
                self._add("rename_block", "Rename\tF2", rename)
            words = "Delete" if not used else f"Delete (used {'once' if used == 1 else f'{used} times'})"
            self._add("delete_block", f"{words}\tDel", lambda: remove(session, kind)).setEnabled(not used)

    def _add(self, name: str, words: str, does: Callable[[], object]) -> QAction:
        made = self.addAction(words)
        made.setObjectName(name)
        made.triggered.connect(lambda: does())
        return made


def open_block(session: Session, kind: str) -> None:
    """Look into a block: where the network uses it, if it does, so that the shapes are real; else as such."""
    used = next(iter(session.main.of_kind(kind)), None)
    if used is not None:
        session.leave(0)
        session.enter(used.id)
    else:
        session.show_block(kind)


def rename(session: Session, kind: str, wanted: str) -> None:
    """Call a block of the project something else, wherever it is used."""
    if kind in session.project.blocks and wanted.strip():
        alone = [level.block for level in session.levels[:1] if not level.node]
        new = [kind]

        def change(project: Project) -> Project:
            project, new[0] = blocks.rename(project, kind, wanted, catalogue(session))
            return project

        session.edit_project(f"Rename block {kind}", change)
        if alone == [kind]:
            session.show_block(new[0])


def remove(session: Session, kind: str) -> None:
    """Delete a block that nothing uses; one that is used stays."""
    if kind in session.project.blocks and not blocks.uses(session.project, kind):
        session.edit_project(f"Delete block {kind}", lambda project: blocks.remove(project, kind))
