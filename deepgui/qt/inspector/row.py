"""A parameter's row: its name, its editor, the way back to the default, what is wrong, and its help."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QIcon
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import ParamSpec, Value, show
from deepgui.qt import style
from deepgui.qt.inspector.fields import Field, TextField, field_for, is_path
from deepgui.qt.inspector.text import Judge
from deepgui.qt.widgets import Elided, label, tool_button

LABEL_WIDTH = 112


class Shown(NamedTuple):
    """What a row shows.

    Attributes:
        value: in force, or None.
        own: the value was set by the user and is not the default.
        inferred: the wire gave the value.
        mixed: the selected layers have different values.
        computed: what the expression comes to; empty if it is none, or has no value.
    """

    value: Value
    own: bool = False
    inferred: bool = False
    mixed: bool = False
    computed: str = ""


class ParamRow(QWidget):
    """One parameter.

    Signals:
        edited(name, value): a valid value was typed or chosen.
        reset(name): back to the default, or to what the wire says.
        menu_requested(name, at): the row's menu is wanted at a place of the screen.

    Args:
        judge: what says whether an expression can be the value; without it there are no expressions.
    """

    edited = Signal(str, object)
    reset = Signal(str)
    menu_requested = Signal(str, QPoint)

    def __init__(self, spec: ParamSpec, title: str = "", judge: Judge | None = None) -> None:
        super().__init__()
        self.spec = spec
        self.own = False
        self._writing = False
        self.field: Field = field_for(spec)
        self._formula = self._make_formula(judge)
        self.field.name_editor(f"param_{spec.name}", title or spec.name)
        self._title = Elided(title or spec.name, "parameter", Qt.TextElideMode.ElideMiddle, width=LABEL_WIDTH)
        self._title.clicked.connect(self.field.setFocus)
        self._reset = tool_button("arrow-counter-clockwise", f"reset_{spec.name}", self._reset_tip())
        self._reset.clicked.connect(lambda: self.reset.emit(self.spec.name))
        self._reset_icon = self._reset.icon()
        self._note = label("", "inferred", wrap=True)
        self._error = label("", "error", wrap=True)
        self._error.setObjectName(f"error_{spec.name}")
        self._help = label(spec.doc, "caption", wrap=True)
        self._arrange()
        for part in (self._note, self._error, self._help):
            part.hide()
        self.field.setToolTip(spec.doc)
        for field in {self.field, self._formula} - {None}:
            field.edited.connect(lambda value: self.edited.emit(self.spec.name, value))
            field.rejected.connect(self._show_error)
            editor = field.focusProxy()
            if editor is not None:
                editor.setAccessibleDescription(spec.doc)
                editor.installEventFilter(self)

    def _make_formula(self, judge: Judge | None) -> TextField | None:
        """The line in which expressions are written: the field itself, or one in place of a switch or a choice."""
        if judge is None:
            return None
        made = self.field if isinstance(self.field, TextField) else TextField(self.spec)
        made.judge = judge
        if made is not self.field:
            made.name_editor(f"expression_{self.spec.name}", f"Expression of {self.spec.name}")
            made.hide()
        return made

    def write_expression(self) -> None:
        """Put the cursor where an expression can be written."""
        if self._formula is not None:
            self._writing = True
            self._show_formula(True)
            if not self._formula.text().startswith("="):
                self._formula.line.setText("=")
            self._formula.setFocus()
            self._formula.line.deselect()
            self._formula.line.end(False)

    def _show_formula(self, on: bool) -> None:
        if self._formula is not None and self._formula is not self.field:
            self._formula.setVisible(on)
            self.field.setVisible(not on)

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._title, 0, 0, Qt.AlignmentFlag.AlignVCenter)
        below = is_path(self.spec)  # a path is long, and its field has buttons beside it
        grid.addWidget(self.field, *((1, 0, 1, 3) if below else (0, 1)))
        if self._formula is not None and self._formula is not self.field:
            grid.addWidget(self._formula, 0, 1)
        grid.addWidget(self._reset, 0, 2)
        for line, part in enumerate((self._error, self._note, self._help), 2 if below else 1):
            grid.addWidget(part, line, 0 if below else 1, 1, 3 if below else 2)
        grid.setColumnStretch(1, 1)
        self._hold_reset_place()

    def _hold_reset_place(self) -> None:
        policy = self._reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._reset.setSizePolicy(policy)
        self._reset.hide()

    def _reset_tip(self) -> str:
        if self.spec.infer:
            return "Back to what the wire says"
        return f"Back to the default, {show(self.spec.default)}"

    def show_state(self, shown: Shown) -> None:
        """Show a value with where it comes from."""
        hint = "None" if self.spec.nullable else ""
        self.own = shown.own
        computed = isinstance(shown.value, Expr)
        self._show_formula(computed or self._writing)
        if computed and self._formula is not None:
            self._formula.show_value(shown.value)
        elif shown.mixed:
            self.field.show_value(None, hint="several values")
        elif shown.inferred:
            self._show_inferred(shown.value)
        elif self.spec.infer and shown.value is None:
            self.field.show_value(None, hint="from the wire", inferred=True)
        else:
            self.field.show_value(shown.value, hint=hint or ("required" if self.spec.required else ""))
        self._note.setText("inferred from the wire" if shown.inferred else shown.computed)
        self._note.setVisible(bool(self._note.text()))
        style.set_flag(self._title, "changed", shown.own)
        self._reset.setVisible(shown.own)
        self._reset.setIcon(self._reset_icon if shown.own else QIcon())

    def _show_inferred(self, value: Value) -> None:
        if self.spec.type in ("bool", "choice"):
            self.field.show_value(value, inferred=True)
        else:
            self.field.show_value(None, hint=f"{value}", inferred=True)

    def error(self) -> str:
        """The sentence under the field; empty if all is well."""
        return self._error.text()

    def _show_error(self, sentence: str) -> None:
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_requested.emit(self.spec.name, event.globalPos())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The help stands beside the field that has the focus; its menu is the row's."""
        if isinstance(event, QContextMenuEvent) and self.receivers("2menu_requested(QString,QPoint)"):
            self.menu_requested.emit(self.spec.name, event.globalPos())
            return True
        if event.type() == QEvent.Type.FocusIn:
            self._help.setVisible(bool(self.spec.doc))
        elif event.type() == QEvent.Type.FocusOut and QApplication.activePopupWidget() is None:
            self._help.hide()
            self._writing = False
        return super().eventFilter(watched, event)
