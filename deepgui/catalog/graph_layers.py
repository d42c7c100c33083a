"""Layers on graphs from PyTorch Geometric, declared by the same introspection where it is installed.

A batch of graphs is one large graph without edges between its parts: N nodes with their features, ``edge_index`` with
two rows of node numbers (2×E), and ``batch`` with the number of the graph that each node belongs to (N). So the first
dimension of features counts nodes, and what is pooled has one row for each of G graphs. Layers that choose among the
nodes leave sizes of their own, N1 and E1.
"""

from __future__ import annotations

import importlib
import inspect
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from deepgui.catalog import docstrings
from deepgui.catalog.composed import source_of
from deepgui.catalog.extras import GRAPH_LAYERS
from deepgui.catalog.introspect import module_spec
from deepgui.catalog.spec import Infer, LayerSpec, ParamSpec, PortSpec

CATEGORY = "Graph"
PACKAGE = "torch_geometric.nn"
INDICES = frozenset({"edge_index", "batch"})
"""Inputs that hold numbers of nodes and of graphs."""

CHOOSING = {"TopKPooling": "by their features", "SAGPooling": "by a graph convolution"}
"""Layers that keep some of the nodes, by their scores; how many, and which edges are left, depends on the data."""

_PORTS = ("x", "edge_index", "edge_weight", "edge_attr", "batch")
_HIDDEN = frozenset({"return_attention_weights", "size", "batch_size", "cached", "fill_value", "project", "GNN"})
_AGGREGATIONS = ("mean", "add", "max", "min")
_log = logging.getLogger(__name__)


def graph_layers() -> tuple[LayerSpec, ...]:
    """All that is offered; nothing where PyTorch Geometric is not installed, or does not work."""
    try:
        found = importlib.import_module(PACKAGE)
    except ModuleNotFoundError:
        return ()
    except Exception as error:  # an installation can be broken in any way
        _log.warning("The layers of PyTorch Geometric could not be loaded: %s", error)
        return ()
    put_back()
    return tuple(_declare(kind, getattr(found, kind)) for kind in GRAPH_LAYERS)


_REPLACED = ("select", "index_select")
"""Functions of torch in whose place PyTorch Geometric puts its own, for a kind of tensor that no drawing has. They lack
help and are not what a network calls that is recorded."""


def put_back() -> None:
    """Torch's own functions where they were, whoever has imported PyTorch Geometric."""
    for name in _REPLACED:
        setattr(torch, name, getattr(torch._C._VariableFunctions, name))


def GINConv(
    in_channels: int, out_channels: int, hidden_channels: int, eps: float = 0.0, train_eps: bool = False
) -> nn.Module:
    """A graph isomorphism layer around two linear layers, as in the paper that introduced it."""
    import torch_geometric.nn

    return torch_geometric.nn.GINConv(  # type: ignore[no-any-return]
        nn.Sequential(nn.Linear(in_channels, hidden_channels), nn.ReLU(), nn.Linear(hidden_channels, out_channels)),
        eps=eps,
        train_eps=train_eps,
    )


def _declare(kind: str, thing: Any) -> LayerSpec:
    if not (inspect.isclass(thing) and issubclass(thing, nn.Module)):
        return _pool(kind, thing)
    spec = module_spec(thing, f"{PACKAGE}.{kind}", CATEGORY)
    inputs = tuple(_port(p) for p in spec.inputs if p.name in _PORTS and (kind, p.name) != ("ChebConv", "batch"))
    names = {p.name for p in inputs}
    params = tuple(_param(p, names) for p in spec.params if p.name not in _HIDDEN)
    if kind == "GINConv":
        params = (*_gin_params(), *(p for p in params if p.name in ("eps", "train_eps")))
        target, source = f"{__name__}.GINConv", source_of(GINConv)
        return replace(spec, inputs=inputs, params=params, target=target, source=source, _by_name={})
    if kind in CHOOSING:
        summary = f"Keeps the nodes of each graph that score highest {CHOOSING[kind]}, and the edges between them."
        return replace(spec, inputs=inputs, params=params, outputs=_CHOSEN, summary=summary, _by_name={})
    return replace(spec, inputs=inputs, params=params, outputs=(PortSpec("output"),), _by_name={})


_CHOSEN = (
    PortSpec("x", path=(0,), free=(0, "N"), doc="The nodes that are kept, times their scores."),
    PortSpec("edge_index", path=(1,), free=(1, "E"), doc="The edges between nodes that are kept, numbered anew."),
    PortSpec("edge_attr", path=(2,), free=(0, "E"), doc="What came in for these edges, if anything did."),
    PortSpec("batch", path=(3,), free=(0, "N"), doc="The graph that each kept node belongs to."),
    PortSpec("perm", path=(4,), free=(0, "N"), doc="The numbers that the kept nodes had."),
    PortSpec("score", path=(5,), free=(0, "N"), doc="The scores of the kept nodes."),
)


def _pool(kind: str, function: Any) -> LayerSpec:
    doc = docstrings.clean(function.__doc__)
    return LayerSpec(
        kind=kind,
        target=f"{PACKAGE}.{kind}",
        form="function",
        category=CATEGORY,
        inputs=(PortSpec("x"), _port(PortSpec("batch"))),
        summary=docstrings.summary(doc),
        doc=doc,
        aliases=("readout", "graph pooling"),
    )


def _port(port: PortSpec) -> PortSpec:
    return replace(port, dtypes=("int64",), optional=port.optional) if port.name in INDICES else port


def _param(param: ParamSpec, inputs: set[str]) -> ParamSpec:
    if param.name == "in_channels":
        return replace(param, type="int", minimum=1, infer=Infer("x", -1), nullable=False)
    if param.name == "aggr":
        return replace(param, type="choice", choices=_AGGREGATIONS, nullable=False)
    if param.name == "edge_dim" and "edge_attr" in inputs:
        return replace(param, infer=Infer("edge_attr", -1))
    if param.name == "normalization":
        return replace(param, type="choice", choices=("sym", "rw"))
    if param.name == "nonlinearity":
        return replace(param, type="choice", choices=("tanh", "sigmoid", "relu"), nullable=False)
    if param.name == "ratio":
        return replace(param, type="float", minimum=0.0, nullable=False)
    if param.name == "K":
        return replace(param, default=2, minimum=1)
    return param


def _gin_params() -> Iterator[ParamSpec]:
    yield ParamSpec("in_channels", "int", required=True, minimum=1, infer=Infer("x", -1))
    yield ParamSpec("out_channels", "int", 16, required=True, minimum=1)
    yield ParamSpec("hidden_channels", "int", 16, required=True, minimum=1, doc="Size between the two linear layers.")
