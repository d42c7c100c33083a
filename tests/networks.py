"""Random networks, edits and projects for property tests, and a small registry to lint against."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import Infer, LayerSpec, ParamSpec, PortSpec, Registry, Value
from deepgui.graph import edits
from deepgui.graph.values import Block, Network, Point, Wire
from deepgui.project.values import DataConfig, Project, TrainingConfig

REGISTRY = Registry(
    [
        LayerSpec("Input", "", "input", "Ends", params=(ParamSpec("shape", "ints", required=True, default=(1,)),)),
        LayerSpec("Output", "", "output", "Ends", inputs=(PortSpec("input"),), outputs=()),
        LayerSpec(
            "Linear",
            "torch.nn.Linear",
            "module",
            "Linear",
            inputs=(PortSpec("input"),),
            params=(
                ParamSpec("in_features", "int", required=True, infer=Infer("input", -1), minimum=1),
                ParamSpec("out_features", "int", required=True, default=16, minimum=1),
                ParamSpec("bias", "bool", default=True, torch_default=True),
            ),
        ),
        LayerSpec("ReLU", "torch.nn.ReLU", "module", "Activation", inputs=(PortSpec("input"),)),
        LayerSpec("add", "torch.add", "function", "Arithmetic", inputs=(PortSpec("input"), PortSpec("other"))),
        LayerSpec("cat", "torch.cat", "function", "Joining", inputs=(PortSpec("tensors", variadic=True),)),
        LayerSpec(
            "LSTM",
            "torch.nn.LSTM",
            "module",
            "Recurrent",
            inputs=(PortSpec("input"), PortSpec("h_0", optional=True)),
            outputs=(PortSpec("output"), PortSpec("h_n", path=(1, 0))),
        ),
    ]
)
KINDS = [*REGISTRY, "Unheard", "Lambda"]
PORTS = ["input", "output", "other", "tensors", "h_n"]
IDS = st.integers(0, 30)

names = st.one_of(st.sampled_from(["", " ", "class", "My layer", "conv2d", "linear", "x_2", "ü"]), st.text(max_size=8))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=8),
)
param_values: st.SearchStrategy[Value] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6
)
identifiers = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True).filter(edits.is_identifier)
params = st.dictionaries(identifiers, param_values, max_size=3)
coordinates = st.floats(-1e6, 1e6).map(lambda x: x + 0.0)  # a file has no -0
points = st.builds(Point, coordinates, coordinates)

Edit = Callable[[Network], Network]


def _node(network: Network, number: int) -> str:
    return list(network.nodes)[number % len(network.nodes)]


def _wire(network: Network, number: int) -> Wire:
    return network.wires[number % len(network.wires)]


def _on_nodes(change: Callable[..., Network]) -> Callable[..., Network]:
    """``change(network, node, ...)`` for a network that may have no node: then nothing happens."""
    return lambda network, number, *rest: change(network, _node(network, number), *rest) if network.nodes else network


def _on_wires(change: Callable[..., Network]) -> Callable[..., Network]:
    return lambda network, number, *rest: change(network, _wire(network, number), *rest) if network.wires else network


def _connected(network: Network, source: int, output: str, target: int, input: str, index: int) -> Network:
    if not network.nodes:
        return network
    return edits.connect(network, Wire(_node(network, source), output, _node(network, target), input, index))


def _appended(network: Network, source: int, output: str, target: int, input: str) -> Network:
    if not network.nodes:
        return network
    return edits.append_wire(network, _node(network, source), output, _node(network, target), input)


def _some(network: Network, numbers: list[int]) -> list[str]:
    return [_node(network, n) for n in numbers] if network.nodes else []


_CHANGES: dict[str, tuple[Callable[..., Network], tuple[st.SearchStrategy[Any], ...]]] = {
    "add_node": (
        lambda n, kind, p, name, at: edits.add_node(n, kind, p, name=name, at=at)[0],
        (st.sampled_from(KINDS), params, names, st.none() | points),
    ),
    "connect": (_connected, (IDS, st.sampled_from(PORTS), IDS, st.sampled_from(PORTS), st.integers(-1, 4))),
    "append_wire": (_appended, (IDS, st.sampled_from(PORTS), IDS, st.sampled_from(PORTS))),
    "remove_nodes": (
        lambda n, numbers: edits.remove_nodes(n, _some(n, numbers)),
        (st.lists(IDS, max_size=2),),
    ),
    "heal": (
        lambda n, numbers: edits.heal_and_remove(n, _some(n, numbers)),
        (st.lists(IDS, max_size=3),),
    ),
    "disconnect": (_on_wires(lambda n, wire: edits.disconnect(n, (wire,))), (IDS,)),
    "set_params": (_on_nodes(edits.set_params), (IDS, params)),
    "unset_param": (
        _on_nodes(lambda n, node, k: edits.unset_param(n, node, next(iter(n.nodes[node].params), k))),
        (IDS, names),
    ),
    "rename_node": (_on_nodes(edits.rename_node), (IDS, names)),
    "rename_network": (edits.rename_network, (names,)),
    "move": (_on_nodes(lambda n, node, at: edits.move(n, {node: at, "nobody": at})), (IDS, points)),
    "paste": (
        lambda n, numbers: edits.paste(n, edits.excerpt(n, _some(n, numbers)))[0],
        (st.lists(IDS, max_size=4),),
    ),
    "insert": (
        _on_wires(lambda n, wire, kind: edits.insert_on_wire(n, wire, kind)[0]),
        (IDS, st.sampled_from(KINDS)),
    ),
    "splice": (
        lambda n, node, wire: edits.splice(n, _node(n, node), _wire(n, wire)) if n.wires else n,
        (IDS, IDS),
    ),
}


@st.composite
def edit(draw: st.DrawFn) -> Edit:
    """One edit with random arguments, applicable to any network."""
    name = draw(st.sampled_from(list(_CHANGES)))
    change, arguments = _CHANGES[name]
    values = [draw(argument) for argument in arguments]

    def apply(network: Network) -> Network:
        return change(network, *values)

    apply.__name__ = f"{name}{tuple(values)}"
    return apply


edit_lists = st.lists(edit(), max_size=25)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A network as a user may leave it: anything that edits can make."""
    network = Network(draw(identifiers))
    for change in draw(edit_lists):
        network = change(network)
    return network


