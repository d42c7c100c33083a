"""Where nodes stand that nobody has placed yet: layers from left to right. Knows no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from statistics import fmean

import networkx as nx

from deepgui.graph import topology
from deepgui.graph.values import Network, Point

GRID = 8.0
GAP_X = 96.0
GAP_Y = 40.0
BAND_GAP = 80.0
FOLD_ASPECT = 4.0
"""A drawing wider than this many times its height is folded into bands, like text into lines."""
PAGE_ASPECT = 2.2
LONGEST_BAND = 1.7

Size = tuple[float, float]
_SWEEPS = 4


def layered(network: Network, sizes: Mapping[str, Size], *, fold: bool = True) -> dict[str, Point]:
    """Places for all nodes: longest-path layers left to right, few crossings, ports in line.

    Args:
        sizes: node id → (width, height) in scene units.
        fold: break a long thin chain into bands, so that it can be read without zooming out.

    Returns:
        Top left corners on the 8 px grid; the drawing starts at (0, 0).
    """
    if not network.nodes:
        return {}
    columns = _ordered(network, _layers(network))
    places = _spread(network, columns, sizes)
    return _folded(network, columns, places, sizes) if fold else places


def positions(network: Network, sizes: Mapping[str, Size]) -> dict[str, Point]:
    """Where every node is shown: its own place if it has one, else one that is worked out."""
    missing = [n for n in network.nodes if n not in network.layout]
    if not missing:
        return dict(network.layout)
    if len(missing) == len(network.nodes):
        return layered(network, sizes)
    found = {n: p for n, p in network.layout.items() if n in network.nodes}
    for node in missing:
        found[node] = free_place(found, sizes, _beside(network, node, found, sizes), sizes[node])
    return found


def free_place(taken: Mapping[str, Point], sizes: Mapping[str, Size], wanted: Point, size: Size) -> Point:
    """The nearest place at or below ``wanted`` where a card of ``size`` covers no other."""
    x, y = snap(wanted.x), snap(wanted.y)
    blockers = sorted(
        (p.y, p.y + sizes[n][1]) for n, p in taken.items() if p.x < x + size[0] + GRID and x < p.x + sizes[n][0] + GRID
    )
    for top, bottom in blockers:
        if top < y + size[1] + GRID and y < bottom + GRID:
            y = snap(bottom + 2 * GRID)
    return Point(x, y)


def make_room(
    network: Network, shown: Mapping[str, Point], sizes: Mapping[str, Size], node: str, at: Point
) -> dict[str, Point]:
    """Places for a node inserted at ``at`` and for what follows it in its row, moved right as far as it needs."""
    x, y = snap(at.x), snap(at.y)
    feeders = [w.source for w in network.into(node) if w.source in shown]
    right = max((shown[f].x + sizes[f][0] for f in feeders), default=x)
    if feeders and right - 2 * sizes[node][0] < x < right + GAP_X / 2:
        x, y = snap(right + GAP_X), (shown[feeders[0]].y if abs(y - shown[feeders[0]].y) < 2 * GAP_Y else y)
    places = {node: Point(x, y)}
    behind = max((shown[f].x for f in feeders), default=x)
    following = _following(network, shown, node, behind)
    nearest = min((shown[n].x for n in following), default=x + sizes[node][0] + GAP_X)
    push = snap(x + sizes[node][0] + GAP_X - nearest)
    if push > GAP_X / 2:
        places |= {n: Point(shown[n].x + push, shown[n].y) for n in following}
    return places


def _following(network: Network, shown: Mapping[str, Point], node: str, start: float) -> set[str]:
    """What a node leads to by wires that keep going right from ``start``: the rest of its row."""
    found: set[str] = set()
    stack = [(node, start)]
    while stack:
        name, x = stack.pop()
        for wire in network.out_of(name):
            at = shown.get(wire.target)
            if at is not None and at.x > x and wire.target not in found and wire.target != node:
                found.add(wire.target)
                stack.append((wire.target, at.x))
    return found


def snap(value: float) -> float:
    """The nearest line of the grid."""
    return round(value / GRID) * GRID


def _layers(network: Network) -> dict[str, int]:
    """Longest path from a source; wires that close a circle are looked through."""
    graph = topology.digraph(network)
    while True:
        try:
            loop = nx.find_cycle(graph)
        except nx.NetworkXNoCycle:
            break
        graph.remove_edge(*loop[-1][:2])
    depth: dict[str, int] = {}
    for node in nx.topological_sort(graph):
        depth[node] = 1 + max((depth[p] for p in graph.predecessors(node)), default=-1)
    for node in reversed(list(nx.topological_sort(graph))):  # a late source stands next to what it feeds
        if not graph.in_degree(node) and graph.out_degree(node):
            depth[node] = min(depth[s] for s in graph.successors(node)) - 1
    return depth


def _ordered(network: Network, depth: Mapping[str, int]) -> list[list[str]]:
    """Columns, each sorted by the mean row of its neighbours (barycentres, a few sweeps)."""
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for node in network.nodes:
        columns[depth[node]].append(node)
    feeds = {n: [w.source for w in network.into(n)] for n in network.nodes}
    feeds_on = {n: [w.target for w in network.out_of(n)] for n in network.nodes}
    row = {n: float(i) for column in columns for i, n in enumerate(column)}
    for sweep in range(_SWEEPS):
        backwards = bool(sweep % 2)
        neighbours = feeds_on if backwards else feeds
        for column in reversed(columns) if backwards else columns:
            weight = {n: fmean([row[m] for m in neighbours[n]] or [row[n]]) for n in column}
            column.sort(key=weight.__getitem__)
            row.update((n, float(i)) for i, n in enumerate(column))
    return columns


def _spread(network: Network, columns: list[list[str]], sizes: Mapping[str, Size]) -> dict[str, Point]:
    places: dict[str, Point] = {}
    x = 0.0
    for column in columns:
        wanted = {
            n: fmean([places[w.source].y for w in network.into(n) if w.source in places] or [0.0]) for n in column
        }
        bottom = -1e9
        tops: list[float] = []
        for node in column:
            bottom = max(wanted[node], bottom)
            tops.append(bottom)
            bottom += sizes[node][1] + GAP_Y
        slack = fmean(t - wanted[n] for t, n in zip(tops, column, strict=True)) if column else 0.0
        for node, top in zip(column, tops, strict=True):
            places[node] = Point(x, snap(top - slack))
        x += snap(max((sizes[n][0] for n in column), default=0.0) + GAP_X)
    top = min(p.y for p in places.values())
    return {n: Point(p.x, p.y - top) for n, p in places.items()}


def _folded(
    network: Network, columns: list[list[str]], places: dict[str, Point], sizes: Mapping[str, Size]
) -> dict[str, Point]:
    """Break the row of columns into bands under each other when it is long and thin.

    It is broken only where one value passes: a skip connection stays within its band.
    """
    width = max(p.x + sizes[n][0] for n, p in places.items())
    height = max(p.y + sizes[n][1] for n, p in places.items())
    if len(columns) < 7 or width < FOLD_ASPECT * (height + BAND_GAP):
        return places
    bands = max(2, round((width / (PAGE_ASPECT * (height + BAND_GAP))) ** 0.5))
    folded: dict[str, Point] = {}
    top, start = 0.0, 0
    for stop in _breaks(network, columns, -(-len(columns) // bands)):
        nodes = [n for column in columns[start:stop] for n in column]
        left = min(places[n].x for n in nodes)
        high = min(places[n].y for n in nodes)
        folded |= {n: Point(places[n].x - left, places[n].y - high + top) for n in nodes}
        top = snap(max(folded[n].y + sizes[n][1] for n in nodes) + BAND_GAP)
        start = stop
    return folded


def _breaks(network: Network, columns: list[list[str]], length: int) -> list[int]:
    """Where the bands end: at the good places nearest to every ``length`` columns, and at the end.

    Only at the end if that would leave a band much longer than the others.
    """
    column_of = {n: i for i, column in enumerate(columns) for n in column}
    crossing: list[set[tuple[str, str]]] = [set() for _ in range(len(columns) + 1)]
    for wire in network.wires:
        a, b = sorted((column_of[wire.source], column_of[wire.target]))
        for cut in range(a + 1, b + 1):
            crossing[cut].add((wire.source, wire.output))
    ends: list[int] = []
    start = 0
    while len(columns) - start > length * 1.25:
        good = [c for c in range(start + max(2, length // 2), len(columns) - 1) if len(crossing[c]) <= 1]
        if not good:
            break
        wanted = start + length
        start = min(good, key=lambda cut: abs(cut - wanted))
        ends.append(start)
    ends.append(len(columns))
    longest = max(b - a for a, b in pairwise([0, *ends]))
    return ends if longest <= LONGEST_BAND * length else ends[-1:]


def _beside(network: Network, node: str, placed: Mapping[str, Point], sizes: Mapping[str, Size]) -> Point:
    """A place near a node's neighbours: right of what feeds it, else left of what it feeds, else below all."""
    feeders = [w.source for w in network.into(node) if w.source in placed]
    if feeders:
        last = max(feeders, key=lambda n: placed[n].x)
        return Point(placed[last].x + sizes[last][0] + GAP_X, placed[last].y)
    fed = [w.target for w in network.out_of(node) if w.target in placed]
    if fed:
        first = min(fed, key=lambda n: placed[n].x)
        return Point(placed[first].x - sizes[node][0] - GAP_X, placed[first].y)
    bottom = max((p.y + sizes[n][1] for n, p in placed.items()), default=0.0)
    return Point(min((p.x for p in placed.values()), default=0.0), bottom + GAP_Y)
