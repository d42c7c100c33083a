"""New, open, save, recent files, work that must not be lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from deepgui.project import file, recent
from deepgui.project.autosave import Autosave, Recovery
from deepgui.project.decode import FileError
from deepgui.project.document import Document
from deepgui.project.values import Project, empty_project
from deepgui.qt.session import Session

Answer = Literal["save", "discard", "cancel"]
AUTOSAVE_MS = 10_000
_FILTER = f"DeepGUI projects (*{file.SUFFIX});;All files (*)"


class Choice(NamedTuple):
    """A button of a question: its words and its object name."""

    text: str
    name: str
    role: QMessageBox.ButtonRole = QMessageBox.ButtonRole.AcceptRole


class Dialogs:
    """What is asked of the person. Tests put their own answers in its place."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent

    def save_changes(self, name: str) -> Answer:
        """Whether to save before the project is left."""
        save = Choice("Save", "unsaved_save")
        discard = Choice("Don't save", "unsaved_discard", QMessageBox.ButtonRole.DestructiveRole)
        cancel = Choice("Cancel", "unsaved_cancel", QMessageBox.ButtonRole.RejectRole)
        text = f"Save the changes to {name}?", "They are lost if you do not save them."
        answers: dict[Choice, Answer] = {save: "save", discard: "discard", cancel: "cancel"}
        return answers[self._ask("unsaved_dialog", text, tuple(answers), usual=save, escape=cancel)]

    def stop_training(self) -> bool:
        """Whether a training under way may be stopped."""
        stop = Choice("Stop training", "training_stop")
        keep = Choice("Keep training", "training_keep", QMessageBox.ButtonRole.RejectRole)
        text = "Training is still running.", "Stop it now? A checkpoint is kept, so that it can be resumed."
        return self._ask("training_dialog", text, (stop, keep), usual=stop, escape=keep) is stop

    def delete_runs(self, names: Sequence[str]) -> bool:
        """Whether runs may be deleted."""
        delete = Choice("Delete", "delete_runs_yes", QMessageBox.ButtonRole.DestructiveRole)
        keep = Choice("Keep", "delete_runs_no", QMessageBox.ButtonRole.RejectRole)
        what = f"the run {names[0]}" if len(names) == 1 else f"{len(names)} runs"
        text = f"Delete {what}?", "Curves, weights and checkpoints are lost for good."
        return self._ask("delete_runs_dialog", text, (delete, keep), usual=keep, escape=keep) is delete

    def open_path(self, folder: Path) -> Path | None:
        """Which file to open."""
        name, _ = QFileDialog.getOpenFileName(self._parent, "Open a project", str(folder), _FILTER)
        return Path(name) if name else None

    def save_path(self, suggestion: Path) -> Path | None:
        """Where to save."""
        name, _ = QFileDialog.getSaveFileName(self._parent, "Save the project", str(suggestion), _FILTER)
        return Path(name) if name else None

    def replace(self, name: str) -> bool:
        """Whether a file that is there already may be replaced."""
        yes = Choice("Replace", "replace_yes")
        no = Choice("Keep it", "replace_no", QMessageBox.ButtonRole.RejectRole)
        text = f"{name} exists already.", "Replace it?"
        return self._ask("replace_dialog", text, (yes, no), usual=no, escape=no) is yes

    def complain(self, sentence: str) -> None:
        """Say what went wrong."""
        box = self._box(sentence, "")
        box.setIcon(QMessageBox.Icon.Warning)
        box.setObjectName("error_dialog")
        box.exec()

    def _ask(
        self, name: str, text: tuple[str, str], choices: tuple[Choice, ...], *, usual: Choice, escape: Choice
    ) -> Choice:
        """Which of some buttons is pressed; ``escape`` if the window is closed."""
        box = self._box(*text)
        box.setObjectName(name)
        buttons = {}
        for choice in choices:
            buttons[choice] = box.addButton(choice.text, choice.role)
            buttons[choice].setObjectName(choice.name)
        box.setDefaultButton(buttons[usual])
        box.setEscapeButton(buttons[escape])
        box.exec()
        return next((choice for choice, button in buttons.items() if button is box.clickedButton()), escape)

    def _box(self, text: str, more: str) -> QMessageBox:
        box = QMessageBox(self._parent)
        box.setWindowTitle("DeepGUI")
        box.setText(text)
        box.setInformativeText(more)
        return box


