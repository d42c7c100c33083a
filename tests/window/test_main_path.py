"""The whole way by mouse and keyboard alone: draw, mend, train, watch, steer, take home, use without DeepGUI."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from window.desktop import Desktop

from deepgui.data.dataset import prepare
from deepgui.project.values import DataConfig

pytestmark = [pytest.mark.window, pytest.mark.timeout(600)]

PORT = """(lambda canvas, ref: (lambda p: [p.x(), p.y()])(
    canvas.viewport().mapToGlobal(canvas.mapFromScene(canvas.mirror.port_point(ref)))))(
    find('canvas'), __import__('deepgui.qt.canvas.hits', fromlist=['x']).PortRef({node!r}, {side!r}, {port!r}, 0))"""
FIRST_LAYER = """(lambda tree, row: (lambda r: [r.center().x(), r.center().y()])(
    tree.visualRect(row).translated(tree.viewport().mapToGlobal(tree.rect().topLeft()))))(
    find('palette_tree'), find('palette_tree').model().index(0, 0))"""
TAB = """[(lambda p: [p.x(), p.y()])(bar.mapToGlobal(bar.tabRect(i).center()))
    for bar in app.activeWindow().findChildren(__import__('PySide6.QtWidgets', fromlist=['x']).QTabBar)
    for i in range(bar.count()) if bar.isVisible() and bar.tabText(i).startswith({title!r})][0]"""
NETWORK = "find('canvas').session.network"
REPORT = "find('canvas').session.report"
CONTROLLER = "app.activeWindow().controller"


class Student:
    """Someone at the window who knows what they want."""

    def __init__(self, desktop: Desktop) -> None:
        self.desktop = desktop

    def port(self, node: str, side: str, port: str) -> list[int]:
        return self.desktop.ask(PORT.format(node=node, side=side, port=port))

    def canvas_spot(self, across: float, down: float) -> tuple[int, int]:
        """A place on the canvas as parts of its width and height."""
        rect = self.desktop.rect("canvas")
        return round(rect.x + across * rect.width), round(rect.y + down * rect.height)

    def drag_from_palette(self, words: str, kind: str, across: float, down: float) -> None:
        """Search the palette and drag the first result onto the canvas."""
        self.desktop.click("palette_search")
        self.desktop.key("ctrl+a")
        self.desktop.type(words)
        self.desktop.wait(f"find('palette').current_kind() == {kind!r}", f"{kind} as first result")
        before = self.count()
        self.desktop.drag(self.desktop.ask(FIRST_LAYER), self.canvas_spot(across, down))
        self.desktop.wait(lambda: self.count() == before + 1, f"{kind} on the canvas")

    def add_by_search(self, words: str, across: float, down: float) -> None:
        """Point at an empty place, press Tab, type, Enter."""
        before = self.count()
        self.desktop.move(self.canvas_spot(across, down))
        self.desktop.ask("find('canvas').setFocus()")
        self.desktop.key("Tab")
        self.desktop.wait("find('search_edit').isVisible()", "the search popup")
        self.desktop.type(words)
        self.desktop.key("Return")
        self.desktop.wait(lambda: self.count() == before + 1, f"{words} on the canvas")

    def wire(self, source: str, target: str, output: str = "output", input: str = "input") -> None:
        self.desktop.drag(self.port(source, "out", output), self.port(target, "in", input))
        question = f"any(w.source == {source!r} and w.target == {target!r} for w in {NETWORK}.wires)"
        self.desktop.wait(question, f"the wire from {source} to {target}")

    def wire_back(self, target: str, source: str) -> None:
        """Draw the wire from its end: from the input to the output."""
        self.desktop.drag(self.port(target, "in", "input"), self.port(source, "out", "output"))
        question = f"any(w.source == {source!r} and w.target == {target!r} for w in {NETWORK}.wires)"
        self.desktop.wait(question, f"the wire from {source} to {target}")

    def set_param(self, node: str, name: str, value: str) -> None:
        """Select a node by a click on its title and type into a field of the inspector."""
        x, y = self.port(node, "in" if node != "input" else "out", "input" if node != "input" else "output")
        self.desktop.click((x + 30, y) if node != "input" else (x - 30, y))
        self.desktop.wait(f"find('canvas').session.selection == frozenset([{node!r}])", f"{node} selected")
        self.desktop.click(f"param_{name}", times=3)
        self.desktop.key("ctrl+a")
        self.desktop.type(value)
        self.desktop.key("Return")

    def tab(self, title: str) -> None:
        """Click on the tab of a dock or of the inspector."""
        self.desktop.click(self.desktop.ask(TAB.format(title=title)))

    def choose_digits(self) -> None:
        """Pick the data source in the inspector's project page."""
        self.tab("Project and data")
        self.desktop.click("data_source")
        self.desktop.type("Digits")
        self.desktop.key("Return")
        self.desktop.wait("find('canvas').session.project.data.source == 'digits'", "digits as data")

    def mend(self, code: str) -> None:
        """Press the button of the first problem in the list, which must be of this kind."""
        self.tab("Problems")
        question = f"find('fix_0') is not None and [p.code for p in {REPORT}.problems][0] == {code!r}"
        self.desktop.wait(question, f"a fix for {code}")
        self.desktop.click("fix_0")
        self.desktop.wait(f"all(p.code != {code!r} for p in {REPORT}.problems)", f"no more {code}")

    def at_rest(self) -> bool:
        """Whether the view has stopped moving."""
        first = self.port("relu", "in", "input")
        time.sleep(0.3)
        return self.port("relu", "in", "input") == first

    def count(self) -> int:
        return int(self.desktop.ask(f"len({NETWORK}.nodes)"))

    def state(self) -> str:
        return str(self.desktop.ask("app.activeWindow().controller.state"))