settings_of = st.dictionaries(st.text(max_size=6), param_values, max_size=2)
data_configs = st.builds(
    DataConfig,
    source=st.text(max_size=6),
    options=settings_of,
    inputs=st.dictionaries(identifiers, st.text(max_size=6), max_size=2),
    validation=st.floats(0, 1),
    seed=st.integers(0, 2**64),
)
training_configs = st.builds(
    TrainingConfig,
    optimizer_options=settings_of,
    epochs=st.integers(0, 1000),
    max_steps=st.none() | st.integers(0, 1000),
    clip_grad_norm=st.none() | st.floats(0, 10) | st.integers(0, 10),
    restore_best=st.booleans(),
)
expressions = st.sampled_from(["width", "4 * width", "width if index == 0 else 2", "not skip", "(width, 1)"]).map(Expr)


@st.composite
def drawings(draw: st.DrawFn) -> Network:
    """A network with what only blocks are likely to have: expressions, bypassed and sharing nodes."""
    network = draw(networks())
    for node in network.nodes:
        if draw(st.booleans()):
            network = edits.set_params(network, node, {draw(identifiers): draw(expressions)})
        if draw(st.booleans()):
            network = edits.bypass(network, node, draw(st.booleans() | expressions))
        network = edits.share(network, node, draw(st.sampled_from(["", *network.nodes])))
    return network


block_params = st.builds(
    ParamSpec,
    name=identifiers.filter(lambda name: name not in ("repeat", "index")),
    type=st.sampled_from(["int", "float", "bool", "str", "choice", "ints", "literal"]),
    default=param_values,
    minimum=st.none() | st.integers(-5, 5),
    nullable=st.booleans(),
    choices=st.lists(st.text(max_size=4), max_size=2).map(tuple),
    doc=st.text(max_size=8),
)
block_values = st.builds(
    Block,
    network=drawings(),
    params=st.lists(block_params, max_size=2, unique_by=lambda p: p.name).map(tuple),
    summary=st.text(max_size=8),
    category=st.text(max_size=8),
)
projects = st.builds(
    Project,
    name=st.text(max_size=8),
    networks=st.dictionaries(identifiers, networks() | drawings(), max_size=2),
    blocks=st.dictionaries(identifiers, block_values, max_size=2),
    data=data_configs,
    training=training_configs,
    notes=st.text(max_size=30),
)


def assert_sound(network: Network) -> None:
    """What holds for every network that edits have made."""
    slots: dict[tuple[str, str], list[int]] = {}
    for wire in network.wires:
        assert wire.source in network.nodes
        assert wire.target in network.nodes
        slots.setdefault((wire.target, wire.input), []).append(wire.index)
    for taken in slots.values():
        assert sorted(taken) == list(range(len(taken)))
    assert network.layout.keys() <= network.nodes.keys()
    assert all(math.isfinite(c) for point in network.layout.values() for c in point)
    for id, node in network.nodes.items():
        assert node.id == id
        assert edits.is_identifier(id)
        assert edits.is_identifier(node.label)
    labels = [node.label for node in network.nodes.values()]
    assert len(set(labels)) == len(labels)
    assert edits.is_identifier(network.name)
