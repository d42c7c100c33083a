"""PyTorch's own samples of every module: the same arguments and inputs give the same outputs when drawn.

A sample can be drawn if its inputs have a batch dimension and its arguments are numbers, words or weights; how many
that are is counted, so that a layer cannot drop out of this test unnoticed.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn
from torch.testing._internal.common_modules import ModuleInfo, ModuleInput, module_db

from deepgui.catalog.builtin import registry
from deepgui.catalog.coverage import coverage
from deepgui.catalog.introspect import _init_parameters
from deepgui.catalog.spec import LayerSpec, PortSpec, Value, freeze
from deepgui.compiler.build import build
from deepgui.compiler.report import Report, check
from deepgui.graph import edits
from deepgui.graph.values import Network, Wire


class NotDrawable(Exception):
    """Why a sample has no drawing."""


@dataclass
class Drawn:
    network: Network
    inputs: list[torch.Tensor]
    layer: str


RECURRENT = {"RNN", "GRU", "LSTM"}
BATCH_FIRST_OR_SECOND = (
    RECURRENT
    | {"MultiheadAttention", "Transformer", "TransformerEncoderLayer"}
    | {
        "TransformerDecoderLayer",
        "TransformerEncoder",
        "TransformerDecoder",
    }
)


def draw(spec: LayerSpec, sample: ModuleInput, cls: type[nn.Module], *, alone: bool) -> Drawn:
    """A network of the one layer. A sample that is ``alone`` has no batch dimension and gets one of size 1."""
    settings = _settings(spec, sample, cls)
    if alone and "batch_first" in settings:
        settings["batch_first"] = True
    tensors, calls = _forward(spec, sample, cls)
    network, layer = edits.add_node(Network("sample"), spec.kind, {**settings, **calls})
    inputs = []
    for port, tensor in tensors.items():
        place = _batch(spec, layer.params, port, tensor.dim() + alone)
        tensor = tensor.unsqueeze(place) if alone else tensor
        if tensor.dim() == 0:
            raise NotDrawable("no batch dimension")
        source, network, given = _input(network, tensor, place)
        network = edits.connect(network, Wire(source, "output", layer.id, port))
        inputs.append(given)
    for port in spec.active_outputs(layer.params):
        network, out = edits.add_node(network, "Output")
        network = edits.connect(network, Wire(layer.id, port.name, out.id, "input"))
    return Drawn(network, inputs, layer.id)


def _batch(spec: LayerSpec, params: Mapping[str, Value], port: str, dims: int) -> int:
    """Where a tensor has its batch dimension."""
    if spec.kind in RECURRENT and port in ("h_0", "c_0"):
        return 1
    second = spec.kind == "CTCLoss" or (spec.kind in BATCH_FIRST_OR_SECOND and not spec.value(params, "batch_first"))
    return 1 if second and dims == 3 else 0


def _settings(spec: LayerSpec, sample: ModuleInput, cls: type[nn.Module]) -> dict[str, Value]:
    given = sample.constructor_input
    names = [p.name for p in _init_parameters(cls)]
    said = {**dict(zip(names, given.args, strict=False)), **given.kwargs}
    for name in ("encoder_layer", "decoder_layer"):
        if name in said:
            said |= _of_layer(said.pop(name))
    settings: dict[str, Value] = {}
    # What the sample leaves to PyTorch is PyTorch's default, not ours.
    for param in spec.params:
        ours = not param.call and not param.required and param.default != param.torch_default
        if ours and param.name not in said and param.check(param.torch_default) is None:
            settings[param.name] = param.torch_default
    for name, value in said.items():
        if name in NOT_OF_THE_DRAWING:
            continue
        if not spec.has_param(name):
            raise NotDrawable(f"argument {name}")
        if isinstance(value, torch.Tensor) and spec.param(name).tensor:
            value = value.tolist()
        try:
            settings[name] = freeze(value)
        except TypeError:
            raise NotDrawable(f"argument {name} is a {type(value).__name__}") from None
    return settings


def _of_layer(layer: Any) -> dict[str, Any]:
    """The settings of a Transformer's layer, which is drawn together with the stack that takes it."""
    attention = layer.self_attn
    return {
        "d_model": attention.embed_dim,
        "nhead": attention.num_heads,
        "dim_feedforward": layer.linear1.out_features,
        "dropout": layer.dropout.p,
        "activation": layer.activation.__name__,
        "layer_norm_eps": layer.norm1.eps,
        "batch_first": attention.batch_first,
        "norm_first": layer.norm_first,
        "bias": layer.linear1.bias is not None,
    }


NOT_OF_THE_DRAWING = {"device", "dtype", "size_average", "reduce", "options", "_random_samples"}
"""Where it computes, deprecated words, and how a loss cuts its work into pieces."""


