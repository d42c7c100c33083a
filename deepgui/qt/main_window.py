"""The window: which part talks to which. Nothing is decided here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QCloseEvent, QPaintEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QStackedWidget

from deepgui.project.autosave import recoverable
from deepgui.project.document import Document
from deepgui.project.values import empty_project
from deepgui.qt import theme
from deepgui.qt.actions import BREAKS, ENTRIES, MENUS, WITHIN, Actions
from deepgui.qt.field_keys import FieldKeys
from deepgui.qt.files import Dialogs, Files
from deepgui.qt.loader import Loader
from deepgui.qt.session import Session
from deepgui.qt.settings import Settings
from deepgui.qt.start_page import StartPage
from deepgui.qt.widgets import Note, label

if TYPE_CHECKING:
    from deepgui.qt.dashboard.controller import RunController
    from deepgui.qt.readiness import Readiness
    from deepgui.qt.workbench import Workbench

SMALLEST = QSize(960, 600)
FIRST = QSize(1440, 900)
_NEEDS_PROJECT = (
    *(entry.id for entry in ENTRIES if entry.where in ("Edit", "Block", "Run")),
    *(
        "save",
        "save_as",
        "export",
        "fit",
        "fit_selection",
        "layout",
        "zoom_in",
        "zoom_out",
        "zoom_reset",
        "reset_docks",
    ),
)


class MainWindow(QMainWindow):
    """Start page or workbench, with menus and status bar.

    Signals:
        painted: the first picture has been painted; whatever is slow may begin.
    """

    painted = Signal()

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.settings = settings or Settings()
        self.session = Session(Document(empty_project()), self)
        self.actions_by_id = Actions(self.settings, self)
        self.files = Files(self.session, Dialogs(self), self)
        self.loader = Loader(self.session, self)
        self.controller: RunController | None = None
        self._field_keys = FieldKeys(self.actions_by_id, self)
        self._readiness: Readiness | None = None
        self._workbench: Workbench | None = None
        self._was_painted = False
        self._closed = False
        self.start_page = StartPage(lambda: self.session.registry)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.start_page)
        self.setCentralWidget(self._pages)
        self._make_menus()
        self._make_status()
        self._connect()
        self._restore_geometry()
        self.loader.remember()
        self.start_page.refresh(recoverable())
        self._enable()
        self._retitle()

    # -- parts

    @property
    def workbench(self) -> Workbench:
        """Canvas and panels, made when first needed: the start page is on the screen sooner without them."""
        if self._workbench is None:
            from deepgui.qt.workbench import Workbench

            self._workbench = Workbench(self.session, self.settings, self.actions_by_id)
            self._pages.addWidget(self._workbench)
            self._workbench.arrange(self.width())
            self._workbench.restore()
            self._connect_workbench(self._workbench)
            self.files.saved.connect(self._workbench.toolbar.refresh)
            self._add_panels()
        return self._workbench

    def _add_panels(self) -> None:
        """Panels that need PyTorch, as soon as both it and the workbench are there."""
        if self._workbench is None or not self.session.ready or self.controller is not None:
            return
        from deepgui.qt.panels import add_training

        parts = (self.session, self._workbench, self.files, self.tell)
        self.controller, self._readiness = add_training(*parts, self)
        self.controller.state_changed.connect(lambda state: self._enable())
        self.files.stop_training = self._stop_training
        self._enable()

    def _make_menus(self) -> None:
        made: dict[str, QMenu] = {}
        for title in MENUS:
            menu = made[title] = (made.get(WITHIN.get(title, "")) or self.menuBar()).addMenu(f"&{title}")
            menu.setObjectName(f"menu_{title.lower()}")
            for entry in ENTRIES:
                if entry.where == title:
                    if entry.id in BREAKS:
                        menu.addSeparator()
                    menu.addAction(self.actions_by_id[entry.id])
                    if not entry.canvas:
                        self.addAction(self.actions_by_id[entry.id])
            if title == "View":
                self._panels_menu = menu.addMenu("&Panels")
                self._panels_menu.aboutToShow.connect(self._list_panels)

    def _list_panels(self) -> None:
        self._panels_menu.clear()
        for dock in self.workbench.docks.values():
            self._panels_menu.addAction(dock.toggleViewAction())

    def _make_status(self) -> None:
        self._torch_state = label("")
        self._torch_state.setObjectName("torch_state")
        self._torch_state.setContentsMargins(0, 0, 12, 0)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addPermanentWidget(self._torch_state)

    # -- wiring

    def _connect(self) -> None:
        files, page = self.files, self.start_page
        files.opened.connect(self.show_workbench)
        files.opened.connect(self._retitle)
        files.saved.connect(lambda path: self.tell(f"Saved {path.name}"))
        files.saved.connect(lambda path: self._retitle())
        files.trouble.connect(self.tell)
        page.new_requested.connect(files.new)
        page.open_requested.connect(files.ask_open)
        page.file_chosen.connect(files.open)
        page.sample_chosen.connect(files.open_copy)
        page.recovery_chosen.connect(files.recover)
        page.recovery_discarded.connect(self._discard)
        self.session.changed.connect(lambda before, after: self._on_change())
        self.loader.loaded.connect(self._on_torch)
        self.loader.failed.connect(self._on_no_torch)
        for id, slot in {
            "new": files.new,
            "open": files.ask_open,
            "save": files.save,
            "save_as": files.save_as,
            "export": self.export,
            "start": self.show_start_page,
            "quit": self.close,
            "undo": lambda: self.session.document.undo(),
            "redo": lambda: self.session.document.redo(),
            "theme": self.switch_theme,
            "reset_docks": lambda: self.workbench.arrange(self.width()),
            "shortcuts": self._show_shortcuts,
            "about": self._show_about,
        }.items():
            self.actions_by_id.connect(id, slot)

    def _connect_workbench(self, bench: Workbench) -> None:
        from deepgui.qt.own.desk import Desk

        self._desk = Desk(self.session, bench.canvas, self)
        self._desk.beside.trouble.connect(self.tell)
        self.files.saved.connect(lambda path: self._desk.beside.watch())
        self.actions_by_id.connect("own_layer", lambda: self.session.code_requested.emit(""))
        for id, command in bench.canvas_commands().items():
            self.actions_by_id.connect(id, command)
        for id, slot in {
            "train": lambda: self._run("train"),
            "pause": lambda: self._run("pause"),
            "step": lambda: self._run("step"),
            "stop": lambda: self._run("stop"),
        }.items():
            self.actions_by_id.connect(id, slot)

    def _run(self, what: str) -> None:
        if self.controller is None:
            self.tell("PyTorch is still being loaded; this takes a few seconds.")
            return
        self.workbench.reveal("training")
        resuming = self.controller.resume if self.controller.active else self.controller.start
        {
            "train": resuming,
            "pause": self.controller.toggle,
            "step": self.controller.step,
            "stop": self.controller.stop,
        }[what]()

    def _stop_training(self) -> bool:
        """End a run under way, if the person agrees."""
        if self.controller is None or not self.controller.active:
            return True
        if not self.files.dialogs.stop_training():
            return False
        self.controller.stop()
        return True

    # -- what is shown

    def show_workbench(self) -> None:
        """Show canvas and panels."""
        bench = self.workbench
        self._pages.setCurrentWidget(bench)
        bench.canvas.setFocus()
        self._enable()
        self._retitle()

    def show_start_page(self) -> None:
        """Show samples and recent files; the project stays as it is."""
        self.start_page.refresh(recoverable())
        self._pages.setCurrentWidget(self.start_page)
        self._enable()
        self._retitle()

    @property
    def at_start_page(self) -> bool:
        return self._pages.currentWidget() is self.start_page

    def tell(self, sentence: str) -> None:
        """Say something in the status bar."""
        self.statusBar().showMessage(sentence, 8000)

    def export(self) -> None:
        """Open the export dialog."""
        from deepgui.qt.export_dialog import ExportDialog

        ExportDialog(self.session, self.controller, self).exec()

    def switch_theme(self) -> None:
        """Light becomes dark and dark light, now and at the next start."""
        name = "light" if theme.theme().name == "dark" else "dark"
        theme.use(name)
        self.settings.set("theme", name)

    def _show_shortcuts(self) -> None:
        from deepgui.qt.shortcuts import ShortcutsDialog

        ShortcutsDialog(self.actions_by_id, self).exec()

    def _show_about(self) -> None:
        from deepgui.qt.shortcuts import show_about

        show_about(self)

    def _discard(self, recovery: object) -> None:
        recovery.discard()
        self.start_page.refresh(recoverable())

    def _on_change(self) -> None:
        self._retitle()
        self._enable()

    def _on_torch(self) -> None:
        self._add_panels()
        self._torch_state.setText("")
        if self.at_start_page:
            self.start_page.refresh()

    def _on_no_torch(self, sentence: str) -> None:
        self._torch_state.setText("PyTorch is missing")
        self.tell(sentence)

    def _enable(self) -> None:
        """Actions follow what can be done."""
        actions, document = self.actions_by_id, self.session.document
        working = not self.at_start_page
        actions.enable(_NEEDS_PROJECT, working)
        actions["undo"].setEnabled(working and bool(document.undo_label))
        actions["redo"].setEnabled(working and bool(document.redo_label))
        actions["undo"].setText(f"&Undo {document.undo_label}".rstrip())
        actions["redo"].setText(f"&Redo {document.redo_label}".rstrip())
        state = self.controller.state if self.controller else "idle"
        active = self.controller is not None and self.controller.active
        actions["train"].setEnabled(working and (not active or state == "paused"))
        actions["pause"].setEnabled(working and state in ("running", "paused"))
        actions["stop"].setEnabled(working and active and state != "stopping")

    def _retitle(self) -> None:
        document = self.session.document
        name = document.path.name if document.path else document.project.name
        mark = " •" if document.dirty else ""
        self.setWindowTitle("DeepGUI" if self.at_start_page else f"{name}{mark} – DeepGUI")

    # -- coming and going

    def open(self, path: Path) -> bool:
        """Open a project's file; back to the start page if it cannot be read."""
        return self._arrived(self.files.open(path))

    def open_sample(self, path: Path) -> bool:
        """Open a copy of a sample."""
        return self._arrived(self.files.open_copy(path))

    def announce(self, name: str) -> None:
        """Show that a project is about to open, while everything for it is being made."""
        self._pages.addWidget(note := Note("hourglass", f"Opening {name}"))
        self._pages.setCurrentWidget(note)

    def _arrived(self, opened: bool) -> bool:
        if not opened:
            self.show_start_page()
        return opened

    def finish_loading(self) -> None:
        """Load PyTorch and build every panel now: for scripts, tests and pictures of the window."""
        _ = self.workbench
        self.loader.now()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            self._torch_state.setText("Loading PyTorch …" if not self.session.ready else "")
            self.painted.emit()

    def _restore_geometry(self) -> None:
        self.setMinimumSize(SMALLEST)
        self._fills_screen = False
        state = self.settings.state("geometry")
        if state is None or not self.restoreGeometry(state):
            room = self.screen().availableGeometry().size() if self.screen() else FIRST
            wanted = QSize(max(FIRST.width(), room.width() * 4 // 5), max(FIRST.height(), room.height() * 4 // 5))
            self.resize(wanted.boundedTo(room))
            self._fills_screen = wanted.width() >= room.width() or wanted.height() >= room.height()

    def appear(self) -> None:
        """Show the window: as it was last time, or the first time as large as a small screen allows."""
        if self._fills_screen:
            self.showMaximized()
        else:
            self.show()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._closed:
            event.accept()
            return
        if not self.files.may_leave():
            event.ignore()
            return
        self.settings.set("geometry", self.saveGeometry())
        self.hide()  # threads may take a moment to end; nobody needs to watch that
        self.shut_down()
        event.accept()

    def shut_down(self) -> None:
        """Remember the window and end all threads."""
        if self._closed:
            return
        self._closed = True
        self.files.close()
        if self._workbench is not None:
            self._desk.shut_down()
            self._workbench.shut_down()
        if self.controller is not None and self._readiness is not None:
            self.controller.shutdown()
            self._readiness.close()
        self.loader.wait()
        self.settings.sync()
