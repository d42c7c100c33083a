"""Edits that make a drawing fit what it is to learn."""

from __future__ import annotations

import math
from collections.abc import Callable

from deepgui.catalog.spec import Value
from deepgui.graph import edits
from deepgui.graph.problems import Fix
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network
from deepgui.training.objectives.ending import ending


def set_out_features(network: Network, output: str, wanted: int) -> Fix:
    """The last Linear gives ``wanted`` numbers an example; if there is none, one is put before the Output."""
    linear = ending(network, output).linear
    if linear:
        label = network.nodes[linear].label
        return Fix(
            f"Set out_features of {label} to {wanted}",
            lambda net: edits.set_params(net, linear, {"out_features": wanted}),
        )
    return Fix(f"Insert Linear({wanted})", _before(output, "Linear", out_features=wanted))


def flatten(network: Network, output: str, wanted: int) -> Fix:
    """One vector an example: Flatten before the last Linear, or Flatten and a Linear before the Output."""
    linear = ending(network, output).linear
    if linear:
        return Fix(f"Insert Flatten before {network.nodes[linear].label}", _before(linear, "Flatten"))
    return Fix(f"Insert Flatten and Linear({wanted})", lambda net: _flat_linear(net, output, wanted))


def last_step(network: Network, output: str) -> Fix | None:
    """What a recurrent layer knows after the last step, in place of what it says at every one; None without one."""
    linear = ending(network, output).linear
    before = network.into(linear or output)
    if not before or network.nodes[before[0].source].kind not in ("LSTM", "GRU", "RNN"):
        return None
    label = network.nodes[before[0].source].label
    return Fix(f"Take the last step of {label}", _before(linear or output, "select", dim=1, index=-1))


def give_shape(network: Network, output: str, arriving: TensorType, shape: tuple[int, ...]) -> Fix | None:
    """What arrives at an Output gets the shape of an example; None where no single edit does that."""
    sizes = tuple(dim.const for dim in arriving.dims[1:])
    if len(sizes) == len(shape) == 3 and sizes[1:] == shape[1:]:
        return set_channels(network, output, shape[0])
    if len(sizes) != 1:
        return None
    if len(shape) == 1:
        return set_out_features(network, output, shape[0])
    if sizes[0] == math.prod(shape):
        return Fix("Insert Unflatten", _before(output, "Unflatten", dim=1, unflattened_size=shape))
    linear = set_out_features(network, output, math.prod(shape))
    unflatten = _before(output, "Unflatten", dim=1, unflattened_size=shape)
    return Fix(f"{linear.label} and insert Unflatten", lambda net: unflatten(linear.apply(net)))


def set_channels(network: Network, output: str, wanted: int) -> Fix:
    """The last convolution gives ``wanted`` channels; if there is none, one of 1×1 is put before the Output."""
    tail = ending(network, output).tail
    last = network.nodes[tail[-1]] if tail else None
    if last is not None and last.kind in ("Conv2d", "ConvTranspose2d"):
        id = last.id
        return Fix(
            f"Set out_channels of {last.label} to {wanted}",
            lambda net: edits.set_params(net, id, {"out_channels": wanted}),
        )
    return Fix(f"Insert Conv2d({wanted})", _before(output, "Conv2d", out_channels=wanted, kernel_size=1))


def _flat_linear(network: Network, output: str, wanted: int) -> Network:
    network = _before(output, "Flatten")(network)
    return _before(output, "Linear", out_features=wanted)(network)


def remove(network: Network, node: str) -> Fix:
    """Take a layer out, joining what it stood between."""
    return Fix(f"Remove {network.nodes[node].label}", lambda net: edits.heal_and_remove(net, (node,)))


def insert(output: str, kind: str, **params: Value) -> Fix:
    """Put a layer before the Output."""
    return Fix(f"Insert {kind}", _before(output, kind, **params))


def _before(node: str, kind: str, **params: Value) -> Callable[[Network], Network]:
    def apply(network: Network) -> Network:
        wires = network.into(node)
        return edits.insert_on_wire(network, wires[0], kind, params)[0] if wires else network

    return apply