class Files(QObject):
    """Moves projects between files and the session, and never lets go of unsaved work without asking.

    Signals:
        opened: a project is there to be drawn.
        saved(path): the project was written.
        trouble(sentence): something went wrong that needs no answer.

    Args:
        stop_training: called before a project is left; ends a run under way, False if the person keeps it.
    """

    opened = Signal()
    saved = Signal(Path)
    trouble = Signal(str)

    def __init__(self, session: Session, dialogs: Dialogs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.dialogs = dialogs
        self.stop_training: Callable[[], bool] = lambda: True
        self._autosave = Autosave(session.document)
        self._timer = QTimer(self)
        self._timer.setInterval(AUTOSAVE_MS)
        self._timer.timeout.connect(self.keep)
        self._timer.start()

    # -- leaving

    def may_leave(self) -> bool:
        """Ask what must be asked before the project is left; False if the person stays."""
        document = self._session.document
        if document.dirty:
            name = document.path.name if document.path else document.project.name
            answer = self.dialogs.save_changes(name)
            if answer == "cancel" or (answer == "save" and not self.save()):
                return False
        return self.stop_training()

    def close(self) -> None:
        """The project was let go for good: nothing is to be recovered."""
        self._timer.stop()
        self._autosave.close()

    def keep(self) -> None:
        """Keep unsaved work aside, in case the machine or the application dies."""
        complaint = self._autosave.tick()
        if complaint:
            self.trouble.emit(complaint)

    # -- arriving

    def new(self) -> bool:
        """An empty project, if the present one may be left."""
        return self.may_leave() and self._show(Document(empty_project()))

    def ask_open(self) -> bool:
        """Open a file chosen in a dialog."""
        path = self.dialogs.open_path(self._folder())
        return path is not None and self.open(path)

    def open(self, path: Path) -> bool:
        """Open a file, if the present project may be left. Says why if it cannot be read."""
        project = self._read(path)
        if project is None or not self.may_leave():
            return False
        recent.remember(path)
        return self._show(Document(project, path.absolute()))

    def open_copy(self, path: Path) -> bool:
        """Open a sample as a project of the person's own, which has no file yet."""
        project = self._read(path)
        return project is not None and self.may_leave() and self._show(Document(project))

    def open_run(self, folder: Path) -> bool:
        """Open the project of a run as it was when that began, as a project without a file."""
        return self.open_copy(folder / f"project{file.SUFFIX}")

    def recover(self, recovery: Recovery) -> bool:
        """Take up lost work; it counts as unsaved, and stays recoverable until it is kept anew."""
        try:
            project = recovery.project()
        except FileError as error:
            self.dialogs.complain(str(error))
            return False
        if not self.may_leave():
            return False
        document = Document(project, recovery.path)
        document.saved = empty_project()
        self._show(document)
        if not self._autosave.tick():
            recovery.discard()
        return True

    def _read(self, path: Path) -> Project | None:
        try:
            return file.read(path)
        except FileError as error:
            recent.forget(path)
            self.dialogs.complain(str(error))
            return None

    def _show(self, document: Document) -> bool:
        self._autosave.close()
        self._session.open(document)
        self._autosave = Autosave(document)
        self.opened.emit()
        return True

    # -- saving

    def save(self) -> bool:
        """Save; asks for a name if there is none. False if nothing was saved."""
        path = self._session.document.path
        return self.save_as() if path is None else self._write(path)

    def save_as(self) -> bool:
        """Save under a name chosen in a dialog."""
        document = self._session.document
        suggestion = document.path or self._folder() / f"{document.project.name}{file.SUFFIX}"
        while (chosen := self.dialogs.save_path(suggestion)) is not None:
            path = chosen if chosen.suffix == file.SUFFIX else chosen.with_name(chosen.name + file.SUFFIX)
            # The file dialog asked about the name as it was typed, not about the one with the suffix.
            if path == chosen or not path.exists() or self.dialogs.replace(path.name):
                return self._write(path)
            suggestion = path
        return False

    def _write(self, path: Path) -> bool:
        document = self._session.document
        if document.path is None and document.project.name == "untitled":
            self._session.edit_project("Name project", lambda project: _named(project, path.stem))
        try:
            file.write(document.project, path)
        except FileError as error:
            self.dialogs.complain(str(error))
            return False
        document.mark_saved(path.absolute())
        recent.remember(path)
        self.keep()
        self.saved.emit(path)
        return True

    def _folder(self) -> Path:
        """Where dialogs begin: beside the project, else where the last file was."""
        path = self._session.document.path
        if path is not None:
            return path.parent
        files = recent.recent()
        return files[0].parent if files else Path.home()


def _named(project: Project, name: str) -> Project:
    return replace(project, name=name)
