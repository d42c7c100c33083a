"""What was learnt moves along with an edit: weights and what the optimiser knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from compiler.test_grouping import WIDTH, few, networks
from hypothesis import given
from hypothesis import strategies as st
from torch import fx

import deepgui
from deepgui.compiler.build import build
from deepgui.compiler.carry import carry, load, load_optimizer
from deepgui.compiler.catalogue import catalogue
from deepgui.graph import edits, grouping
from deepgui.graph.values import Block, Network

BATCH = torch.linspace(-1, 1, 5 * WIDTH).reshape(5, WIDTH)
Drawing = tuple[Network, Mapping[str, Block]]


def built(drawing: Drawing, seed: int) -> fx.GraphModule:
    torch.manual_seed(seed)
    return build(drawing[0], catalogue(drawing[1]))


def answers(module: fx.GraphModule) -> list[torch.Tensor]:
    with torch.no_grad():
        found = module(BATCH)
    return list(found) if isinstance(found, tuple) else [found]


def changed(draw: Any, drawing: Drawing, number: int) -> Drawing:
    """The drawing after an edit that keeps every layer: a block made, one taken apart, a rename."""
    network, known = drawing
    inner = [n.id for n in network.nodes.values() if n.kind not in ("Input", "Output")]
    what = draw(st.sampled_from(["make", "make", "apart", "rename"]))
    if what == "rename":
        return edits.rename_node(network, draw(st.sampled_from(inner)), f"name{number}"), known
    try:
        if what == "make":
            chosen = draw(st.sets(st.sampled_from(inner), min_size=1, max_size=6))
            block, network, _ = grouping.make_block(network, chosen, f"Part{number}")
            return network, {**known, f"Part{number}": block}
        uses = [i for i in inner if network.nodes[i].kind in known]
        if uses:
            return grouping.ungroup(network, draw(st.sampled_from(uses)), catalogue(known))[0], known
    except grouping.GroupingError:
        pass
    return drawing


@given(st.data())
@few
def test_edits_that_keep_all_layers_keep_what_they_learnt(data: st.DataObject) -> None:
    drawing: Drawing = data.draw(networks()), {}
    for number in range(4):
        before, drawing = drawing, changed(data.draw, drawing, number)
        old, new = built(before, 1), built(drawing, 2)
        carried = carry(old, new)
        assert carried.fresh == ()
        load(old, new, carried)
        for a, b in zip(answers(old), answers(new), strict=True):
            torch.testing.assert_close(a, b)


@given(networks(), st.integers(0, 100))
@few
def test_a_layer_that_is_added_is_fresh_and_the_others_are_not(network: Network, number: int) -> None:
    of_one_width = [w for w in network.wires if network.nodes[w.source].kind != "cat"]
    wire = of_one_width[number % len(of_one_width)]
    grown, node = edits.add_node(network, "Linear", {"out_features": WIDTH}, name="added")
    old, new = built((network, {}), 1), built((edits.splice(grown, node.id, wire), {}), 2)
    assert carry(old, new).fresh == ("added.weight", "added.bias")


def row(count: int) -> deepgui.Network:
    part = deepgui.Block("Part")
    x = part.add("Linear", part.add("Input", shape=(WIDTH,)), out_features=WIDTH)
    part.add("Output", part.add("LayerNorm", x, normalized_shape=WIDTH))
    net = deepgui.Network("rows")
    x = net.add("Linear", net.add("Input", shape=(WIDTH,)), out_features=WIDTH)
    net.add("Output", net.add(part, x, repeat=count, name="stage"))
    return net


def test_a_longer_row_keeps_its_first_and_a_row_taken_apart_keeps_all() -> None:
    two, three = row(2), row(3)
    old, new = built((two.network(), two.blocks), 1), built((three.network(), three.blocks), 2)
    assert {name.rpartition(".")[0] for name in carry(old, new).fresh} == {"stage.2.linear", "stage.2.layer_norm"}
    use = next(n.id for n in two.network().nodes.values() if n.kind == "Part")
    apart, _ = grouping.ungroup(two.network(), use, catalogue(two.blocks))
    new = built((apart, {}), 2)
    carried = carry(old, new)
    assert carried.fresh == ()
    load(old, new, carried)
    torch.testing.assert_close(answers(new), answers(old))


def test_another_size_is_fresh() -> None:
    net = row(1)
    wide = edits.set_params(net.network(), "linear", {"out_features": 9})
    fresh = carry(built((net.network(), net.blocks), 1), built((wide, net.blocks), 2)).fresh
    assert "linear.weight" in fresh
    assert "linear.bias" in fresh


def test_weights_that_were_shared_stay_as_they_were_when_they_part() -> None:
    net = deepgui.Network("shared")
    x = net.add("Linear", net.add("Input", shape=(WIDTH,)), out_features=WIDTH, name="first")
    net.add("Output", net.add("Linear", x, out_features=WIDTH, name="second"))
    ids = [n.id for n in net.network().nodes.values() if n.kind == "Linear"]
    together = edits.share(net.network(), ids[1], ids[0])
    old, new = built((together, {}), 1), built((net.network(), {}), 2)
    carried = carry(old, new)
    assert carried.fresh == ()
    load(old, new, carried)
    torch.testing.assert_close(answers(new), answers(old))


def test_training_goes_on_as_if_nothing_had_been_edited() -> None:
    net = row(2)
    use = next(n.id for n in net.network().nodes.values() if n.kind == "Part")
    apart, _ = grouping.ungroup(net.network(), use, catalogue(net.blocks))

    def step(module: fx.GraphModule, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        module(BATCH).pow(2).sum().backward()
        optimizer.step()

    old, new = built((net.network(), net.blocks), 1), built((apart, {}), 2)
    mine, theirs = torch.optim.Adam(old.parameters(), 0.01), torch.optim.Adam(new.parameters(), 0.01)
    for _ in range(3):
        step(old, mine)
    carried = carry(old, new)
    load(old, new, carried)
    load_optimizer((old, mine), (new, theirs), carried)
    for _ in range(3):
        step(old, mine)
        step(new, theirs)
    torch.testing.assert_close(answers(new), answers(old))
