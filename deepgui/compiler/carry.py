"""Weights that move along with an edit: which layer of a new module is which of the one before.

Layers are told apart by the ids of their nodes and of the blocks around them. Making a block and taking one apart
put an id more or less in front; what was renumbered on the way stands in the same order as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

import torch
from torch import Tensor, fx, nn

Step = tuple[str, int]
"""A node's id, and its place in a row; 0 for a block that stands alone."""

_NUMBER = re.compile(r"(_\d+)+$")


@dataclass(frozen=True)
class Carried:
    """The names in a state dict, and what they were before.

    Attributes:
        names: for each tensor that moves along its name before, by its name now.
        fresh: names of tensors that no layer before had.
    """

    names: Mapping[str, str]
    fresh: tuple[str, ...]


class _Leaf(NamedTuple):
    """A call of something that has weights: where its node is, the front of its names, and what it is."""

    path: tuple[Step, ...]
    prefix: str
    what: tuple[object, ...]


def carry(before: fx.GraphModule, after: fx.GraphModule) -> Carried:
    """Find for every tensor of a built network the one that it was in another, from before some edits.

    A layer moves along if its class and the shapes of all its weights are what they were. One that got weights of
    its own has those that it shared.
    """
    old, new = list(_leaves(before)), list(_leaves(after))
    pairs = _matched(old, new)
    names: dict[str, str] = {}
    state = after.state_dict()
    for now, then in pairs.items():
        for name in state:
            if name == now or name.startswith(f"{now}."):
                names[name] = then + name[len(now) :]
    return Carried(names, tuple(name for name in state if name not in names))


def load(before: nn.Module, after: nn.Module, carried: Carried) -> None:
    """Copy the weights that move along into the new module."""
    with torch.no_grad():
        own, other = after.state_dict(), before.state_dict()
        for now, then in carried.names.items():
            own[now].copy_(other[then])


def load_optimizer(
    before: tuple[nn.Module, torch.optim.Optimizer], after: tuple[nn.Module, torch.optim.Optimizer], carried: Carried
) -> None:
    """Give a new optimiser what the one before knew of each parameter that moves along, momenta and steps.

    Both are of one class. Learning rates and the other settings of a group stay those of the new one.
    """
    old, new = dict(before[0].named_parameters()), dict(after[0].named_parameters())
    trained = {id(p) for group in after[1].param_groups for p in group["params"]}
    for now, then in carried.names.items():
        if now in new and then in old and id(new[now]) in trained and old[then] in before[1].state:
            known = before[1].state[old[then]]
            after[1].state[new[now]] = {key: v.clone() if isinstance(v, Tensor) else v for key, v in known.items()}


# --- layers ---------------------------------------------------------------------------------------------


def _leaves(module: fx.GraphModule, path: tuple[Step, ...] = (), front: str = "") -> Iterator[_Leaf]:
    """What has weights, in the order in which it is called; a layer that is called twice comes twice."""
    for node in module.graph.nodes:
        if node.op not in ("call_module", "get_attr") or "node" not in node.meta:
            continue
        target = str(node.target)
        here = (*path, (str(node.meta["node"]).partition(".")[0], int(node.meta.get("instance", 0))))
        if node.op == "get_attr":
            held = getattr(module, target)
            yield _Leaf(here, front + target, (type(held), held.shape, held.dtype))
            continue
        layer = module.get_submodule(target)
        if isinstance(layer, fx.GraphModule):
            yield from _leaves(layer, here, f"{front}{target}.")
        elif state := layer.state_dict():
            yield _Leaf(here, front + target, (type(layer), *((n, t.shape) for n, t in state.items())))


def _matched(old: list[_Leaf], new: list[_Leaf]) -> dict[str, str]:
    """The front of the names before, by the front of the names now."""
    found: dict[str, str] = {}
    left = {leaf.path: leaf for leaf in old}
    wanted = {leaf.path: leaf for leaf in new}

    def pair(now: _Leaf, then: _Leaf) -> None:
        found.setdefault(now.prefix, then.prefix)
        left.pop(then.path, None)
        wanted.pop(now.path, None)

    for path, leaf in list(wanted.items()):
        if path in left and left[path].what == leaf.what:
            pair(leaf, left[path])
    for path, shorter in _moved(left, wanted):
        pair(wanted[shorter], left[path])
    for path, shorter in _moved(wanted, left):
        pair(wanted[path], left[shorter])
    then, now = list(left.values()), list(wanted.values())
    matcher = SequenceMatcher(None, _keys(then), _keys(now), autojunk=False)
    for i, j, count in matcher.get_matching_blocks():
        for place in range(count):
            pair(now[j + place], then[i + place])
    return found


def _moved(
    longer: Mapping[tuple[Step, ...], _Leaf], shorter: Mapping[tuple[Step, ...], _Leaf]
) -> list[tuple[tuple[Step, ...], tuple[Step, ...]]]:
    """Layers in a block on one side that stand around it on the other: of each such block all of them or none."""
    groups: dict[tuple[Step, ...], list[tuple[Step, ...]]] = {}
    for path in longer:
        for depth in range(1, len(path)):
            groups.setdefault(path[:depth], []).append(path)
    found: dict[tuple[Step, ...], tuple[Step, ...]] = {}
    for block, paths in groups.items():
        moved = {path: (*block[:-1], *path[len(block) :]) for path in paths if path not in found}
        taken = set(found.values())
        if all(
            to in shorter and to not in taken and shorter[to].what == longer[path].what for path, to in moved.items()
        ):
            found |= moved
    return list(found.items())


def _keys(leaves: Iterable[_Leaf]) -> list[tuple[object, ...]]:
    """What two layers must have in common to be one that was renumbered."""
    return [(_NUMBER.sub("", leaf.path[-1][0]), leaf.what) for leaf in leaves]
