"""A graph in two text tables: one names the two ends of every edge, the other says what is known of the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepgui.catalog.spec import ParamSpec
from deepgui.data.columns import Column, TableForm, numbers, shortened
from deepgui.data.csv_roles import ColumnUse, uses
from deepgui.data.csv_target import in_order, read_target
from deepgui.data.csv_text import Sheet, listed, read_sheet
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.joined import EDGE_FIELD, EDGES, FEATURES, NODE_FIELD, NODES, NodesTable, both_ways, feature_field
from deepgui.data.source_spec import Options

WEIGHT = "weight"

EDGE_LIST_PARAMS = (
    ParamSpec("path", "str", required=True, doc="The CSV file with a row for each edge."),
    ParamSpec("labels", "str", required=True, doc="The CSV file with a row for each node: its name, features, target."),
    ParamSpec(
        "target", "str", "", doc="Column of the nodes to learn: name or number. Empty: the last. Cells may be empty."
    ),
    ParamSpec(
        "task",
        "choice",
        "auto",
        choices=("auto", "classification", "regression"),
        doc="Whether the target is a class or a number. Auto: text and few whole numbers are classes.",
    ),
    ParamSpec("id", "str", "", doc="Column with the name of the node. Empty: the first."),
    ParamSpec("source", "str", "", doc="Column of the edges with the node where one starts. Empty: the first."),
    ParamSpec("destination", "str", "", doc="Column of the edges with the node where one ends. Empty: the second."),
    ParamSpec("weight", "str", "", doc="Column of the edges with a weight, which becomes an input of its own."),
    ParamSpec("directed", "bool", False, doc="Edges lead one way only; else every edge leads both ways."),
    ParamSpec(
        "roles", "str", "", doc="What columns of the nodes are for, such as age=number, city=category, note=ignore."
    ),
    ParamSpec("header", "choice", "auto", choices=("auto", "yes", "no"), doc="Whether the first rows hold names."),
    ParamSpec("delimiter", "str", "", doc="Character between cells. Empty: found out."),
    ParamSpec("decimal", "choice", ".", choices=(".", ","), doc="Decimal mark."),
)


def edge_list(options: Options) -> NodesTable:
    """Open a graph with the options of :data:`EDGE_LIST_PARAMS`; the nodes with a target are the examples.

    Raises:
        DataError: a file or option cannot be used, or an edge ends at a node that nobody knows.
    """
    sheet = _sheet(options, "labels")
    key = _column(sheet, str(options["id"]), 0)
    places = _numbered(sheet, key)
    features, names, target, notes = _features(sheet, key, options)
    labelled = np.setdiff1d(np.arange(len(sheet)), sheet.holes(target))
    if not len(labelled):
        raise DataError(f"the target {sheet.names[target]!r} is empty: choose another column", file=sheet.path)
    field, values = read_target(sheet.only(labelled.tolist()), target, str(options["task"]), str(options["decimal"]))
    field = field if field.name not in (FEATURES, EDGES, NODES, WEIGHT) else replace(field, name=f"{field.name}_target")
    edges, weights = _edges(places, options)
    tensors = {FEATURES: features, EDGES: edges, NODES: torch.from_numpy(labelled), field.name: values}
    fields = [feature_field(features.shape[1], names), EDGE_FIELD, NODE_FIELD]
    if weights is not None:
        tensors[WEIGHT] = weights
        fields.append(Field(WEIGHT, "edge_features", ()))
    said = f"{len(sheet):,} nodes, of which {len(labelled):,} have a {field.name}; {edges.shape[1]:,} edges"
    said += "" if options["directed"] else ", each counted in both directions"
    missing = {sheet.names[target]: len(sheet) - len(labelled)} if len(labelled) < len(sheet) else {}
    return NodesTable((*fields, field), field.name, tensors, missing=missing, notes=(*sheet.notes, *notes, said))


def edge_list_again(options: Options, learnt: tuple[Field, ...]) -> NodesTable:
    """The same for a network that has learnt with these fields. Raises DataError if they mean something else."""
    table = edge_list(options)
    known = next((f.columns for f in learnt if f.kind == "features"), None)
    found = table.fields[0].columns
    if known is not None and known != found:
        odd = [name for name in (*known, *found) if (name in known) != (name in found)]
        text = f"the network has learnt with other features of nodes: {listed(odd, 4) or 'in another order'}"
        raise DataError(text, file=str(options["labels"]))
    return table


def _sheet(options: Options, option: str) -> Sheet:
    path = Path(str(options[option])).expanduser()
    sheet = read_sheet(path, str(options["delimiter"]), str(options["header"]))
    if len(sheet.names) < 2:
        what = "the two ends of an edge" if option == "path" else "the name of a node and its target"
        raise DataError(
            f"there is one column only, but {what} are needed; set the delimiter if it is unusual", file=path
        )
    return sheet


def _column(sheet: Sheet, named: str, otherwise: int) -> int:
    return sheet.position(named) if named else otherwise


def _numbered(sheet: Sheet, key: int) -> dict[str, int]:
    """The number of every node by its name. Raises DataError if two nodes have the same name."""
    cells = sheet.columns[key]
    places = {cell: row for row, cell in enumerate(cells)}
    if len(places) < len(cells):
        row = next(row for row, cell in enumerate(cells) if places[cell] != row)
        other = sheet.lines[places[cells[row]]]
        text = f"the node {shortened(cells[row])!r} stands here and in row {other}, but names must differ"
        text += "; set id to the column with the names"
        raise DataError(text, file=sheet.path, row=sheet.lines[row])
    return places


def _features(sheet: Sheet, key: int, options: Options) -> tuple[Tensor, tuple[str, ...], int, list[str]]:
    """What is known of the nodes (n, F), the names of its elements, the target's column, and remarks.

    Nodes of which nothing is known but their names get an element each.
    """
    found = uses(sheet, {**options, "ignore": "", "categories": "", "numbers": ""})
    target = next(i for i, use in enumerate(found) if use.role == "target")
    if target == key:
        raise DataError(f"the column {sheet.names[key]!r} names the nodes, so it cannot be learnt", file=sheet.path)
    roles = {i: use for i, use in enumerate(found) if use.role in ("number", "category") and i != key}
    notes = [use.note for i, use in enumerate(found) if use.note and i != key]
    if not roles:
        names = tuple(f"is {name}" for name in sheet.columns[key])
        return torch.eye(len(sheet)), names, target, [*notes, "nodes have no features, so each is told by its name"]
    form = TableForm(tuple(_form(sheet, i, use) for i, use in roles.items()), len(sheet.names), target, sheet.headed)
    values = form.encode(sheet, str(options["decimal"]), new=True)
    holes = int(np.isnan(values).any(axis=1).sum())
    if holes:
        values = np.where(np.isnan(values), np.array(form.fills(values), np.float32), values)
        notes.append(f"what is missing of nodes ({holes:,}) is the mean, or the most frequent category")
    return torch.from_numpy(values.astype(np.float32)), form.elements, target, notes


def _form(sheet: Sheet, place: int, use: ColumnUse) -> Column:
    return Column(use.name, place, tuple(in_order(sheet.present(place))) if use.role == "category" else ())


def _edges(places: dict[str, int], options: Options) -> tuple[Tensor, Tensor | None]:
    """Edges (2, E), and their weights (E,) if a column has them."""
    sheet = _sheet(options, "path")
    start, end = (_column(sheet, str(options[name]), i) for i, name in enumerate(("source", "destination")))
    pairs = np.stack([_ends(sheet, column, places) for column in (start, end)])
    if not options["weight"]:
        return torch.from_numpy(pairs if options["directed"] else both_ways(pairs)), None
    column = sheet.position(str(options["weight"]))
    weights = numbers(sheet, column, str(options["decimal"]), new=True).astype(np.float32)
    if holes := sheet.holes(column):
        raise DataError("an edge has no weight: add it", file=sheet.path, row=sheet.lines[holes[0]])
    if not options["directed"]:
        other = pairs[0] != pairs[1]
        pairs = np.concatenate([pairs, pairs[::-1][:, other]], axis=1)
        weights = np.concatenate([weights, weights[other]])
    return torch.from_numpy(pairs), torch.from_numpy(weights)


def _ends(sheet: Sheet, column: int, places: dict[str, int]) -> NDArray[np.int64]:
    cells: Sequence[str] = sheet.columns[column]
    unknown = next((row for row, cell in enumerate(cells) if cell not in places), None)
    if unknown is not None:
        text = f"the edge ends at {shortened(cells[unknown])!r}, which is none of the nodes ({listed(list(places), 4)})"
        raise DataError(text, file=sheet.path, row=sheet.lines[unknown])
    return np.array([places[cell] for cell in cells], dtype=np.int64)
