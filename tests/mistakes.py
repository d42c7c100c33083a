"""What people do wrong when they draw networks, by the problem that is then named; docs/problems.md is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from deepgui.builder import Network
from deepgui.compiler.catalogue import catalogue
from deepgui.compiler.report import check
from deepgui.graph import edits
from deepgui.graph.problems import Problem
from deepgui.graph.values import Wire
from deepgui.project.values import DataConfig, Project, TrainingConfig, main_key
from deepgui.training.preflight import preflight

Layer = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Mistake:
    """A project with one thing wrong.

    Attributes:
        code: the problem that is to be named, ``node.port`` where, ``expected`` and ``received`` in it.
        fixed: whether one click mends it.
    """

    what: str
    code: str
    project: Project
    node: str = ""
    port: str = ""
    expected: str = ""
    received: str = ""
    fixed: bool = True


MISTAKES: list[Mistake] = []

OTHERS = {
    "all-frozen": "every layer is frozen, so nothing would learn",
    "bad-expression": "an expression in a block that has no value, or none that fits; what is known there is listed",
    "bad-sharing": "a layer shares the weights of one that is not there, or that itself shares",
    "batch-norm-in-critic": "the gradient penalty is one of each example, but a layer mixes the examples of a batch",
    "cannot-repeat": "a block with more outputs than inputs is to be repeated",
    "crowded-cells": "a detector's grid is so coarse that many boxes share a cell",
    "dangling-wire": "a file has a wire that ends at no node or port",
    "data": "the data cannot be read: file, row and column are named",
    "device": "the device is not there, or does not know the precision",
    "earlier-drawing": "a training belongs to an earlier drawing",
    "endless-block": "a block contains itself",
    "expression-as-syntax": "an expression stands where Python source needs the value itself",
    "hidden-block": "a layer of the project is called like one of PyTorch",
    "loss-needs-shares": "a cross entropy compares values that are not within 0 to 1",
    "missing-extra": "a layer comes from a package that is not installed; the command that installs it is given",
    "missing-input": "a network that removes noise is not told how much there is",
    "missing-network": "an objective trains several networks, and the project has too few",
    "unknown-node": "a setting of an objective names a layer that is not there",
    "missing-outputs": "an objective needs more Outputs than are drawn",
    "name-clash": "layers of one's own use a name for different things",
    "no-examples": "the validation and test splits leave nothing to train on",
    "no-mask-token": "gaps are to be filled, but the vocabulary has no token for them",
    "no-network": "a network is asked for that the project does not have",
    "no-pictures": "an objective learns from pictures, and the data has none",
    "no-run": "there is no run at a place",
    "no-text": "an objective learns from text, and the data has none",
    "nothing-sampled": "nothing draws the code of a variational autoencoder",
    "nothing-to-wait-for": "a setting waits for a loss that says nothing here",
    "objective": "an objective and the data do not go together",
    "out-of-reach": "the last layer cannot reach all values that are to be learnt",
    "output-size": "the class of every pixel is to be learnt, but the Output has another number of pixels",
    "own-code": "a layer written in Python has not been trusted yet, or its code fails",
    "run-failed": "a training ended in an error",
    "run-under-way": "a living process trains this run",
    "small-vocabulary": "an Embedding has fewer rows than there are tokens",
    "teacher": "the run to learn from is not there, or knows other inputs or classes",
    "too-large": "sizes that PyTorch cannot count to, or weights that memory cannot hold",
    "too-many-wires": "a file has several wires at an input that takes one",
    "too-much-memory": "training would take more memory than the device has; the batch size that fits is offered",
    "unbound-input": "the data has no field left for an Input",
    "unknown-field": "an Input is bound to a field that the data does not have",
    "wrong-field": "a field that is no measured value is to be made",
    "wrong-target": "the objective cannot learn what the data has for a target",
}
"""Problems that need more than a drawing: a file, a machine, a run."""


def mistake(what: str, code: str, place: str, *texts: str, fixed: bool = True) -> Callable[[Callable[[], Any]], None]:
    """Register what a function draws; ``texts`` are parts of what was expected and received."""

    def take(draw: Callable[[], Any]) -> None:
        drawn = draw()
        project = drawn if isinstance(drawn, Project) else drawn.project()
        node, _, port = place.partition(".")
        expected, received = (*texts, "", "")[:2]
        MISTAKES.append(Mistake(what, code, project, node, port, expected, received, fixed))

    return take


def problems(made: Mistake, network: Any = None) -> tuple[Problem, ...]:
    """All that is said of the drawing, or of a changed one; with data, also of training it."""
    project = made.project if network is None else replace(made.project, networks={"network": network})
    registry = catalogue(project.blocks)
    if project.data.source or made.code == "no-data":
        return preflight(project, main_key(project), registry)
    return check(project.main, registry).problems


def chain(*layers: Layer) -> Network:
    """Layers one behind the other, from an Input to an Output."""
    net = Network("net")
    handle = None
    for kind, params in layers:
        handle = net.add(kind, *([handle] if handle is not None else []), **params)
    net.add("Output", handle)
    return net


def given(*shape: int, dtype: str = "float32") -> Layer:
    return "Input", {"shape": shape, "dtype": dtype}


def conv(channels: int, kernel: int = 3, **more: Any) -> Layer:
    return "Conv2d", {"out_channels": channels, "kernel_size": kernel, **more}


def linear(features: int, **more: Any) -> Layer:
    return "Linear", {"out_features": features, **more}


def simple(what: str, code: str, place: str, texts: tuple[str, str], *layers: Layer, fixed: bool = True) -> None:
    mistake(what, code, place, *texts, fixed=fixed)(lambda: chain(*layers))


RELU: Layer = ("ReLU", {})
POOL: Layer = ("MaxPool2d", {"kernel_size": 2})
TOKENS = given(40, dtype="int64")
EMBEDDING: Layer = ("Embedding", {"num_embeddings": 50, "embedding_dim": 8})

# --- shapes along a chain ------------------------------------------------------------------------------

simple(
    "Linear after a convolution without Flatten",
    "linear-on-picture",
    "linear.input",
    ("N×features", "N×8×26×26"),
    given(1, 28, 28),
    conv(8),
    RELU,
    linear(10),
)
simple(
    "wrong in_features",
    "size-mismatch",
    "linear.input",
    ("in_features = 100", "N×784"),
    given(784),
    linear(10, in_features=100),
)
simple(
    "wrong in_channels",
    "size-mismatch",
    "conv2d.input",
    ("in_channels = 1", "N×3×8×8"),
    given(3, 8, 8),
    conv(8, in_channels=1),
)
simple(
    "wrong number of slopes",
    "size-mismatch",
    "prelu.input",
    ("7", "N×7×8×8"),
    given(7, 8, 8),
    ("PReLU", {"num_parameters": 3}),
)
simple(
    "pictures with the channels last",
    "channels-last",
    "conv2d.input",
    ("N×3×28×28", "N×28×28×3"),
    given(28, 28, 3),
    conv(8),
)
simple("pictures without a channel", "wrong-dimensions", "conv2d.input", ("N×C×H×W", "N×28×28"), given(28, 28), conv(8))
simple("a vector into a convolution", "wrong-dimensions", "conv2d.input", ("N×C×H×W", "N×64"), given(64), conv(8))
simple(
    "BatchNorm1d on pictures",
    "wrong-dimensions",
    "batch_norm1d.input",
    ("N×C", "N×3×8×8"),
    given(3, 8, 8),
    ("BatchNorm1d", {}),
)
simple(
    "pictures into an LSTM",
    "wrong-dimensions",
    "lstm.input",
    ("N×L", "N×1×28×28"),
    given(1, 28, 28),
    ("LSTM", {"hidden_size": 8}),
)
simple(
    "a vector into an LSTM", "wrong-dimensions", "lstm.input", ("N×L", "N×40"), given(40), ("LSTM", {"hidden_size": 8})
)
simple(
    "pictures into a transformer",
    "wrong-dimensions",
    "transformer_encoder_layer.src",
    ("N×S×E", "N×4×8×8"),
    given(4, 8, 8),
    ("TransformerEncoderLayer", {"nhead": 2}),
)
simple(
    "bilinear upsampling of a sequence",
    "wrong-dimensions",
    "upsample.input",
    ("N×C×H×W", "N×3×8"),
    given(3, 8),
    ("Upsample", {"scale_factor": 2, "mode": "bilinear"}),
)
simple(
    "a kernel larger than the picture",
    "window-too-large",
    "conv2d.input",
    ("5×5", "N×1×4×4"),
    given(1, 4, 4),
    conv(2, 5),
)
simple(
    "pooled until nothing is left",
    "window-too-large",
    "max_pool2d_3.input",
    ("2×2", "N×1×1×1"),
    given(1, 4, 4),
    POOL,
    POOL,
    POOL,
)
simple(
    "normalising single pixels",
    "window-too-large",
    "instance_norm2d.input",
    ("more", "N×3×1×1"),
    given(3, 1, 1),
    ("InstanceNorm2d", {}),
)
simple(
    "more padding than a pooling takes",
    "padding-too-large",
    "max_pool2d.input",
    ("at most 1", "N×3×8×8"),
    given(3, 8, 8),
    ("MaxPool2d", {"kernel_size": 2, "padding": 2}),
)
simple(
    "padding same with a stride",
    "padding-too-large",
    "conv2d.input",
    ("number", "N×3×8×8"),
    given(3, 8, 8),
    conv(4, padding="same", stride=2),
)
simple(
    "output_padding as large as the stride",
    "padding-too-large",
    "conv_transpose2d.input",
    ("at most 1", "N×3×8×8"),
    given(3, 8, 8),
    ("ConvTranspose2d", {"out_channels": 4, "kernel_size": 3, "stride": 2, "output_padding": 2}),
)
simple(
    "reflecting more than there is",
    "padding-too-large",
    "reflection_pad2d.input",
    ("at most 3", "N×3×4×4"),
    given(3, 4, 4),
    ("ReflectionPad2d", {"padding": 5}),
)
simple("real numbers into an Embedding", "wrong-dtype", "embedding.input", ("int64", "N×40"), given(40), EMBEDDING)
simple(
    "whole numbers into a convolution",
    "wrong-dtype",
    "conv2d.input",
    ("float32", "int64"),
    given(1, 8, 8, dtype="int64"),
    conv(4),
)
simple(
    "a convolution over time right after an Embedding",
    "steps-and-features",
    "conv1d.input",
    ("N×8×40", "N×40×8"),
    TOKENS,
    EMBEDDING,
    ("Conv1d", {"out_channels": 4, "kernel_size": 3}),
)
simple(
    "an LSTM fed N×C×L",
    "steps-and-features",
    "lstm.input",
    ("N×38×8", "N×8×38"),
    given(3, 40),
    ("Conv1d", {"out_channels": 8, "kernel_size": 3}),
    RELU,
    ("LSTM", {"hidden_size": 8}),
)
simple(
    "batch_first set to False",
    "batch-as-time",
    "lstm.input",
    ("time first", "N×10×3"),
    given(10, 3),
    ("LSTM", {"hidden_size": 8, "batch_first": False}),
)

# --- numbers that do not go together ---------------------------------------------------------------------

simple(
    "heads that do not divide embed_dim",
    "not-divisible",
    "multihead_attention.query",
    ("divisor of 30", "4"),
    given(10, 30),
    ("MultiheadAttention", {"num_heads": 4}),
)
simple(
    "groups that do not divide the channels",
    "not-divisible",
    "conv2d.input",
    ("divisor of 3", "2"),
    given(3, 8, 8),
    conv(4, groups=2),
)
simple(
    "channels that PixelShuffle cannot spread",
    "not-divisible",
    "pixel_shuffle.input",
    ("multiple of 4", "N×6×8×8"),
    given(3, 8, 8),
    conv(6, padding=1),
    ("PixelShuffle", {"upscale_factor": 2}),
)
simple(
    "Unflatten with a wrong product",
    "wrong-count",
    "unflatten.input",
    ("64", "N×64"),
    given(64),
    ("Unflatten", {"dim": 1, "unflattened_size": (3, 5, 5)}),
)
simple(
    "reshape to another number of values",
    "wrong-count",
    "reshape.input",
    ("64", "N×4×16"),
    given(4, 16),
    ("reshape", {"shape": (-1, 10)}),
)
simple(
    "a projection as large as the state",
    "wrong-count",
    "lstm.input",
    ("below 4", "N×5×3"),
    given(5, 3),
    ("LSTM", {"hidden_size": 4, "proj_size": 4}),
)
simple(
    "the batch size as a number in reshape",
    "fixed-batch",
    "reshape.input",
    ("(-1, 64)", "N×4×16"),
    given(4, 16),
    ("reshape", {"shape": (32, 64)}),
)
simple(
    "a dimension that is not there",
    "no-such-dimension",
    "softmax.input",
    ("-2 to 1", "N×7"),
    given(7),
    ("Softmax", {"dim": 2}),
)
simple(
    "permute with too many dimensions",
    "no-such-dimension",
    "permute.input",
    ("0 to 2", "N×4×16"),
    given(4, 16),
    ("permute", {"dims": (0, 3, 1, 2)}),
)
simple(
    "a place that is not there",
    "no-such-place",
    "select.input",
    ("-5 to 4", "N×5×8"),
    given(5, 8),
    ("select", {"dim": 1, "index": 9}),
)
simple(
    "Flatten from dimension 0",
    "batch-mixed",
    "flatten.input",
    ("N×…", "N×4×16"),
    given(4, 16),
    ("Flatten", {"start_dim": 0}),
)
simple(
    "a reshape that eats the batch",
    "batch-mixed",
    "output.input",
    ("N×…", "4N×16"),
    given(4, 16),
    ("reshape", {"shape": (-1, 16)}),
)
simple(
    "the mean over the batch",
    "batch-lost",
    "output.input",
    ("N×…", "8"),
    given(8),
    ("mean", {"dim": (0,)}),
    fixed=False,
)
simple(
    "a permuted batch",
    "batch-not-first",
    "output.input",
    ("N×…", "4×N×16"),
    given(4, 16),
    ("permute", {"dims": (1, 0, 2)}),
)


# --- branches that meet ------------------------------------------------------------------------------------


def skip(**params: Any) -> Network:
    net = Network("net")
    x = net.add("Input", shape=(8, 16, 16))
    net.add("Output", net.add("add", net.add("Conv2d", x, **{"kernel_size": 3, "padding": 1, **params}), x))
    return net


mistake("a skip connection to other channels", "shapes-differ", "add.other", "N×16×16×16", "N×8×16×16")(
    lambda: skip(out_channels=16)
)
mistake("a skip connection past a stride", "shapes-differ", "add.other", "N×8×8×8", "N×8×16×16")(
    lambda: skip(out_channels=8, stride=2)
)
mistake("a skip connection past a lost border", "shapes-differ", "add.other", "N×8×14×14", "N×8×16×16")(
    lambda: skip(out_channels=8, padding=0)
)


@mistake("a skip connection between vectors of other sizes", "shapes-differ", "add.other", "N×5", "N×8")
def _() -> Network:
    net = Network("net")
    x = net.add("Input", shape=(8,))
    net.add("Output", net.add("add", net.add("Linear", x, out_features=5), x))
    return net


@mistake("cat along the wrong dimension", "shapes-differ", "cat.tensors", "along dim 2", "N×4×16×16")
def _() -> Network:
    net = Network("net")
    x = net.add("Input", shape=(8, 16, 16))
    net.add("Output", net.add("cat", x, net.add("Conv2d", x, out_channels=4, kernel_size=1), dim=2))
    return net


@mistake("ConvTranspose2d gives 16 where 15 went in", "shapes-differ", "cat.tensors", "N×8×15×15", "N×8×16×16")
def _() -> Network:
    net = Network("net")
    x = net.add("Input", shape=(8, 15, 15))
    down = net.add("Conv2d", x, out_channels=8, kernel_size=3, padding=1, stride=2)
    up = net.add("ConvTranspose2d", net.add("ReLU", down), out_channels=8, kernel_size=2, stride=2)
    net.add("Output", net.add("cat", x, up, dim=1))
    return net


@mistake("attention without a transpose", "shapes-differ", "matmul.other", "8", "N×4×8")
def _() -> Network:
    net = Network("net")
    x, y = net.add("Input", shape=(4, 8)), net.add("Input", shape=(4, 8))
    net.add("Output", net.add("matmul", x, y))
    return net


# --- what an expert would remark on ------------------------------------------------------------------------

simple(
    "no activation between two layers",
    "no-activation",
    "linear_2.input",
    ("activation", "linear"),
    given(8),
    linear(16),
    linear(3),
)
simple("an activation twice", "activation-twice", "relu_2.input", ("weights", "ReLU"), given(8), linear(4), RELU, RELU)
simple(
    "Softmax between layers",
    "softmax-inside",
    "softmax",
    ("ReLU", "Softmax"),
    given(8),
    linear(16),
    ("Softmax", {"dim": 1}),
    linear(3),
)
simple(
    "a deep chain of Sigmoids",
    "saturating-chain",
    "sigmoid",
    ("ReLU", "5"),
    given(8),
    *[linear(8), ("Sigmoid", {})] * 5,
    linear(3),
)
simple(
    "bias before batch normalisation",
    "bias-before-norm",
    "conv2d",
    ("False", "True"),
    given(3, 8, 8),
    conv(4),
    ("BatchNorm2d", {}),
)
simple(
    "dropout after the last layer",
    "dropout-at-end",
    "dropout",
    ("before", "after"),
    given(8),
    linear(3),
    ("Dropout", {}),
)
simple(
    "dropout of everything", "dropout-of-all", "dropout", ("below 1", "1"), given(8), ("Dropout", {"p": 1.0}), linear(3)
)
simple(
    "dropout inside a single LSTM layer",
    "dropout-without-effect",
    "lstm",
    ("2 or more", "1"),
    given(5, 8),
    ("LSTM", {"hidden_size": 4, "dropout": 0.3}),
)
simple(
    "Dropout behind SELU",
    "unusual-dropout",
    "dropout.input",
    ("AlphaDropout", "Dropout"),
    given(8),
    linear(8),
    ("SELU", {}),
    ("Dropout", {}),
    linear(3),
)


@mistake("two tables of zeros multiplied", "dead-weights", "parameter", "0", "zeros")
def _() -> Network:
    net = Network("net")
    a, b = net.add("Parameter", shape=(8, 2), init="zeros"), net.add("Parameter", shape=(2, 8), init="zeros")
    net.add("Output", net.add("matmul", net.add("Input", shape=(8,)), net.add("matmul", a, b)))
    return net


# --- the drawing itself -------------------------------------------------------------------------------------


@mistake("a branch that leads nowhere", "unused-output", "relu")
def _() -> Network:
    net = Network("net")
    x = net.add("Input", shape=(8,))
    net.add("ReLU", net.add("Linear", x, out_features=4))
    net.add("Output", net.add("Linear", x, out_features=3))
    return net


@mistake("no Output", "no-output", "")
def _() -> Network:
    net = Network("net")
    net.add("Linear", net.add("Input", shape=(8,)), out_features=3)
    return net


@mistake("no Input", "no-input", "", fixed=False)
def _() -> Network:
    net = Network("net")
    net.add("Output", net.add("Linear", in_features=8, out_features=3))
    return net


@mistake("an input without a wire", "unconnected-input", "add.other", fixed=False)
def _() -> Network:
    net = Network("net")
    net.add("Output", net.add("add", net.add("Input", shape=(8,))))
    return net


@mistake("nothing drawn yet", "empty", "", fixed=False)
def _() -> Network:
    return Network("net")


def edited(net: Network, change: Callable[[Any], Any]) -> Project:
    project = net.project()
    return Project("net", {"network": change(project.main)}, project.data, project.training, "", project.blocks)


@mistake("a parameter of the wrong type", "bad-parameter", "linear", "", "3")
def _() -> Project:
    return edited(chain(given(8), linear(2)), lambda n: edits.set_params(n, "linear", {"bias": 3}))


@mistake("a misspelt parameter", "unknown-parameter", "linear")
def _() -> Project:
    return edited(chain(given(8), linear(2)), lambda n: edits.set_params(n, "linear", {"units": 3}))


@mistake("a parameter not set", "missing-parameter", "linear", fixed=False)
def _() -> Project:
    return edited(chain(given(8), linear(2)), lambda n: edits.unset_param(n, "linear", "out_features"))


@mistake("a wire that leads back", "cycle", "cat")
def _() -> Project:
    net = chain(given(8), ("cat", {}), RELU)
    return edited(net, lambda n: edits.append_wire(n, "relu", "output", "cat", "tensors"))


def _of_kind(network: Any, node: str, kind: str) -> Any:
    return replace(network, nodes={**network.nodes, node: replace(network.nodes[node], kind=kind)})


@mistake("a misspelt layer", "unknown-kind", "linear", fixed=False)
def _() -> Project:
    return edited(chain(given(8), linear(2)), lambda n: _of_kind(n, "linear", "Liner"))


@mistake("two layers of one name", "same-name", "tanh")
def _() -> Project:
    net = chain(given(8), RELU, ("Tanh", {}))
    return edited(net, lambda n: replace(n, nodes={**n.nodes, "tanh": replace(n.nodes["tanh"], name="relu")}))


# --- the drawing and the data: what stands against training --------------------------------------------------


def learning(what: str, code: str, place: str, texts: tuple[str, str], net: Network, **settings: Any) -> None:
    """A mistake that shows with data: ``data`` and ``loss`` beside the settings of the training."""
    fixed, source = settings.pop("fixed", True), settings.pop("data", "digits")
    if "loss" in settings:
        settings["objective_options"] = {"loss": settings.pop("loss")}
    project = net.project(data=DataConfig(source), training=TrainingConfig(**settings))
    mistake(what, code, place, *texts, fixed=fixed)(lambda: project)


FLAT: Layer = ("Flatten", {})
DIGIT = given(1, 8, 8)

learning(
    "Softmax before CrossEntropyLoss",
    "extra-activation",
    "softmax",
    ("", ""),
    chain(DIGIT, FLAT, linear(10), ("Softmax", {"dim": 1})),
)
learning(
    "Sigmoid before CrossEntropyLoss",
    "extra-activation",
    "sigmoid",
    ("", ""),
    chain(DIGIT, FLAT, linear(10), ("Sigmoid", {})),
)
learning("ReLU before CrossEntropyLoss", "extra-activation", "relu", ("", ""), chain(DIGIT, FLAT, linear(10), RELU))
learning(
    "the wrong number of classes", "output-classes", "output.input", ("N×10", "N×7"), chain(DIGIT, FLAT, linear(7))
)
learning(
    "a class for every step instead of one for the sequence",
    "output-shape",
    "output.input",
    ("N×10", "N×8×10"),
    chain(DIGIT, ("squeeze", {"dim": 1}), ("LSTM", {"hidden_size": 16}), linear(10)),
)
learning(
    "a regression with two columns for one number",
    "output-shape",
    "output.input",
    ("N×1", "N×2"),
    chain(given(10), linear(2)),
    data="diabetes",
    objective="regression",
)
learning(
    "BCEWithLogitsLoss for ten classes",
    "loss-needs-two-classes",
    "",
    ("2 classes", "10"),
    chain(DIGIT, FLAT, linear(1)),
    loss="BCEWithLogitsLoss",
    fixed=False,
)
learning(
    "NLLLoss without LogSoftmax",
    "loss-needs-log-softmax",
    "output",
    ("", ""),
    chain(DIGIT, FLAT, linear(10)),
    loss="NLLLoss",
)
learning(
    "an Input of another shape than the data",
    "input-shape",
    "input.output",
    ("N×1×8×8", "N×1×28×28"),
    chain(given(1, 28, 28), FLAT, linear(10)),
)
learning(
    "a batch larger than the data",
    "large-batch",
    "",
    ("at most", "5000"),
    chain(DIGIT, FLAT, linear(10)),
    batch_size=5000,
    fixed=False,
)
learning(
    "batch normalisation of single examples",
    "single-example-batch",
    "batch_norm1d",
    ("2", "1"),
    chain(DIGIT, FLAT, linear(10, bias=False), ("BatchNorm1d", {})),
    batch_size=1,
    fixed=False,
)
learning("no data chosen", "no-data", "", ("", ""), chain(DIGIT, FLAT, linear(10)), data="", fixed=False)
learning(
    "nothing that could learn",
    "nothing-to-learn",
    "",
    ("", ""),
    chain(DIGIT, FLAT, ("slice", {"index": ":, :10"})),
    fixed=False,
)


def _second_output(network: Any) -> Any:
    network, node = edits.add_node(network, "Output")
    return network, Wire("linear", "output", node.id, "input")


@mistake("two Outputs where one is expected", "several-outputs", "output_2", "1 Output", "2 Outputs")
def _() -> Project:
    net = chain(DIGIT, FLAT, linear(10))
    project = edited(net, lambda n: edits.connect(*_second_output(n)))
    return replace(project, data=DataConfig("digits"))


@mistake("weights shared by layers of other sizes", "unlike-sharing", "linear_2", "4", "6")
def _() -> Network:
    net = Network("net")
    first = net.add("Linear", net.add("Input", shape=(4,)), out_features=6, name="first")
    net.add("Output", net.add("Linear", net.add("ReLU", first), out_features=6, shares=first, name="second"))
    return net


simple(
    "a size that depends on the batch",
    "no-size",
    "linear.input",
    ("fixed", "64N"),
    given(4, 16),
    ("Flatten", {"start_dim": 0}),
    linear(3),
    fixed=False,
)
simple(
    "what PyTorch refuses for a reason of its own",
    "refused",
    "fold.input",
    ("", "N×5×9"),
    given(5, 9),
    ("Fold", {"output_size": 4, "kernel_size": 2}),
    fixed=False,
)
learning(
    "a misspelt optimiser",
    "bad-setting",
    "",
    ("Adam", "Adamm"),
    chain(DIGIT, FLAT, linear(10)),
    optimizer="Adamm",
    fixed=False,
)
learning(
    "Muon for weights that are no matrix",
    "optimizer-does-not-suit",
    "linear",
    ("", ""),
    chain(DIGIT, FLAT, linear(10)),
    optimizer="Muon",
    fixed=False,
)

# --- graphs --------------------------------------------------------------------------------------------


def _pooled(*, own_edges: bool = True, own_batch: bool = True, attributes: bool = False) -> Network:
    """Some nodes are chosen, and another layer looks at what is left."""
    net = Network("net")
    x, edges = net.add("Input", shape=(5,)), net.add("Input", shape=(2,), dtype="int64", per="edge_index")
    batch = net.add("Input", shape=(), dtype="int64")
    chosen = net.add("TopKPooling", x, edges, batch=batch)
    more = {"edge_attr": chosen["edge_attr"]} if attributes else {}
    left = chosen["edge_index"] if own_edges else edges
    x = net.add("GATConv", chosen["x"], left, out_channels=4, name="conv", **more)
    x = net.add("global_mean_pool", x, chosen["batch"] if own_batch else batch, name="pool")
    net.add("Output", net.add("Linear", x, out_features=3))
    return net


@mistake("edges of the graph before its nodes were chosen", "other-graph", "gatconv.edge_index", "2×E1", "2×E")
def _() -> Network:
    return _pooled(own_edges=False)


@mistake("graph numbers of the nodes before some were chosen", "other-graph", "global_mean_pool.batch", "N1", "N")
def _() -> Network:
    return _pooled(own_batch=False)


@mistake(
    "features of edges that never came in",
    "nothing-comes-out",
    "topkpooling.edge_attr",
    "E×features",
    "nothing",
    fixed=False,
)
def _() -> Network:
    return _pooled(attributes=True)