@pytest.fixture
def student(desktop: Desktop) -> Student:
    desktop.start()
    desktop.click("new_button")
    desktop.wait("len(find('canvas').session.registry) > 100", "the catalogue")
    desktop.wait(f"{CONTROLLER} is not None", "PyTorch")
    return Student(desktop)


def draw_network(student: Student) -> None:
    """A convolutional network from an empty canvas."""
    student.choose_digits()
    student.add_by_search("input", 0.10, 0.25)
    student.drag_from_palette("conv2", "Conv2d", 0.32, 0.25)
    student.add_by_search("relu", 0.54, 0.25)
    student.drag_from_palette("maxpool2", "MaxPool2d", 0.76, 0.25)
    student.add_by_search("flatten", 0.10, 0.65)
    student.drag_from_palette("linear", "Linear", 0.32, 0.65)
    student.add_by_search("output", 0.54, 0.65)
    student.set_param("input", "shape", "1, 8, 8")
    student.set_param("conv2d", "padding", "1")
    desktop = student.desktop
    desktop.click(student.canvas_spot(0.5, 0.5))
    desktop.key("Home")  # all layers in view, clear of the edges
    desktop.wait(lambda: student.at_rest(), "the canvas to come to rest")
    for source, target in itertools.pairwise(("input", "conv2d", "relu", "max_pool2d")):
        student.wire(source, target)
    for source, target in itertools.pairwise(("output", "linear", "flatten", "max_pool2d")):
        student.wire_back(source, target)


def test_from_an_empty_canvas_to_a_model_without_deepgui(student: Student, tmp_path: Path) -> None:
    desktop = student.desktop
    draw_network(student)
    student.set_param("linear", "in_features", "100")
    student.mend("size-mismatch")
    student.mend("output-classes")
    desktop.wait(f"{REPORT}.ok", "a network without errors")
    desktop.screenshot(tmp_path / "drawn.png")

    watch_it_learn(student, tmp_path)
    source, onnx = take_it_home(student, tmp_path)
    use_it_without_deepgui(source, onnx, desktop.ask(f"dict({CONTROLLER}.finished.metrics)"))


