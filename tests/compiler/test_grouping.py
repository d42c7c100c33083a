"""Making blocks of random selections and taking them apart changes nothing that a network computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import deepgui
from deepgui.catalog.expr import Expr
from deepgui.compiler.build import build
from deepgui.compiler.catalogue import catalogue
from deepgui.compiler.report import check
from deepgui.compiler.source import to_python
from deepgui.graph import blocks, edits, grouping
from deepgui.graph.values import Block, Network, Wire
from deepgui.project import file
from deepgui.project.values import Project

WIDTH = 6
few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def networks(draw: Any, least: int = 2, largest: int = 14) -> Network:
    """A network of layers that keep N×6, with branches, joins and sums."""
    network, node = edits.add_node(Network("random"), "Input", {"shape": (WIDTH,)})
    ends = [node.id]
    for _ in range(draw(st.integers(least, largest))):
        kind = draw(st.sampled_from(["Linear", "Tanh", "LayerNorm", "add", "cat"]))
        feeds = [ends[draw(st.integers(max(0, len(ends) - 4), len(ends) - 1))] for _ in range(2)]
        if kind == "cat":
            network, joined = edits.add_node(network, "cat", {"dim": 1})
            for feed in feeds:
                network = edits.append_wire(network, feed, "output", joined.id, "tensors")
            network, node = edits.add_node(network, "Linear", {"out_features": WIDTH})
            network = edits.connect(network, Wire(joined.id, "output", node.id, "input"))
        else:
            params = {"Linear": {"out_features": WIDTH}, "LayerNorm": {"normalized_shape": WIDTH}}.get(kind, {})
            network, node = edits.add_node(network, kind, params)
            network = edits.connect(network, Wire(feeds[0], "output", node.id, "input"))
            if kind == "add":
                network = edits.connect(network, Wire(feeds[1], "output", node.id, "other"))
        ends.append(node.id)
    network, out = edits.add_node(network, "Output")
    network = edits.connect(network, Wire(ends[-1], "output", out.id, "input"))
    for loose in [i for i in ends if not network.out_of(i)]:
        network, extra = edits.add_node(network, "Output")
        network = edits.connect(network, Wire(loose, "output", extra.id, "input"))
    return network


def filled(module: torch.nn.Module) -> torch.nn.Module:
    """Weights that depend on nothing but their shape, so that names and order do not matter."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.linspace(-0.4, 0.6, parameter.numel()).reshape(parameter.shape))
    return module.eval()


def computed(network: Network, known: Mapping[str, Block]) -> list[torch.Tensor]:
    registry = catalogue(known)
    report = check(network, registry)
    assert report.ok, report.errors
    inputs = torch.linspace(-1, 1, 5 * WIDTH).reshape(5, WIDTH)
    results = []
    namespace: dict[str, Any] = {}
    exec(to_python(network, registry, report), namespace)
    for module in (build(network, registry, report), namespace["Random"]()):
        found = filled(module)(inputs)
        results.append(torch.cat(found if isinstance(found, tuple) else (found,), 1))
    torch.testing.assert_close(results[0], results[1], rtol=0, atol=0)
    module = filled(build(network, registry, report))
    found = torch.fx.Interpreter(module).run(inputs)  # type: ignore[arg-type]
    torch.testing.assert_close(torch.cat(found if isinstance(found, tuple) else (found,), 1), results[0])
    again = file.from_text(file.to_text(Project("random", {"network": network}, blocks=dict(known))))
    assert (again.main, again.blocks) == (network, known)
    return results[:1]


@st.composite
def grouped(draw: Any) -> tuple[Network, Network, dict[str, Block], list[str]]:
    """A network, and the same with some of it in blocks, blocks in blocks among them."""
    network = draw(networks())
    outer, known, made = network, {}, []
    for number in range(draw(st.integers(1, 3))):
        inner = [n.id for n in outer.nodes.values() if n.kind not in ("Input", "Output")]
        chosen = draw(st.sets(st.sampled_from(inner), min_size=1, max_size=6))
        try:
            block, outer, use = grouping.make_block(outer, chosen, f"Part{number}")
        except grouping.GroupingError:
            continue
        known[f"Part{number}"] = block
        made.append(use)
    assume(known)
    return network, outer, known, made


@given(grouped())
@few
def test_blocks_compute_what_their_layers_did(case: tuple[Network, Network, dict[str, Block], list[str]]) -> None:
    network, outer, known, _ = case
    torch.testing.assert_close(computed(outer, known), computed(network, {}))


