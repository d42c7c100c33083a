"""Molecules written as SMILES: atoms are nodes, bonds are edges, and a number or class of each is to be learnt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepgui.catalog.spec import ParamSpec
from deepgui.data.columns import shortened
from deepgui.data.csv_target import read_target
from deepgui.data.csv_text import Sheet, is_missing, likeness, listed, read_sheet
from deepgui.data.errors import DataError
from deepgui.data.joined import Drawn, GraphsTable, feature_field, stacked
from deepgui.data.progress import Progress, tell
from deepgui.data.source_spec import Options

MOLECULES_PARAMS = (
    ParamSpec("path", "str", required=True, doc="The CSV file with a row for each molecule."),
    ParamSpec("smiles", "str", "", doc="Column with the SMILES. Empty: the one called smiles."),
    ParamSpec("target", "str", "", doc="Column to learn: its name or number. Empty: the last one that has no SMILES."),
    ParamSpec(
        "task",
        "choice",
        "auto",
        choices=("auto", "classification", "regression"),
        doc="Whether the target is a class or a number. Auto: text and few whole numbers are classes.",
    ),
    ParamSpec("bonds", "bool", False, doc="Give the kinds of the bonds, too, as an input with a row for each edge."),
    ParamSpec("unreadable", "choice", "error", choices=("error", "drop"), doc="What to do with SMILES of no molecule."),
    ParamSpec("header", "choice", "auto", choices=("auto", "yes", "no"), doc="Whether the first row holds names."),
    ParamSpec("delimiter", "str", "", doc="Character between cells. Empty: found out."),
    ParamSpec("decimal", "choice", ".", choices=(".", ","), doc="Decimal mark."),
)

ELEMENTS = ("H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Se", "Br", "I")
_DEGREES, _HYDROGENS = 6, 5  # counts from 0; more are taken for the largest
ATOM_COLUMNS = (
    *ELEMENTS,
    "other element",
    *(f"{n} bonds" for n in range(_DEGREES)),
    *(f"{n} hydrogens" for n in range(_HYDROGENS)),
    "charge",
    "aromatic",
    "in a ring",
)
BOND_COLUMNS = ("single", "double", "triple", "aromatic", "conjugated", "in a ring")
_TOLD = 200  # molecules between two words on how far it is


def molecules(options: Options) -> GraphsTable:
    """Open a table of molecules with the options of :data:`MOLECULES_PARAMS`.

    Raises:
        DataError: RDKit is missing, the file or an option cannot be used, or SMILES describe no molecule.
    """
    chemistry = _rdkit()
    path = Path(str(options["path"])).expanduser()
    sheet = read_sheet(path, str(options["delimiter"]), str(options["header"]))
    smiles = _smiles(sheet, str(options["smiles"]))
    target = _target(sheet, smiles, str(options["target"]))
    rows = [r for r, cell in enumerate(sheet.columns[target]) if not is_missing(cell)]
    if not rows:
        raise DataError(f"the target {sheet.names[target]!r} is empty: choose another column", file=path)
    graphs, kept = _graphs(chemistry, sheet, smiles, rows, options)
    said = f"{len(kept):,} molecules"
    said += f"; {len(sheet) - len(rows):,} without a value to learn left out" if len(rows) < len(sheet) else ""
    said += f"; {len(rows) - len(kept):,} with SMILES of no molecule left out" if len(kept) < len(rows) else ""
    field, values = read_target(sheet.only(kept), target, str(options["task"]), str(options["decimal"]))
    missing = {sheet.names[target]: len(sheet) - len(rows)} if len(rows) < len(sheet) else {}
    atoms = feature_field(len(ATOM_COLUMNS), ATOM_COLUMNS, scaled=False)
    return stacked(graphs, atoms, field, values, missing=missing, notes=(*sheet.notes, said))


def _rdkit() -> Any:
    try:
        from rdkit import Chem
    except ImportError:
        raise DataError("molecules are read by RDKit, which is not installed: pip install deepgui[molecules]") from None
    return Chem


def _smiles(sheet: Sheet, named: str) -> int:
    if named:
        return sheet.position(named)
    found = [i for i, name in enumerate(sheet.names) if "smiles" in likeness(name).split()]
    if len(found) != 1:
        what = "no column is" if not found else "several columns are"
        text = f"{what} called smiles: name the column with the molecules ({listed(sheet.names)})"
        raise DataError(text, file=sheet.path)
    return found[0]


def _target(sheet: Sheet, smiles: int, named: str) -> int:
    if named:
        found = sheet.position(named)
        if found == smiles:
            raise DataError("the column with the SMILES cannot be learnt: choose another target", file=sheet.path)
        return found
    others = [i for i in range(len(sheet.names)) if i != smiles]
    if not others:
        raise DataError("there is no column beside the SMILES to learn", file=sheet.path)
    return others[-1]


def _graphs(
    chemistry: Any, sheet: Sheet, smiles: int, rows: Sequence[int], options: Options
) -> tuple[list[Drawn], list[int]]:
    """A graph for each row whose SMILES can be read, and these rows."""
    from rdkit import rdBase

    graphs: list[Drawn] = []
    kept: list[int] = []
    with rdBase.BlockLogs():  # RDKit would write its complaints beside ours
        for done, row in enumerate(rows):
            if done % _TOLD == 0:
                tell(Progress(done, len(rows), "molecules read"))
            cell = sheet.columns[smiles][row]
            molecule = chemistry.MolFromSmiles(cell) if not is_missing(cell) else None
            if molecule is not None and molecule.GetNumAtoms():
                graphs.append(_graph(molecule, bool(options["bonds"])))
                kept.append(row)
            elif options["unreadable"] == "error":
                text = f"{shortened(cell)!r} describes no molecule: correct it, or set unreadable to drop"
                raise DataError(text, file=sheet.path, row=sheet.lines[row])
    if not graphs:
        text = f"no SMILES in column {sheet.names[smiles]!r} describe a molecule: choose another column"
        raise DataError(text, file=sheet.path)
    return graphs, kept


def _graph(molecule: Any, bonds: bool) -> Drawn:
    features = np.array([_atom(atom) for atom in molecule.GetAtoms()], np.float32)
    found = list(molecule.GetBonds())
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in found]
    one_way = np.array(ends, np.int64).reshape(-1, 2).T
    kinds: NDArray[np.float32] | None = None
    if bonds:
        own = np.array([_bond(bond) for bond in found], np.float32).reshape(-1, len(BOND_COLUMNS))
        kinds = np.concatenate([own, own])
    return Drawn(features, np.concatenate([one_way, one_way[::-1]], axis=1), kinds)


def _atom(atom: Any) -> list[float]:
    symbol = atom.GetSymbol()
    element = ELEMENTS.index(symbol) if symbol in ELEMENTS else len(ELEMENTS)
    return [
        *_one_hot(element, len(ELEMENTS) + 1),
        *_one_hot(atom.GetDegree(), _DEGREES),
        *_one_hot(atom.GetTotalNumHs(), _HYDROGENS),
        float(atom.GetFormalCharge()),
        float(atom.GetIsAromatic()),
        float(atom.IsInRing()),
    ]


def _bond(bond: Any) -> list[float]:
    kinds = ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC")
    kind = str(bond.GetBondType())
    own = [float(kind == name) for name in kinds]
    return [*own, float(bond.GetIsConjugated()), float(bond.IsInRing())]


def _one_hot(value: int, size: int) -> list[float]:
    found = [0.0] * size
    found[min(value, size - 1)] = 1.0
    return found
