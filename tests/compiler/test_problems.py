"""What a newcomer gets wrong: the message names node, port, shapes; the fix mends it."""

from __future__ import annotations

from typing import Any

import pytest

from deepgui.catalog.builtin import registry
from deepgui.compiler.report import Report, check
from deepgui.graph import edits
from deepgui.graph.problems import Problem
from deepgui.graph.values import Network, Wire

Layer = tuple[str, dict[str, Any]]


def chain(*layers: Layer) -> Network:
    """Layers wired one after another, first input and first output each."""
    network, before = Network("net"), None
    for kind, params in layers:
        network, node = edits.add_node(network, kind, params)
        if before:
            output = registry()[before.kind].outputs[0].name
            network = edits.connect(network, Wire(before.id, output, node.id, registry()[kind].inputs[0].name))
        before = node
    return network


def picture(*shape: int, dtype: str = "float32") -> Layer:
    return "Input", {"shape": shape, "dtype": dtype}


def find(report: Report, code: str) -> Problem:
    found = [p for p in report.problems if p.code == code]
    assert found, [p.code for p in report.problems]
    return found[0]


OUT: Layer = ("Output", {})
CONV: Layer = ("Conv2d", {"out_channels": 4, "kernel_size": 3})

MENDABLE = {
    "size-mismatch": (chain(picture(8), ("Linear", {"in_features": 7, "out_features": 2}), OUT), "in_features", "N×8"),
    "channels": (chain(picture(3, 8, 8), ("Conv2d", {**CONV[1], "in_channels": 1}), OUT), "in_channels = 1", "N×3×8×8"),
    "flat-into-conv": (chain(picture(64), CONV, OUT), "N×C×H×W", "N×64"),
    "no-channel": (chain(picture(28, 28), CONV, OUT), "N×C×H×W", "N×28×28"),
    "wrong-sibling": (chain(picture(3, 8, 8), ("BatchNorm1d", {}), OUT), "N×C", "N×3×8×8"),
    "pool-1d": (chain(picture(3, 8, 8), ("MaxPool1d", {"kernel_size": 2}), OUT), "N×C×L", "N×3×8×8"),
    "window": (chain(picture(1, 2, 2), ("Conv2d", {"out_channels": 2, "kernel_size": 5}), OUT), "5×5", "N×1×2×2"),
    "heads": (chain(picture(5, 10), ("MultiheadAttention", {"num_heads": 4}), OUT), "divisor", "num_heads = 4"),
    "groups": (chain(picture(6, 8, 8), ("GroupNorm", {"num_groups": 4}), OUT), "divisor", "num_groups = 4"),
    "conv-groups": (chain(picture(3, 8, 8), ("Conv2d", {**CONV[1], "groups": 2}), OUT), "divisor", "groups = 2"),
    "embedding": (chain(picture(6), ("Embedding", {"num_embeddings": 5, "embedding_dim": 2}), OUT), "int64", "N×6"),
    "bad-value": (chain(picture(8), ("Linear", {"out_features": 2, "bias": 3}), OUT), "", "3"),
    "unknown-setting": (chain(picture(8), ("Linear", {"out_features": 2, "units": 3}), OUT), "", ""),
}


@pytest.mark.parametrize("name", MENDABLE)
def test_fix_mends_the_problem(name: str) -> None:
    network, expected, received = MENDABLE[name]
    report = check(network, registry())
    problem = report.errors[0]
    assert expected in problem.expected
    assert received in problem.received
    assert problem.node in network.nodes
    assert network.nodes[problem.node].label in problem.message
    assert problem.fix is not None
    assert check(problem.fix.apply(network), registry()).ok


def test_linear_behind_convolution_is_advised_to_flatten() -> None:
    network = chain(picture(1, 8, 8), CONV, ("Linear", {"out_features": 10}), OUT)
    problem = find(check(network, registry()), "linear-on-picture")
    assert problem.severity == "warning"
    assert problem.fix is not None
    mended = check(problem.fix.apply(network), registry())
    assert mended.nodes["output"].inputs["input"][0].shape == "N×10"


def test_linear_on_channels_that_were_put_last_is_meant() -> None:
    last = ("permute", {"dims": (0, 2, 3, 1)})
    assert check(chain(picture(1, 8, 8), CONV, last, ("Linear", {"out_features": 10}), OUT), registry()).problems == ()


def test_flattening_the_batch_is_noticed() -> None:
    network = chain(picture(1, 8, 8), ("Flatten", {"start_dim": 0}), OUT)
    problem = find(check(network, registry()), "batch-mixed")
    assert problem.fix is not None
    assert check(problem.fix.apply(network), registry()).problems == ()