def _forward(
    spec: LayerSpec, sample: ModuleInput, cls: type[nn.Module]
) -> tuple[dict[str, torch.Tensor], dict[str, Value]]:
    given = sample.forward_input
    names = [n for n in inspect.signature(cls.forward).parameters if n != "self"]
    tensors: dict[str, torch.Tensor] = {}
    settings: dict[str, Value] = {}
    for name, value in {**dict(zip(names, given.args, strict=False)), **given.kwargs}.items():
        ports = [p for p in spec.inputs if (p.argument or p.name) == name]
        if value is None:
            continue
        if not ports:
            if not spec.has_param(name):
                raise NotDrawable(f"argument {name} of forward")
            settings[name] = freeze(value)
            continue
        for port, part in zip(ports, value if len(ports) > 1 else (value,), strict=True):
            tensors[port.name] = _tensor(port, part)
    return tensors, settings


def _tensor(port: PortSpec, value: Any) -> torch.Tensor:
    if isinstance(value, (int, list, tuple)):
        value = torch.tensor(value)
    if not isinstance(value, torch.Tensor):
        raise NotDrawable(f"{port.name} is a {type(value).__name__}")
    if value.is_nested or any(size == 0 for size in value.shape):
        raise NotDrawable(f"{port.name} is empty or nested")
    return value


def _input(network: Network, tensor: torch.Tensor, place: int) -> tuple[str, Network, torch.Tensor]:
    """An Input, and what brings its batch dimension to its place, or makes a row of numbers one of no dimensions."""
    given = tensor.movedim(place, 0)
    given = given.unsqueeze(1) if given.dim() == 1 else given
    params = {"shape": tuple(given.shape[1:]), "dtype": str(tensor.dtype).removeprefix("torch.")}
    network, node = edits.add_node(network, "Input", params)
    if given.shape == tensor.shape and place == 0:
        return node.id, network, given
    kind, settings = ("movedim", {"source": 0, "destination": place}) if place else ("squeeze", {"dim": 1})
    network, turned = edits.add_node(network, kind, settings)
    return turned.id, edits.connect(network, Wire(node.id, "output", turned.id, "input")), given


def _flat(result: Any) -> list[Any]:
    if isinstance(result, (tuple, list)):
        return [part for one in result for part in _flat(one)]
    return [] if result is None else [result]


def compare(spec: LayerSpec, sample: ModuleInput, cls: type[nn.Module], *, training: bool) -> None:
    """Raises NotDrawable, or AssertionError if the drawing computes something else."""
    drawn, report = _valid(spec, sample, cls)
    module = build(drawn.network, registry(), report).train(training)
    given, called = sample.constructor_input, sample.forward_input
    words = {k: v for k, v in given.kwargs.items() if k not in ("options", "_random_samples")}
    reference = cls(*given.args, **words).train(training)
    module.get_submodule(drawn.layer).load_state_dict(reference.state_dict())
    torch.manual_seed(5)
    expected = _flat(reference(*called.args, **called.kwargs))
    torch.manual_seed(5)
    found = _flat(module(*drawn.inputs))
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours.reshape(theirs.shape), theirs, equal_nan=True)


def _valid(spec: LayerSpec, sample: ModuleInput, cls: type[nn.Module]) -> tuple[Drawn, Report]:
    """The drawing; with a batch dimension of its own if the sample seems to have none."""
    complaint = ""
    for alone in (False, True):
        try:
            drawn = draw(spec, sample, cls, alone=alone)
        except NotDrawable as error:
            complaint = complaint or str(error)
            continue
        report = check(drawn.network, registry())
        if report.ok:
            return drawn, report
        complaint = complaint or f"{report.errors[0].message} {report.errors[0].reason}"
    raise NotDrawable(complaint)


AT_MOST = 5
"""Samples of a layer and mode; PyTorch has hundreds of some that differ in settings which do not touch each other."""

LEFT_OUT = coverage(registry()).left_out
CASES = [info for info in module_db if info.module_cls.__name__ not in LEFT_OUT]


def _samples(info: ModuleInfo, *, training: bool) -> list[ModuleInput]:
    every = list(info.module_inputs_func(info, "cpu", torch.float32, False, training))
    return random.Random(0).sample(every, min(len(every), AT_MOST))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("info", CASES, ids=lambda info: info.module_cls.__name__)
def test_a_drawn_layer_computes_what_pytorch_samples_say(info: ModuleInfo) -> None:
    cls = info.module_cls
    spec = registry()[cls.__name__]
    compared, reasons = 0, []
    for training in (True, False):
        for sample in _samples(info, training=training):
            try:
                compare(spec, sample, cls, training=training)
                compared += 1
            except NotDrawable as reason:
                reasons.append(str(reason))
    assert compared, reasons


def test_the_samples_are_about_most_of_the_catalogue() -> None:
    sampled = {info.module_cls.__name__ for info in CASES}
    assert len(sampled) > 100
    assert sampled <= registry().keys()
