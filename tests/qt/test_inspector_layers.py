"""The inspector shows a layer as it is and edits it through the session."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot
from qt.frame_helpers import session_of, settle, small_cnn

from deepgui.project.values import DataConfig
from deepgui.qt.inspector.panel import Inspector
from deepgui.qt.widgets import Switch


def opened(qtbot: QtBot, *ids: str) -> tuple[Inspector, object]:
    session = session_of(small_cnn())
    inspector = Inspector(session)
    qtbot.addWidget(inspector)
    inspector.show()
    session.select(ids)
    return inspector, session


def spin_text(inspector: Inspector, name: str) -> QLineEdit:
    return inspector.findChild(QAbstractSpinBox, name).lineEdit()


def test_typing_a_number_is_one_undo_step(qtbot: QtBot) -> None:
    inspector, session = opened(qtbot, "conv2d")
    start = session.network
    line = spin_text(inspector, "param_out_channels")
    line.selectAll()
    qtbot.keyClicks(line, "128")
    assert session.network.nodes["conv2d"].params["out_channels"] == 128
    session.document.undo()
    assert session.network is start
    assert line.text() == "4"


def test_switch_choice_and_tuple(qtbot: QtBot) -> None:
    inspector, session = opened(qtbot, "conv2d")
    params = lambda: session.network.nodes["conv2d"].params  # noqa: E731
    inspector.findChild(Switch, "param_bias").click()
    assert params()["bias"] is False
    combo = inspector.findChild(QComboBox, "param_padding_mode")
    combo.setCurrentIndex(combo.findText("circular"))
    combo.activated.emit(combo.currentIndex())
    assert params()["padding_mode"] == "circular"
    inspector.layer_page.rows["stride"].field.type("2, 1")
    assert params()["stride"] == (2, 1)
    for _ in range(3):
        session.document.undo()
    assert not {"bias", "padding_mode", "stride"} & params().keys()
    assert inspector.findChild(Switch, "param_bias").isChecked()


def test_the_default_again_is_nothing_set(qtbot: QtBot) -> None:
    inspector, session = opened(qtbot, "conv2d")
    row = inspector.layer_page.rows["stride"]
    row.field.type("2")
    assert not inspector.findChild(object, "reset_stride").isHidden()
    row.field.type("1")
    assert "stride" not in session.network.nodes["conv2d"].params
    assert inspector.findChild(object, "reset_stride").isHidden()


def test_inferred_values_say_so_and_can_be_overridden_and_given_back(qtbot: QtBot) -> None:
    inspector, session = opened(qtbot, "conv2d_2")
    line = spin_text(inspector, "param_in_channels")
    assert (line.text(), line.placeholderText()) == ("", "4")
    assert inspector.findChild(QAbstractSpinBox, "param_in_channels").property("inferred")
    qtbot.keyClicks(line, "7")
    assert session.network.nodes["conv2d_2"].params["in_channels"] == 7
    settle(session)
    assert not session.report.ok
    qtbot.mouseClick(inspector.findChild(object, "reset_in_channels"), Qt.MouseButton.LeftButton)
    settle(session)
    assert session.report.ok
    assert line.placeholderText() == "4"


def test_bad_text_is_kept_with_its_sentence_and_changes_nothing(qtbot: QtBot) -> None:
    inspector, session = opened(qtbot, "conv2d")
    before = session.network
    row = inspector.layer_page.rows["kernel_size"]
    row.field.type("big")
    assert "whole numbers" in row.error()
    settle(session)
    assert session.network is before
    assert row.field.text() == "big"


def test_several_layers_are_edited_together(qtbot: QtBot) -> None:
    inspector, session = opened(qtbot, "conv2d", "conv2d_2")
    assert spin_text(inspector, "param_out_channels").placeholderText() == "several values"
    inspector.layer_page.rows["padding"].field.type("1")
    assert {session.network.nodes[i].params["padding"] for i in ("conv2d", "conv2d_2")} == {1}
    session.document.undo()
    assert all("padding" not in session.network.nodes[i].params for i in ("conv2d", "conv2d_2"))


def test_only_common_parameters_of_different_kinds(qtbot: QtBot) -> None:
    inspector, _ = opened(qtbot, "conv2d", "linear")
    assert set(inspector.layer_page.rows) == {"bias"}


def test_shapes_and_cost_are_shown(qtbot: QtBot) -> None:
    inspector, _ = opened(qtbot, "conv2d")
    assert inspector.findChild(object, "shape_in_input").full_text() == "N×1×8×8"
    assert inspector.findChild(object, "shape_out_output").full_text() == "N×4×6×6"


def test_renaming_makes_an_identifier(qtbot: QtBot) -> None:
    inspector, session = opened(qtbot, "linear")
    name = inspector.findChild(QLineEdit, "node_name")
    name.selectAll()
    qtbot.keyClicks(name, "the classifier")
    qtbot.keyClick(name, Qt.Key.Key_Return)
    assert session.network.nodes["linear"].label == "the_classifier"
    assert name.text() == "the_classifier"


def test_documentation_opens_and_is_readable(qtbot: QtBot) -> None:
    inspector, _ = opened(qtbot, "conv2d")
    fold = inspector.findChild(QPushButton, "fold_documentation")
    text = inspector.findChild(object, "layer_documentation")
    assert text.isHidden()
    fold.click()
    assert not text.isHidden()
    assert ":attr:" not in text.text()
    assert "Hₒᵤₜ" in text.text()


def test_unknown_kinds_are_kept_and_said(qtbot: QtBot) -> None:
    from deepgui.graph import edits

    session = session_of(edits.add_node(small_cnn(), "Conv9d", {"x": 1})[0])
    inspector = Inspector(session)
    qtbot.addWidget(inspector)
    session.select(["conv9d"])
    assert inspector.layer_page.rows == {}
    assert session.network.nodes["conv9d"].params == {"x": 1}


def test_nothing_selected_shows_the_project_with_its_figures(qtbot: QtBot) -> None:
    inspector, session = opened(qtbot)
    assert inspector.tabs.currentIndex() == 1
    assert inspector.findChild(object, "figure_parameters").full_text() == f"{session.report.parameters:,}"
    inspector.project_page.notes.setPlainText("a note")
    assert session.project.notes == "a note"
    session.document.undo()
    assert inspector.project_page.notes.toPlainText() == ""


def test_data_source_with_options_split_and_preview(qtbot: QtBot) -> None:
    session = session_of(small_cnn(), data=DataConfig())
    inspector = Inspector(session)
    qtbot.addWidget(inspector)
    inspector.show()
    section = inspector.project_page.data
    index = section.source.findData("digits")
    section.source.setCurrentIndex(index)
    section.source.activated.emit(index)
    assert session.project.data.source == "digits"
    qtbot.waitUntil(lambda: "1,797 examples" in section.preview.text(), timeout=20_000)
    assert "10 classes" in section.preview.text()
    section.split_rows["test"].field.type("2")
    assert session.project.data.test == 2
    qtbot.waitUntil(lambda: section.preview.property("role") == "error", timeout=20_000)
    session.document.undo()
    assert session.project.data.test == DataConfig().test
    inspector.close_workers()


def test_a_regression_source_brings_its_objective(qtbot: QtBot) -> None:
    session = session_of(small_cnn(), data=DataConfig())
    inspector = Inspector(session)
    qtbot.addWidget(inspector)
    section = inspector.project_page.data
    section.source.activated.emit(section.source.findData("diabetes"))
    assert session.project.training.objective == "regression"
    inspector.close_workers()
