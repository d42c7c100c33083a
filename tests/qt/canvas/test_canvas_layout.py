"""Auto-layout, cards, the cell index and the clipboard: the parts of the canvas that know no Qt."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from deepgui.catalog.spec import Infer, LayerSpec, ParamSpec, PortSpec
from deepgui.graph import edits
from deepgui.graph import layout as autolayout
from deepgui.graph.shapes import batched
from deepgui.graph.values import Network, Node, Point, Wire
from deepgui.qt.canvas import clipboard, connections
from deepgui.qt.canvas.card import describe, phrase
from deepgui.qt.canvas.spatial import Cells

SIZE = (184.0, 72.0)


def random_network(seed: int, count: int, *, cycles: bool) -> Network:
    rng = random.Random(seed)
    network = Network("net", {f"n{i}": Node(f"n{i}", "add") for i in range(count)})
    for place in range(rng.randrange(2 * count)):
        a, b = rng.randrange(count), rng.randrange(count)
        if a != b and (cycles or a < b):
            network = edits.connect(network, Wire(f"n{a}", "output", f"n{b}", "input", place))
    return network


def overlaps(places: dict[str, Point], sizes: dict[str, tuple[float, float]]) -> list[tuple[str, str]]:
    def touch(a: str, b: str) -> bool:
        (ax, ay), (bx, by) = places[a], places[b]
        return ax < bx + sizes[b][0] and bx < ax + sizes[a][0] and ay < by + sizes[b][1] and by < ay + sizes[a][1]

    return [(a, b) for a in places for b in places if a < b and touch(a, b)]


@given(st.integers(0, 10_000), st.integers(1, 25), st.booleans())
def test_a_layout_places_every_node_on_the_grid_without_overlap(seed: int, count: int, cycles: bool) -> None:
    network = random_network(seed, count, cycles=cycles)
    rng = random.Random(seed)
    sizes = {n: (184.0, 8.0 * rng.randrange(6, 30)) for n in network.nodes}
    places = autolayout.layered(network, sizes)
    assert places.keys() == network.nodes.keys()
    assert all(v % 8 == 0 for p in places.values() for v in p)
    assert overlaps(places, sizes) == []


@given(st.integers(0, 10_000), st.integers(2, 25))
def test_wires_run_from_left_to_right(seed: int, count: int) -> None:
    network = random_network(seed, count, cycles=False)
    places = autolayout.layered(network, dict.fromkeys(network.nodes, SIZE), fold=False)
    assert all(places[w.source].x < places[w.target].x for w in network.wires)


def test_a_long_chain_is_folded_like_text() -> None:
    network = Network("net", {f"n{i}": Node(f"n{i}", "ReLU") for i in range(12)})
    for i in range(11):
        network = edits.connect(network, Wire(f"n{i}", "output", f"n{i + 1}", "input"))
    places = autolayout.layered(network, dict.fromkeys(network.nodes, SIZE))
    width, height = (max(p[axis] for p in places.values()) for axis in (0, 1))
    assert 1 < (width + 184) / (height + 72) < 4
    assert len({p.y for p in places.values()}) > 1


def test_nodes_without_a_place_stand_beside_what_feeds_them() -> None:
    network, a = edits.add_node(Network("net"), "ReLU", at=Point(400, 80))
    network, b = edits.add_node(network, "ReLU")
    network = edits.connect(network, Wire(a.id, "output", b.id, "input"))
    places = autolayout.positions(network, dict.fromkeys(network.nodes, SIZE))
    assert places[a.id] == (400, 80)
    assert places[b.id].x > 400 + SIZE[0]
    assert places[b.id].y == 80


def test_a_card_says_what_tells_this_layer_from_others() -> None:
    conv = LayerSpec(
        "Conv2d",
        "torch.nn.Conv2d",
        "module",
        "Convolution",
        (PortSpec("input"),),
        params=(
            ParamSpec("in_channels", "int", required=True, infer=Infer("input", 1)),
            ParamSpec("out_channels", "int", required=True),
            ParamSpec("kernel_size", "ints", required=True),
            ParamSpec("padding", "ints", default=0),
            ParamSpec("bias", "bool", default=True),
        ),
    )
    node = Node("conv", "Conv2d", {"out_channels": 16, "kernel_size": 3, "padding": 1, "bias": True})
    card = describe(Network("n", {"conv": node}), node, conv)
    assert [d.text for d in card.details] == ["16", "3×3", "pad 1"]
    assert phrase("Conv2d", conv.param("kernel_size"), (3, 5)) == "3×5"
    assert phrase("Conv2d", conv.param("bias"), False) == "no bias"


def test_cells_find_everything_that_touches_and_forget_what_is_removed() -> None:
    rng = random.Random(4)
    cells: Cells[int] = Cells()
    boxes: dict[int, tuple[float, float, float, float]] = {}
    for key in range(300):
        x, y = rng.uniform(-5000, 5000), rng.uniform(-5000, 5000)
        boxes[key] = (x, y, x + rng.uniform(0, 9000) ** rng.random(), y + rng.uniform(0, 9000) ** rng.random())
        cells.put(key, boxes[key])
        if key % 3 == 0:
            cells.remove(key)
            del boxes[key]
    for _ in range(50):
        x, y = rng.uniform(-5000, 5000), rng.uniform(-5000, 5000)
        box = (x, y, x + 700, y + 300)
        touching = {
            k for k, b in boxes.items() if b[0] <= box[2] and b[2] >= box[0] and b[1] <= box[3] and b[3] >= box[1]
        }
        assert touching <= cells.near(box)
    for key in list(boxes):
        cells.remove(key)
    assert len(cells) == 0
    assert cells.near((-1e5, -1e5, 1e5, 1e5)) == set()


def test_a_piece_survives_the_clipboard() -> None:
    network, a = edits.add_node(Network("net"), "Input", {"shape": (1, 28, 28)}, at=Point(0, 0))
    network, b = edits.add_node(network, "Conv2d", {"kernel_size": (3, 3), "p": 0.5}, name="first", at=Point(280, 8))
    network = edits.connect(network, Wire(a.id, "output", b.id, "input"))
    piece = clipboard.loads(clipboard.copy_text(network, [b.id]))
    assert piece is not None
    assert list(piece.network.nodes.values()) == [network.nodes[b.id]]
    assert piece.network.layout == {b.id: Point(280, 8)}
    assert piece.feeds == network.wires


@given(st.text())
def test_no_text_on_the_clipboard_raises(text: str) -> None:
    assert clipboard.loads(text) is None
    assert clipboard.loads("{" + text) is None


def test_ports_take_the_layouts_they_declare() -> None:
    images, anything = PortSpec("input", layouts=("N C H W", "C H W")), PortSpec("input", layouts=("N * H",))
    assert connections.takes(images, batched((1, 28, 28)))
    assert not connections.takes(images, batched((64,)))
    assert connections.takes(anything, batched((64,)))
    assert connections.takes(anything, batched((4, 5, 64)))
    assert not connections.takes(PortSpec("input", dtypes=("int64",)), batched((4,)))


def test_a_node_inserted_between_two_pushes_the_rest_of_its_row_to_the_right() -> None:
    network = Network("net")
    for place, name in enumerate("abc"):
        network, _ = edits.add_node(network, "ReLU", id=f"n{name}", at=Point(place * 280, 0))
    network = edits.connect(network, Wire("na", "output", "nb", "input"))
    network = edits.connect(network, Wire("nb", "output", "nc", "input"))
    network, node = edits.insert_on_wire(network, Wire("na", "output", "nb", "input"), "ReLU", at=Point(140, 4))
    shown = {n: p for n, p in network.layout.items() if n != node.id}
    sizes = dict.fromkeys(network.nodes, SIZE)
    places = {**shown, **autolayout.make_room(network, shown, sizes, node.id, Point(140, 4))}
    assert overlaps(places, sizes) == []
    assert places["na"] == (0, 0)
    assert places["na"].x < places[node.id].x < places["nb"].x < places["nc"].x
    assert len({p.y for p in places.values()}) == 1


def test_a_drawing_with_skips_across_it_is_not_torn_apart() -> None:
    network = Network("net", {f"n{i}": Node(f"n{i}", "add") for i in range(14)})
    for i in range(13):
        network = edits.connect(network, Wire(f"n{i}", "output", f"n{i + 1}", "input"))
    for i in range(6):
        network = edits.connect(network, Wire(f"n{i}", "output", f"n{13 - i}", "other"))
    places = autolayout.layered(network, dict.fromkeys(network.nodes, SIZE))
    assert all(places[w.source].x < places[w.target].x for w in network.wires)