def watch_it_learn(student: Student, tmp_path: Path) -> None:
    """Train, pause, change the learning rate, go on, look at feature maps and curves, stop."""
    desktop = student.desktop
    student.tab("Training")
    desktop.click("epochs_field", times=3)
    desktop.key("ctrl+a")
    desktop.type("400")
    desktop.key("Return")
    desktop.click("train_button")
    desktop.wait(f"{CONTROLLER}.state == 'running'", "training", 60)
    curve = f"len({CONTROLLER}.feed.column('train_loss')[0])"
    desktop.wait(f"{curve} > 100", "a growing curve", 60)

    x, y = student.port("conv2d", "in", "input")
    desktop.click((x + 30, y))
    student.tab("Feature maps")
    desktop.wait("find('feature_maps').isVisible()")
    desktop.wait(f"{curve} > 300", "a curve that still grows", 60)
    first = desktop.rect("feature_maps")
    before = desktop.pixels(first)
    desktop.wait(lambda: desktop.pixels(first) != before, "feature maps that move")
    desktop.screenshot(tmp_path / "maps.png")

    student.tab("Training")
    desktop.click("pause_button")
    desktop.wait(f"{CONTROLLER}.state == 'paused'", "a pause")
    steps = desktop.ask(curve)
    desktop.click("lr_field", times=3)
    desktop.key("ctrl+a")
    desktop.type("0.0005")
    desktop.key("Return")
    assert desktop.ask(curve) == steps
    desktop.click("train_button")
    desktop.wait(f"{CONTROLLER}.state == 'running'", "training that goes on")
    desktop.wait(f"bool(abs({CONTROLLER}.feed.column('lr')[1][-1] - 0.0005) < 1e-9)", "the new learning rate")
    desktop.wait(f"{curve} > {steps} + 1500", "more steps", 120)
    desktop.screenshot(tmp_path / "training.png")
    desktop.click("stop_button")
    desktop.wait(f"{CONTROLLER}.state == 'finished'", "the end of the run", 60)
    assert desktop.ask(f"{CONTROLLER}.finished.metrics['test_accuracy']") >= 0.97


def take_it_home(student: Student, tmp_path: Path) -> tuple[Path, Path]:
    """Export source with weights, and ONNX, by the dialog."""
    desktop = student.desktop
    source, onnx = tmp_path / "home", tmp_path / "model.onnx"
    for choice, path in (("python", source), ("onnx", onnx)):
        desktop.click("tool_action_export")
        desktop.click(f"export_{choice}")
        desktop.click("export_path", times=3)
        desktop.key("ctrl+a")
        desktop.type(str(path))
        desktop.click("export_start")
        desktop.wait("find('export_done').isVisible()", "the result of the export", 120)
        desktop.screenshot(tmp_path / f"exported_{choice}.png")
        desktop.click("export_done")
    return source, onnx


def use_it_without_deepgui(source: Path, onnx: Path, metrics: dict[str, float]) -> None:
    """The exported files in a Python that cannot import DeepGUI: the same accuracy, and ONNX agrees."""
    dataset = prepare(DataConfig(source="digits"), "classification")
    positions = torch.arange(len(dataset.test))
    pictures, answers = dataset.test.raw(positions)["image"], dataset.test.get(positions)["label"]
    np.savez(source / "test.npz", pictures=pictures.numpy(), answers=answers.numpy())
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, str(onnx)], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["accuracy"] == pytest.approx(metrics["test_accuracy"], abs=1e-6)
    assert found["difference"] <= 1e-5


STRANGER = """
import importlib.abc, json, sys
from pathlib import Path
class Wall(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "deepgui":
            raise ImportError(name)
sys.meta_path.insert(0, Wall())
sys.path.insert(0, ".")
import numpy as np, onnxruntime, torch
from safetensors.torch import load_file
import predict
name = next(Path(".").glob("*.safetensors")).stem
model = next(v for k, v in vars(predict).items() if isinstance(v, type) and issubclass(v, torch.nn.Module))()
model.load_state_dict(load_file(f"{name}.safetensors"))
model.eval()
test = np.load("test.npz")
inputs = predict.normalize(torch.from_numpy(test["pictures"]))
with torch.no_grad():
    scores = model(inputs)
session = onnxruntime.InferenceSession(sys.argv[1])
other = session.run(None, {session.get_inputs()[0].name: inputs.numpy()})[0]
print(json.dumps({
    "accuracy": (scores.argmax(1).numpy() == test["answers"]).mean(),
    "difference": float(np.abs(scores.numpy() - other).max() / max(1.0, np.abs(other).max())),
}))
"""
