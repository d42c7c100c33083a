"""What the board shows is what the network computes, and looking leaves no trace."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from deepgui.catalog.builtin import registry
from deepgui.compiler import interpret
from deepgui.compiler.build import build
from deepgui.data.dataset import prepare
from deepgui.graph import edits
from deepgui.graph.values import Network, Wire
from deepgui.probes import Board, Boundary, Confusion, FeatureMaps, Histogram, Prediction, Vector, Watch
from deepgui.probes.observe import probabilities
from deepgui.project.values import DataConfig


def chain(*layers: tuple[str, dict]) -> Network:
    network, before = Network("net"), ""
    for kind, params in layers:
        network, node = edits.add_node(network, kind, params)
        if before:
            network = edits.connect(network, Wire(before, "output", node.id, "input"))
        before = node.id
    return network


def trained(network: Network, source: str, objective: str = "classification", step: int = 7) -> SimpleNamespace:
    torch.manual_seed(0)
    dataset = prepare(DataConfig(source), objective)
    module = build(network, registry())
    objective = SimpleNamespace(feeds={"network": dataset.inputs}, complete=dict, preview=lambda what, networks: None)
    networks = SimpleNamespace(modules={"network": module})
    keys = {"network": "net"}
    return SimpleNamespace(module=module, networks=networks, keys=keys, dataset=dataset, step=step, objective=objective)


@pytest.fixture(scope="module")
def cnn() -> SimpleNamespace:
    return trained(
        chain(
            ("Input", {"shape": (1, 8, 8)}),
            ("Conv2d", {"out_channels": 5, "kernel_size": 3}),
            ("BatchNorm2d", {}),
            ("ReLU", {}),
            ("Dropout", {}),
            ("Flatten", {}),
            ("Linear", {"out_features": 10}),
            ("Output", {}),
        ),
        "digits",
    )


@pytest.fixture(scope="module")
def mlp() -> SimpleNamespace:
    return trained(
        chain(
            ("Input", {"shape": (2,)}),
            ("Linear", {"out_features": 6}),
            ("Tanh", {}),
            ("Linear", {"out_features": 2}),
            ("Output", {}),
        ),
        "moons",
    )


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[set]]:
    calls: list[set] = []
    real = interpret.capture

    def counted(module, inputs, wanted):
        calls.append(set(wanted))
        return real(module, inputs, wanted)

    monkeypatch.setattr(interpret, "capture", counted)
    return calls


def test_nothing_is_computed_while_nobody_watches(cnn, captures):
    cnn_board = Board()
    cnn_board(cnn)
    assert captures == []
    watch = Watch("conv2d")
    cnn_board.watch(watch)
    cnn_board.unwatch(watch)
    cnn_board(cnn)
    assert captures == []
    assert cnn_board.latest(watch) is None


def test_one_pass_serves_all_wires(cnn, captures):
    board = Board()
    watches = [Watch("conv2d"), Watch("relu"), Watch("linear"), Watch("input", view="image"), Watch(view="prediction")]
    for watch in watches:
        board.watch(watch)
    board(cnn)
    assert len(captures) == 1
    maps = board.latest(watches[0])
    assert isinstance(maps, FeatureMaps)
    assert maps.maps.shape == (5, 6, 6)
    assert (maps.low, maps.high) == (maps.maps.min(), maps.maps.max())
    assert maps.step == 7
    assert isinstance(board.latest(watches[2]), Vector)
    image = board.latest(watches[3])
    assert isinstance(image, FeatureMaps)
    assert image.colors
    raw = cnn.dataset.validation.raw(torch.tensor([0]))["image"][0]
    assert image.maps == pytest.approx(raw.numpy(), abs=1e-6)


def test_looking_leaves_no_trace(cnn):
    board = Board()
    for view, node in (("maps", "conv2d"), ("histogram", "relu"), ("confusion", ""), ("prediction", "")):
        board.watch(Watch(node, view=view))
    cnn.module.train()
    cnn.module.get_submodule("dropout").eval()
    before = {n: b.clone() for n, b in cnn.module.state_dict().items()}
    modes = [m.training for m in cnn.module.modules()]
    state = torch.get_rng_state()
    board(cnn)
    assert board.problem == ""
    assert torch.equal(torch.get_rng_state(), state)
    assert [m.training for m in cnn.module.modules()] == modes
    assert all(torch.equal(b, before[n]) for n, b in cnn.module.state_dict().items())
    assert all(p.grad is None for p in cnn.module.parameters())
    assert torch.is_grad_enabled()


def test_the_chosen_example_wraps_around(cnn):
    board, watch = Board(), Watch(view="prediction")
    board.watch(watch)
    board.example = len(cnn.dataset.validation) + 2
    board(cnn)
    answer = board.latest(watch)
    assert isinstance(answer, Prediction)
    assert answer.index == 2
    assert answer.truth == cnn.dataset.target.classes[int(cnn.dataset.validation.labels()[2])]
    assert answer.scores.sum() == pytest.approx(1, abs=1e-5)
    assert answer.correct == (answer.truth == answer.answer)


def test_histogram_counts_every_activation(cnn):
    board, watch = Board(), Watch("relu", view="histogram")
    board.watch(watch)
    board(cnn)
    picture = board.latest(watch)
    assert isinstance(picture, Histogram)
    assert picture.counts.sum() == 32 * 5 * 6 * 6
    assert 0 < picture.zeros < 1


def test_confusion_is_that_of_the_validation_split(cnn):
    board, watch = Board(), Watch(view="confusion")
    board.watch(watch)
    board(cnn)
    picture = board.latest(watch)
    assert isinstance(picture, Confusion)
    cnn.module.eval()
    batch = cnn.dataset.validation.all()
    answered = cnn.module(batch["image"]).argmax(1)
    labels = cnn.dataset.validation.labels()
    assert picture.matrix.sum() == len(labels)
    assert picture.accuracy == pytest.approx(float((answered == labels).float().mean()))
    assert picture.matrix[3, 5] == int(((labels == 3) & (answered == 5)).sum())
    board(cnn)
    assert board.latest(watch) is picture, "counted again within a second"


def test_boundary_shows_the_network_in_the_units_of_the_data(mlp):
    board, whole, hidden = Board(), Watch(view="boundary"), Watch("linear", view="boundary")
    board.watch(whole)
    board.watch(hidden)
    board(mlp)
    picture = board.latest(whole)
    assert isinstance(picture, Boundary)
    assert picture.kind == "classes"
    assert picture.values.sum(axis=0) == pytest.approx(np.ones(picture.values.shape[1:]), abs=1e-5)
    x0, x1, y0, y1 = picture.extent
    assert x0 < picture.points[:, 0].min() < picture.points[:, 0].max() < x1
    assert y0 < picture.points[:, 1].min() < picture.points[:, 1].max() < y1
    corner = mlp.dataset.normalizer[mlp.dataset.inputs[0]].transform(torch.tensor([[x1, y0]]))
    expected = mlp.module(corner).softmax(1)[0, 1].item()
    assert picture.values[1, 0, -1] == pytest.approx(expected, abs=1e-4)
    neurons = board.latest(hidden)
    assert isinstance(neurons, Boundary)
    assert neurons.kind == "neurons"
    assert len(neurons.values) == 6


def test_regression_has_no_confusion_and_answers_in_its_own_units():
    net = chain(("Input", {"shape": (10,)}), ("Linear", {"out_features": 1}), ("Output", {}))
    trainer = trained(net, "diabetes", "regression")
    board = Board()
    for view in ("confusion", "prediction", "boundary"):
        board.watch(Watch(view=view))
    board(trainer)
    assert board.latest(Watch(view="confusion")) is None
    answer = board.latest(Watch(view="prediction"))
    assert isinstance(answer, Prediction)
    raw = trainer.dataset.validation.raw(torch.tensor([0]))[trainer.dataset.target.name]
    assert float(answer.truth) == pytest.approx(float(raw), rel=1e-3)
    assert answer.probability is None
    assert "two numbers" in board.problem


def test_a_picture_that_fails_is_a_sentence(cnn, monkeypatch):
    board, watch = Board(), Watch("conv2d")
    board.watch(watch)
    monkeypatch.setattr(interpret, "capture", lambda *a: 1 / 0)
    board(cnn)
    assert board.problem == "division by zero"
    monkeypatch.undo()
    board(cnn)
    assert board.problem == ""
    assert board.latest(watch) is not None


def test_a_layer_that_is_not_in_the_network_shows_nothing(cnn):
    board, watch = Board(), Watch("no_such_layer")
    board.watch(watch)
    board(cnn)
    assert board.latest(watch) is None
    assert board.problem == ""


def test_two_watchers_of_one_wire(cnn):
    board, watch = Board(), Watch("conv2d")
    board.watch(watch)
    board.watch(watch)
    board.unwatch(watch)
    board(cnn)
    assert board.latest(watch) is not None
    board.unwatch(watch)
    assert board.latest(watch) is None


def test_watching_from_another_thread_while_it_observes(cnn):
    board, stop = Board(), threading.Event()

    def toggle() -> None:
        while not stop.is_set():
            for name in ("conv2d", "relu", "linear"):
                board.watch(Watch(name))
            for name in ("conv2d", "relu", "linear"):
                board.unwatch(Watch(name))

    thread = threading.Thread(target=toggle)
    thread.start()
    for _ in range(30):
        board(cnn)
    stop.set()
    thread.join()
    assert board.problem == ""
    assert board.watched == frozenset()
    assert board._pictures == {}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([[2.0, 0.0]], [0.8808, 0.1192]),
        ([[0.25, 0.75]], [0.25, 0.75]),
        ([[-1.3863, -0.2877]], [0.25, 0.75]),
        ([[1.0986 * 2]], [0.1, 0.9]),
    ],
)
def test_probabilities_from_logits_probabilities_logarithms_and_one_logit(answer, expected):
    assert probabilities(torch.tensor(answer))[0].tolist() == pytest.approx(expected, abs=1e-3)
