"""Names of nodes as attributes of a module: unique identifiers that shadow nothing of torch.nn.Module."""

from __future__ import annotations

import builtins
import keyword

from torch import nn

from deepgui.graph.edits import fresh_id, identifier
from deepgui.graph.values import Network

_RESERVED = frozenset(dir(nn.Module)) | frozenset(dir(builtins)) | {"self", "torch", "nn", "Tensor", "graph", "code"}

_NAMELESS = frozenset(("", "Unnamed", "Untitled", "Network", "Module", "Tensor"))


def safe(name: str) -> str:
    """An identifier near to ``name`` that may be used as attribute and variable in generated source."""
    word = identifier(name)
    return f"{word}_" if word in _RESERVED or keyword.issoftkeyword(word) else word


def attribute_names(network: Network) -> dict[str, str]:
    """Attribute name by node id; two nodes never share one."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for node in network.nodes.values():
        names[node.id] = fresh_id(taken, safe(node.label))
        taken.add(names[node.id])
    return names


def class_name(name: str) -> str:
    """A class name for a network: ``my net 2`` → ``MyNet2``, ``LeNet`` stays; ``Net`` for one that nobody named."""
    words = identifier(name).split("_")
    joined = "".join(w[:1].upper() + w[1:] for w in words if w)
    return "Net" if joined in _NAMELESS else joined
