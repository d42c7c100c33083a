"""What an example consists of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import Any, Literal

from deepgui.catalog.spec import Value
from deepgui.data.columns import TableForm
from deepgui.data.tokenizers import TextForm
from deepgui.graph.shapes import Dim, TensorType, batched

FieldKind = Literal[
    "image",
    "vector",
    "number",
    "label",
    "labels",
    "series",
    "tokens",
    "padding",
    "length",
    "classmap",
    "boxes",
    "features",
    "edges",
    "edge_features",
    "graph",
    "nodes",
]

SHARED = ("features", "edges", "edge_features", "graph")
"""Kinds of field that have no row for each example: they belong to the graph that a batch is joined to."""


@dataclass(frozen=True, slots=True)
class Field:
    """A named tensor of an example.

    Attributes:
        name: unique among the fields of a table.
        kind: ``image`` (C, H, W) with values in 0..1 before normalisation; ``vector`` (..., D);
            ``number`` (1,), so that it agrees with ``Linear(out_features=1)``; ``label`` (), an index into ``classes``;
            ``labels`` (K,) float, 1 for every class that an example has;
            ``series`` (T, C), numbers over time; ``tokens`` (T,) int64, indices into ``classes``, the vocabulary;
            ``padding`` (T,) bool, True where a sequence has ended, as ``key_padding_mask`` wants it;
            ``length`` () int64, how many of T count; ``classmap`` (H, W) int64, the class of every pixel,
            -100 (what torch's losses leave out) where it has none;
            ``boxes`` (M, 5) float: class, centre x, centre y, width, height as shares of the image, class -1 for none.
            Of graphs, which are joined into one where a batch has several: ``features`` (n, F) of nodes,
            ``edges`` (2, E) int64, ``edge_features`` (E, K), ``graph`` (n,) int64, the graph a node belongs to, and
            ``nodes`` (), the node that an example is about, which is not fed to the network.
        shape: without the batch dimension; of graphs without the nodes or edges.
        dtype: ``float32``, ``int64`` or ``bool``, as in ``torch.float32``.
        classes: names of the classes of a label or of a vocabulary.
        columns: names of the elements of a vector's last dimension, where they are known.
        form: how a vector was made from the columns of a text table, if it was.
        text: how tokens were made of text, if they were; :func:`~deepgui.data.tokenizers.tokenizer_of` reads them.
        scaled: whether its numbers may be brought to a common scale; not if they are indicators or shares of a whole.
    """

    name: str
    kind: FieldKind
    shape: tuple[int, ...]
    dtype: str = "float32"
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    form: TableForm | None = None
    text: TextForm | None = None
    scaled: bool = True

    def state(self) -> dict[str, Any]:
        """Plain values for JSON."""
        found = {f.name: getattr(self, f.name) for f in dataclass_fields(self)}
        form, text = (made.state() if made else None for made in (self.form, self.text))
        return {**found, "form": form, "text": text}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Field:
        """What :meth:`state` described. Raises KeyError, TypeError or ValueError for anything else."""
        plain: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in state.items()}
        plain["form"] = TableForm.from_state(state["form"]) if state["form"] else None
        plain["text"] = TextForm.from_state(state["text"]) if state.get("text") else None
        return cls(**plain)


def type_of(field: Field) -> TensorType:
    """What an Input hands on that this field is fed to: ``N×5``, and of graphs ``2×E`` for edges."""
    given = batched(field.shape, field.dtype)
    edges = Dim(1, 0, "E")
    if field.kind == "edges":
        return TensorType((*given.dims[1:], edges), field.dtype)
    return TensorType((edges, *given.dims[1:]), field.dtype) if field.kind == "edge_features" else given


def input_params(field: Field) -> dict[str, Value]:
    """How an Input is drawn that this field is fed to."""
    per = {"edges": "edge_index", "edge_features": "edge"}.get(field.kind, "example")
    return {"shape": field.shape, "dtype": field.dtype, "per": per}


def of_one_graph(fields: Iterable[Field]) -> bool:
    """Whether the examples are nodes of one graph, so that every batch is computed for all nodes."""
    return any(field.kind == "nodes" for field in fields)


def label_field(name: str, classes: tuple[str, ...]) -> Field:
    """A class index, shape ()."""
    return Field(name, "label", (), "int64", classes)


def number_field(name: str) -> Field:
    """A real number to predict, shape (1,)."""
    return Field(name, "number", (1,))


def shown(shape: tuple[int, ...]) -> str:
    """A shape for people: ``1×28×28``; ``1`` for a single value."""
    return "×".join(map(str, shape)) or "1"
