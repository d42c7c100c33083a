"""A piece of a network as text, and back, in the project's own file format. Knows no Qt.

So a copied piece can be pasted into a message, another window or a file, and the text of a whole
project pastes as its main network. Anything may be on a clipboard: :func:`loads` returns None for
whatever is not a project, and never raises.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from deepgui.graph import edits
from deepgui.graph.blocks import needed
from deepgui.graph.values import Block, Network, Wire
from deepgui.project import file
from deepgui.project.decode import FileError
from deepgui.project.values import Project

_PIECE, _FEEDS = "piece", "feeds"
_LARGEST = 50_000_000
"""Characters; a longer text is not looked at."""


@dataclass(frozen=True)
class Piece:
    """Nodes with the wires among them, the wires that fed them from outside, and the blocks that they use."""

    network: Network
    feeds: tuple[Wire, ...] = ()
    blocks: Mapping[str, Block] = field(default_factory=dict)


def take(network: Network, ids: Collection[str]) -> Piece:
    """The piece of a network that copying these nodes means."""
    return Piece(edits.excerpt(network, ids), _feeds(network, set(ids)))


def _feeds(network: Network, chosen: set[str]) -> tuple[Wire, ...]:
    return tuple(w for w in network.wires if w.target in chosen and w.source not in chosen)


def copy_text(network: Network, ids: Collection[str], blocks: Mapping[str, Block] | None = None) -> str:
    """The piece as text. A second network in it holds the nodes that feed the piece, and their wires.

    Args:
        blocks: those of the project; the ones that the piece uses come along.
    """
    piece = take(network, ids)
    around = {end for w in piece.feeds for end in (w.source, w.target)}
    context = edits.excerpt(network, around)
    inner = tuple(w for w in context.wires if w.target not in piece.network.nodes or w.source in piece.network.nodes)
    networks = {_PIECE: piece.network, _FEEDS: edits.disconnect(context, inner)}
    used = needed((n.kind for n in piece.network.nodes.values()), blocks or {})
    return file.to_text(Project("clipboard", networks, blocks=used))


def loads(text: str) -> Piece | None:
    """Read a piece; None if the text is anything else."""
    if not text.lstrip().startswith("{") or len(text) > _LARGEST:
        return None
    try:
        project = file.from_text(text, "The clipboard")
    except FileError:
        return None
    context = project.networks.get(_FEEDS)
    piece = project.main
    feeds = tuple(w for w in context.wires if w.target in piece.nodes) if context else ()
    return Piece(piece, feeds, project.blocks)
