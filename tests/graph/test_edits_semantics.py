"""What each edit means to the person who made it."""

from __future__ import annotations

import pytest

from deepgui.graph import edits
from deepgui.graph.values import Network, Point, Wire


def chain(*kinds: str) -> Network:
    """Nodes in a row, each wired to the next."""
    network, last = Network("network"), ""
    for x, kind in enumerate(kinds):
        network, node = edits.add_node(network, kind, at=Point(100.0 * x, 0.0))
        if last:
            network = edits.connect(network, Wire(last, "output", node.id, "input"))
        last = node.id
    return network


def joined(count: int) -> Network:
    """``relu``, ``relu_2``, ... into one ``cat``, in order."""
    network = Network("network")
    network, cat = edits.add_node(network, "cat")
    for _ in range(count):
        network, node = edits.add_node(network, "ReLU")
        network = edits.append_wire(network, node.id, "output", cat.id, "tensors")
    return network


def feeds(network: Network, node: str) -> list[str]:
    """Who feeds a node's inputs, in order of input and index."""
    return [wire.source for wire in network.into(node)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My layer 2", "My_layer_2"),
        ("class", "class_"),
        ("2nd conv", "n2nd_conv"),
        ("", "unnamed"),
        ("  ", "unnamed"),
        ("über", "ber"),
        ("None", "None_"),
    ],
)
def test_texts_become_identifiers(text: str, name: str) -> None:
    assert edits.identifier(text) == name
    assert edits.is_identifier(name)


@pytest.mark.parametrize(
    ("kind", "id"), [("Conv2d", "conv2d"), ("BatchNorm2d", "batch_norm2d"), ("LSTM", "lstm"), ("Lambda", "lambda_")]
)
def test_ids_are_made_from_kinds(kind: str, id: str) -> None:
    assert edits.add_node(Network("n"), kind)[1].id == id


def test_ids_and_names_never_meet() -> None:
    network, a = edits.add_node(Network("n"), "Conv2d", name="linear")
    network, b = edits.add_node(network, "Linear")
    assert (a.label, b.label) == ("linear", "linear_2")
    network, c = edits.add_node(network, "ReLU", name="linear")
    assert c.label == "linear_3"


@pytest.mark.parametrize("id", ["taken", "not a name", "lambda", "ü", ""])
def test_an_unusable_id_is_refused(id: str) -> None:
    network, _ = edits.add_node(Network("n"), "ReLU", id="taken")
    with pytest.raises(ValueError, match="node"):
        edits.add_node(network, "ReLU", id=id)


def test_a_name_is_made_unique_and_an_empty_one_goes_back_to_the_id() -> None:
    network = chain("Linear", "Linear")
    network = edits.rename_node(network, "linear", "my head")
    network = edits.rename_node(network, "linear_2", "my head")
    assert [n.label for n in network.nodes.values()] == ["my_head", "my_head_2"]
    network = edits.rename_node(network, "linear_2", " ")
    assert network.nodes["linear_2"].name == ""
    assert edits.rename_node(network, "linear_2", "linear_2") is network


def test_going_back_to_an_id_that_another_took_as_its_name_stays_unique() -> None:
    network = chain("Linear", "ReLU")
    network = edits.rename_node(network, "linear", "head")
    network = edits.rename_node(network, "relu", "linear")
    network = edits.rename_node(network, "linear", "")
    assert network.nodes["linear"].label == "linear_2"


def test_a_second_wire_to_the_same_input_replaces_the_first() -> None:
    network = chain("Input", "Linear")
    network, other = edits.add_node(network, "Input")
    network = edits.connect(network, Wire(other.id, "output", "linear", "input"))
    assert feeds(network, "linear") == [other.id]


def test_wires_of_a_variadic_input_close_up_when_one_goes() -> None:
    network = joined(3)
    network = edits.disconnect(network, (network.into("cat")[1],))
    assert [(w.source, w.index) for w in network.into("cat")] == [("relu", 0), ("relu_3", 1)]


def test_values_that_are_equal_but_of_another_type_are_another_value() -> None:
    network, node = edits.add_node(Network("n"), "Conv2d", {"padding": (1, 1), "bias": 1})
    changed = edits.set_params(network, node.id, {"padding": (1.0, 1)})
    assert changed is not network
    assert isinstance(changed.nodes[node.id].params["padding"][0], float)
    assert edits.set_params(network, node.id, {"bias": True}).nodes[node.id].params["bias"] is True
    assert edits.set_params(network, node.id, {"padding": (1, 1)}) is network


