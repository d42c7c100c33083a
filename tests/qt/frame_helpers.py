"""What the tests of the window's frame share."""

from __future__ import annotations

from deepgui.catalog.builtin import registry
from deepgui.graph import edits
from deepgui.graph.values import Network, Point, Wire
from deepgui.project.document import Document
from deepgui.project.values import Project
from deepgui.qt.checking import Checking
from deepgui.qt.session import Session


def chain(*layers: tuple[str, dict[str, object]]) -> Network:
    """Layers wired one after the other; the ids are torch's names in snake case."""
    network, last = Network("network"), None
    for place, (kind, params) in enumerate(layers):
        network, node = edits.add_node(network, kind, params, at=Point(240.0 * place, 0.0))
        if last is not None:
            network = edits.connect(network, Wire(last, "output", node.id, "input"))
        last = node.id
    return network


def small_cnn() -> Network:
    """Two convolutions and a classifier for 8×8 images."""
    return chain(
        ("Input", {"shape": (1, 8, 8)}),
        ("Conv2d", {"out_channels": 4, "kernel_size": 3}),
        ("ReLU", {}),
        ("Conv2d", {"out_channels": 8, "kernel_size": 3}),
        ("Flatten", {}),
        ("Linear", {"out_features": 10}),
        ("Output", {}),
    )


def session_of(network: Network, **settings: object) -> Session:
    """A session that knows all layers and checks at once."""
    session = Session(Document(Project("test", {"network": network}, **settings)))
    kinds = registry()
    session.use_catalogue(kinds, Checking(kinds))
    session._check()
    session._check_timer.stop()
    return session


def settle(session: Session) -> None:
    """Have the session check its network now rather than when events are handled."""
    session._check_timer.stop()
    session._check()