def test_adding_unlike_shapes_explains_broadcasting() -> None:
    network = chain(picture(8), ("Linear", {"out_features": 5}), ("add", {}), OUT)
    network = edits.connect(network, Wire("input", "output", "add", "other"))
    problem = find(check(network, registry()), "shapes-differ")
    assert (problem.expected, problem.received, problem.port) == ("N×5", "N×8", "other")


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ((4, 8, 8), (4, 8, 7), ["8 does not match 7 (dimension -1)"]),
        ((4, 8, 8), (3, 8, 7), ["8 does not match 7 (dimension -1)", "4 does not match 3 (dimension -3)"]),
        ((4, 8, 8), (4,), ["8 does not match 4 (dimension -1)", "reshape N×4 to -1, 4, 1, 1"]),
        ((5, 8), (8,), ["5 does not match N (dimension -2)"]),
    ],
)
@pytest.mark.parametrize("kind", ["mul", "maximum", "gt"])
def test_broadcasting_is_explained_by_dimension(
    kind: str, first: tuple[int, ...], second: tuple[int, ...], words: list[str]
) -> None:
    network = chain(picture(*first), (kind, {}), OUT)
    network, other = edits.add_node(network, "Input", {"shape": second})
    problem = find(check(edits.connect(network, Wire(other.id, "output", kind, "other")), registry()), "shapes-differ")
    for said in words:
        assert said in problem.reason
    assert problem.port == "other"


def test_joining_unlike_shapes_names_the_odd_one() -> None:
    network = chain(picture(3, 8, 8), CONV, ("cat", {"dim": 1}), OUT)
    network = edits.append_wire(network, "input", "output", "cat", "tensors")
    problem = find(check(network, registry()), "shapes-differ")
    assert problem.received == "N×3×8×8"


def test_a_broken_layer_hides_no_later_lint_and_accuses_nobody_behind_it() -> None:
    network = chain(picture(64), CONV, ("ReLU", {}), ("Linear", {"out_features": 2}), OUT)
    report = check(network, registry())
    assert [p.node for p in report.errors] == ["conv2d"]
    assert report.nodes["relu"].outputs == {}


def test_unfinished_drawings_never_raise() -> None:
    loop = chain(("ReLU", {}), ("Tanh", {}))
    loop = edits.connect(loop, Wire("tanh", "output", "relu", "input"))
    for network in (Network("empty"), chain(CONV), chain(picture()), chain(("Input", {})), chain(("Conv9d", {})), loop):
        report = check(network, registry())
        assert not report.ok
        assert all("\n" not in p.message for p in report.problems)


def test_misspelt_kind_gets_a_suggestion() -> None:
    assert "Conv2d" in find(check(chain(("Conv2D", {})), registry()), "unknown-kind").message


def test_counts_are_the_published_ones() -> None:
    conv = {"kernel_size": 5}
    lenet = chain(
        picture(1, 28, 28),
        ("Conv2d", {**conv, "out_channels": 6, "padding": 2}),
        ("Tanh", {}),
        ("AvgPool2d", {"kernel_size": 2}),
        ("Conv2d", {**conv, "out_channels": 16}),
        ("Tanh", {}),
        ("AvgPool2d", {"kernel_size": 2}),
        ("Flatten", {}),
        ("Linear", {"out_features": 120}),
        ("Tanh", {}),
        ("Linear", {"out_features": 84}),
        ("Tanh", {}),
        ("Linear", {"out_features": 10}),
        OUT,
    )
    report = check(lenet, registry())
    assert report.parameters == 61_706
    assert report.multiply_adds == 28 * 28 * 6 * 25 + 100 * 16 * 150 + 400 * 120 + 120 * 84 + 84 * 10


def test_an_edit_changes_what_it_reaches_and_nothing_else() -> None:
    network = chain(picture(8), ("Linear", {"out_features": 6}), ("ReLU", {}), ("Linear", {"out_features": 3}), OUT)
    before = check(network, registry())
    after = check(edits.set_params(network, "linear", {"out_features": 7}), registry())
    assert after.nodes["linear_2"].params["in_features"] == 7
    assert after.nodes["linear_2"].outputs == before.nodes["linear_2"].outputs
    assert after.parameters == 8 * 7 + 7 + 7 * 3 + 3
    assert "in_features" in after.nodes["linear"].inferred


def test_long_sequences_have_their_real_length_and_cost() -> None:
    network = chain(picture(200, 8), ("LSTM", {"hidden_size": 16}), OUT)
    node = check(network, registry()).nodes["lstm"]
    assert node.outputs["output"].shape == "N×200×16"
    assert node.outputs["h_n"].shape == "1×N×16"
    per_step = 4 * 16 * (8 + 16)
    assert abs(node.multiply_adds - 200 * per_step) <= per_step


def test_checking_after_edits_says_what_a_first_check_says() -> None:
    """The graph of the last check is taken over where only settings changed; nothing of it may shine through."""
    base = chain(picture(1, 12, 12), CONV, ("ReLU", {}), ("MaxPool2d", {"kernel_size": 2}), ("Flatten", {}), OUT)
    wide = edits.set_params(base, "conv2d", {"out_channels": 7})
    broken = edits.set_params(wide, "conv2d", {"kernel_size": 99})
    indices = edits.set_params(base, "max_pool2d", {"return_indices": True})
    renamed = edits.rename_node(base, "relu", "other")
    smaller = edits.set_params(base, "input", {"shape": (1, 6, 6)})
    visited = [
        base,
        wide,
        broken,
        wide,
        base,
        indices,
        renamed,
        smaller,
        base,
        edits.remove_nodes(base, ["relu"]),
        base,
    ]
    for network in visited:
        again = check(network, registry())
        check(Network("forget"), registry())
        assert again == check(network, registry())