def test_edits_without_effect_give_the_same_network() -> None:
    network = chain("Input", "Linear", "Output")
    assert edits.remove_nodes(network, ()) is network
    assert edits.connect(network, network.wires[0]) is network
    assert edits.disconnect(network, ()) is network
    assert edits.unset_param(network, "linear", "bias") is network
    assert edits.rename_network(network, "network") is network
    assert edits.move(network, {"linear": network.layout["linear"]}) is network


def test_inserting_on_a_wire_keeps_its_place_and_stands_in_the_middle() -> None:
    network = joined(3)
    network, node = edits.insert_on_wire(network, network.into("cat")[1], "Linear")
    assert feeds(network, "cat") == ["relu", node.id, "relu_3"]
    assert feeds(network, node.id) == ["relu_2"]
    network = chain("Input", "Output")
    network, node = edits.insert_on_wire(network, network.wires[0], "ReLU")
    assert network.layout[node.id] == Point(50.0, 0.0)
    with pytest.raises(KeyError):
        edits.insert_on_wire(network, Wire("input", "output", "output", "input"), "ReLU")


def test_splicing_puts_a_standing_node_between() -> None:
    network = chain("Input", "Output")
    network, node = edits.add_node(network, "ReLU")
    wire = network.wires[0]
    spliced = edits.splice(network, node.id, wire)
    assert (feeds(spliced, "output"), feeds(spliced, node.id)) == ([node.id], ["input"])
    assert edits.splice(network, "input", wire) is network


def test_healing_joins_what_was_before_and_after() -> None:
    network = edits.heal_and_remove(chain("Input", "Linear", "ReLU", "Output"), ["linear", "relu"])
    assert feeds(network, "output") == ["input"]


def test_healing_keeps_the_place_on_a_variadic_input() -> None:
    network = joined(3)
    network, source = edits.add_node(network, "Input")
    network = edits.connect(network, Wire(source.id, "output", "relu_2", "input"))
    network = edits.heal_and_remove(network, ["relu_2"])
    assert [(w.source, w.index) for w in network.into("cat")] == [("relu", 0), (source.id, 1), ("relu_3", 2)]


def test_healing_joins_a_node_that_stood_twice_on_one_input() -> None:
    network = joined(1)
    network, source = edits.add_node(network, "Input")
    network, other = edits.add_node(network, "Linear")
    network = edits.append_wire(network, other.id, "output", "cat", "tensors")
    network = edits.append_wire(network, "relu", "output", "cat", "tensors")
    network = edits.connect(network, Wire(source.id, "output", "relu", "input"))
    network = edits.heal_and_remove(network, ["relu"])
    assert feeds(network, "cat") == [source.id, other.id, source.id]


def test_healing_follows_the_main_ports_only() -> None:
    network = chain("Input", "LSTM", "Output")
    network, state = edits.add_node(network, "Input")
    network, extra = edits.add_node(network, "Output")
    network = edits.connect(network, Wire(state.id, "output", "lstm", "h_0"))
    network = edits.connect(network, Wire("lstm", "h_n", extra.id, "input"))
    network = edits.heal_and_remove(network, ["lstm"])
    assert feeds(network, "output") == ["input"]
    assert feeds(network, extra.id) == []


def test_healing_a_node_of_a_circle_makes_no_loop() -> None:
    network = chain("ReLU", "Linear")
    network = edits.connect(network, Wire("linear", "output", "relu", "input"))
    assert edits.heal_and_remove(network, ["linear"]).wires == ()


def test_a_paste_has_fresh_ids_numbered_names_and_an_offset() -> None:
    network = edits.rename_node(chain("Linear", "ReLU"), "linear", "head")
    piece = edits.excerpt(network, network.nodes)
    network, first = edits.paste(network, piece)
    network, second = edits.paste(network, edits.excerpt(network, first))
    assert [network.nodes[i].label for i in (*first, *second)] == ["head_2", "relu_2", "head_3", "relu_3"]
    assert network.layout[first[1]] == Point(100.0 + edits.DUPLICATE_OFFSET, edits.DUPLICATE_OFFSET)
    assert feeds(network, second[1]) == [second[0]]


def test_an_excerpt_has_only_the_wires_among_its_nodes() -> None:
    piece = edits.excerpt(chain("Input", "Linear", "ReLU"), ["linear", "relu", "nobody"])
    assert list(piece.nodes) == ["linear", "relu"]
    assert piece.wires == (Wire("linear", "output", "relu", "input"),)


def test_moving_changes_no_meaning() -> None:
    network = chain("Input", "Linear")
    moved = edits.move(network, {"linear": Point(9.0, 9.0)})
    assert moved != network
    assert moved.meaning() == network.meaning()