@given(grouped())
@few
def test_taking_all_blocks_apart_gives_the_network_back(
    case: tuple[Network, Network, dict[str, Block], list[str]],
) -> None:
    network, outer, known, _ = case
    registry = catalogue(known)
    while uses := [n.id for n in outer.nodes.values() if n.kind in known]:
        outer, made = grouping.ungroup(outer, uses[0], registry)
        assert set(made) <= outer.nodes.keys()
    assert sorted(n.kind for n in outer.nodes.values()) == sorted(n.kind for n in network.nodes.values())
    assert len(outer.wires) == len(network.wires)
    torch.testing.assert_close(computed(outer, {}), computed(network, {}))


@st.composite
def repeated(draw: Any) -> tuple[Network, dict[str, Block]]:
    """Hundreds of layers, some in blocks, and of these some several times in a row."""
    network, known = draw(networks(least=120, largest=250)), {}
    for number in range(6):
        inner = [n.id for n in network.nodes.values() if n.kind not in ("Input", "Output", "cat")]
        start = draw(st.integers(0, len(inner) - 1))
        try:
            block, network, use = grouping.make_block(
                network, inner[start : start + draw(st.integers(1, 8))], f"Part{number}"
            )
        except grouping.GroupingError:
            continue
        known[f"Part{number}"] = block
        ports = len(block.network.of_kind("Input")), len(block.network.of_kind("Output"))
        if ports[0] >= ports[1] and draw(st.booleans()):
            network = edits.set_params(network, use, {"repeat": draw(st.integers(1, 3))})
    return network, known


@given(repeated())
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # making hundreds of layers fewer takes minutes
)
def test_large_networks_with_blocks_in_rows_agree_however_they_are_run(case: tuple[Network, dict[str, Block]]) -> None:
    network, known = case
    assert torch.isfinite(computed(network, known)[0]).all()


def expanding() -> deepgui.Block:
    block = deepgui.Block("Expand", width=6, factor=2)
    x = block.add("Input")
    h = block.add("Linear", x, out_features="=factor * width", name="up")
    block.add("Output", block.add("Linear", block.add("Tanh", h), out_features="=width", name="down"))
    return block


def test_a_row_is_taken_apart_into_its_copies_with_their_numbers() -> None:
    net = deepgui.Network("random")
    x = net.add("Input", shape=(6,))
    net.add("Output", net.add(expanding(), x, repeat=3, factor="=index + 1"))
    project = net.project()
    registry = catalogue(project.blocks)
    flat, made = grouping.ungroup(project.main, "expand", registry)
    assert [flat.nodes[i].params.get("out_features") for i in made if flat.nodes[i].kind == "Linear"] == [
        6, 6, 12, 6, 18, 6,
    ]  # fmt: skip
    torch.testing.assert_close(computed(flat, {}), computed(project.main, project.blocks))


def test_in_a_block_expressions_are_rewritten_in_its_own_names() -> None:
    outer = deepgui.Block("Outer", base=3)
    outer.add("Output", outer.add(expanding(), outer.add("Input"), width="=2 * base"))
    known = {**outer.blocks, "Outer": outer.block()}
    flat, _ = grouping.ungroup(outer.network(), "expand", blocks.with_blocks(catalogue({}), known))
    texts = [n.params["out_features"] for n in flat.nodes.values() if n.kind == "Linear"]
    assert texts == [Expr("2 * (2 * base)"), Expr("2 * base")]


def test_grouping_inside_a_block_takes_its_parameters_along() -> None:
    block = expanding().block()
    inner, outer, use = grouping.make_block(block.network, ["linear", "tanh"], "Up", block.params)
    assert [(p.name, p.type) for p in inner.params] == [("factor", "int"), ("width", "int")]
    assert outer.nodes[use].params == {"factor": Expr("factor"), "width": Expr("width")}


def test_a_parameter_becomes_the_blocks_own() -> None:
    block = expanding().block()
    spec = catalogue({})["Linear"].param("bias")
    changed = grouping.promote(block, "linear", spec)
    assert changed.params[-1].name == "bias"
    assert changed.params[-1].default is True
    assert changed.network.nodes["linear"].params["bias"] == Expr("bias")


def test_a_selection_that_a_path_leaves_and_enters_again_is_refused() -> None:
    net = deepgui.Network("random")
    a = net.add("Linear", net.add("Input", shape=(6,)), out_features=6, name="first")
    b = net.add("Tanh", a, name="between")
    net.add("Output", net.add("Linear", b, out_features=6, name="last"))
    with pytest.raises(grouping.GroupingError, match="between stands between the selected layers"):
        grouping.make_block(net.network(), ["linear", "linear_2"], "Part")


def test_weights_shared_across_the_border_are_refused() -> None:
    net = deepgui.Network("random")
    a = net.add("Linear", net.add("Input", shape=(6,)), out_features=6, name="first")
    net.add("Output", net.add("Linear", a, out_features=6, name="again", shares=a))
    with pytest.raises(grouping.GroupingError, match="again shares the weights of first"):
        grouping.make_block(net.network(), ["linear_2"], "Part")
