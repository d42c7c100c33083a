"""Where graphs come from: the karate club, generated shapes, citation networks, edges in CSV files, molecules."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch

from deepgui.data.dataset import Dataset, prepare
from deepgui.data.errors import DataError
from deepgui.data.legend import Legend
from deepgui.data.molecules import ATOM_COLUMNS, BOND_COLUMNS
from deepgui.project.values import DataConfig


def opened(source: str, **options: object) -> Dataset:
    return prepare(DataConfig(source, options))  # type: ignore[arg-type]


def batch_of(dataset: Dataset, *rows: int) -> dict[str, torch.Tensor]:
    return dataset.train.table.get(torch.tensor(rows))


def refused(source: str, **options: object) -> str:
    with pytest.raises(DataError) as error:
        opened(source, **options)
    return str(error.value)


# -- karate


@pytest.mark.parametrize(("communities", "classes"), [("2", 2), ("4", 4)])
def test_training_knows_one_member_of_each_community(communities: str, classes: int) -> None:
    dataset = opened("karate", communities=communities)
    assert dataset.inputs == ("features", "edges")
    labels = dataset.train.labels()
    assert labels is not None
    assert sorted(labels.tolist()) == list(range(classes))
    assert torch.cat([split.rows for split in dataset.splits.values()]).sort().values.tolist() == list(range(34))
    for split in (dataset.validation, dataset.test):
        assert set(split.labels().tolist()) == set(range(classes))


def test_the_circles_are_the_partition_with_the_highest_modularity() -> None:
    labels = opened("karate", communities="4").train.table.labels().tolist()
    circles = [{n for n in range(34) if labels[n] == c} for c in range(4)]
    assert nx.community.modularity(nx.karate_club_graph(), circles, weight=None) == pytest.approx(0.4198, abs=1e-4)


def test_ties_lead_both_ways_and_features_are_not_scaled() -> None:
    batch = opened("karate").train.get(torch.tensor([0, 1]))
    ties = set(map(tuple, batch["edges"].T.tolist()))
    assert len(ties) == batch["edges"].shape[1] == 2 * 78
    assert ties == {(b, a) for a, b in ties}
    assert torch.equal(batch["features"], torch.eye(34))


def test_someone_must_be_left_to_guess() -> None:
    assert "at most 4" in refused("karate", communities="4", labelled=5)


# -- generated shapes


def test_generated_graphs_have_the_shape_they_are_said_to_have() -> None:
    dataset = opened("graph_shapes", n=80)
    assert dataset.inputs == ("features", "edges", "graph")
    for row in range(80):
        batch = batch_of(dataset, row)
        graph = nx.Graph(batch["edges"].T.tolist())
        degrees = [d for _, d in graph.degree]
        name = dataset.target.classes[int(batch["shape"])]
        assert nx.is_connected(graph)
        assert (name in ("tree", "star")) == nx.is_tree(graph)
        assert (name == "star") == (max(degrees) == len(graph) - 1)
        assert (name == "ring") == (set(degrees) == {2})
        assert sorted(batch["features"].flatten().tolist()) == sorted(degrees)


def test_loops_are_counted() -> None:
    dataset = prepare(DataConfig("graph_shapes", {"n": 40}), "regression")
    for row in range(40):
        batch = batch_of(dataset, row)
        assert batch["loops"].item() == len(nx.cycle_basis(nx.Graph(batch["edges"].T.tolist())))


def test_the_same_seed_gives_the_same_graphs() -> None:
    first, again, other = (opened("graph_shapes", n=20, seed=seed).train.table.tensors["edges"] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not (first.shape == other.shape and torch.equal(first, other))


def test_sizes_the_wrong_way_round_are_refused() -> None:
    assert "exchange them" in refused("graph_shapes", smallest=9, largest=8)


# -- citation networks

ARRAYS = {
    "x": np.array([[1, 1], [0, 2], [0, 0], [3, 0], [1, 0], [0, 1]]),
    "y": np.array([0, 1, 1, 0, 1, -1]),
    "edge_index": np.array([[0, 1, 1, 2, 5], [1, 0, 1, 3, 4]]),
    "train_idx": np.array([1, 0]),
    "val_idx": np.array([2]),
    "test_idx": np.array([4, 3]),
}


def saved(folder: Path, **changes: object) -> Path:
    arrays = {**ARRAYS, **changes}
    path = folder / "net.npz"
    np.savez(path, **{name: values for name, values in arrays.items() if values is not None})
    return path


def test_a_citation_network_has_the_split_of_its_file(tmp_path: Path) -> None:
    dataset = opened("planetoid", path=str(saved(tmp_path)))
    assert [s.get(torch.arange(len(s)))["nodes"].tolist() for s in dataset.splits.values()] == [[0, 1], [2], [3, 4]]
    batch = dataset.train.get(torch.arange(2))
    assert batch["label"].tolist() == [0, 1]
    assert batch["features"].tolist() == [[0.5, 0.5], [0, 1], [0, 0], [1, 0], [1, 0], [0, 1]]
    assert batch["edges"].tolist() == [[0, 1, 2, 3, 4, 5], [1, 0, 3, 2, 5, 4]]
    assert "1 of them without a class" in " ".join(dataset.notes)


def test_sparse_features_and_counts_as_they_are(tmp_path: Path) -> None:
    sparse = {"x": None, "x_row": np.array([0, 5]), "x_col": np.array([1, 0]), "x_val": np.array([2.0, 3.0])}
    path = saved(tmp_path, **sparse, x_shape=np.array([6, 2]))
    features = opened("planetoid", path=str(path), row_normalize=False).train.all()["features"]
    assert features.nonzero().tolist() == [[0, 1], [5, 0]]
    assert features.sum() == 5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y": None}, "no array 'y'"),
        ({"x": None}, "no array 'x'"),
        ({"edge_index": np.array([[0], [6]])}, "names the node 6, but there are 6"),
        ({"edge_index": np.array([[0, 1, 2]])}, "2×E"),
        ({"y": np.array([0.5] * 6)}, "whole numbers"),
        ({"y": np.array([0, 1])}, "6 rows of x but 2 of y"),
        ({"test_idx": np.array([5])}, "node 5 of the test split has no class"),
        ({"test_idx": np.array([0])}, "in two splits"),
        ({"val_idx": np.array([], dtype=int)}, "the validation split is empty"),
    ],
)
def test_what_is_wrong_with_a_citation_network_is_said(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    path = saved(tmp_path, **changes)
    message = refused("planetoid", path=str(path))
    assert words in message
    assert str(path) in message


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    (tmp_path / "ind.cora.x").write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    for path in (tmp_path, tmp_path / "ind.cora.x"):
        assert "pickles" in refused("planetoid", path=str(path))
    assert not (tmp_path / "ran").exists()


def test_papers_and_citations_in_text(tmp_path: Path) -> None:
    papers = [f"p{i}\t{i % 2}\t1\t{'ab'[i % 2]}" for i in range(100)]
    (tmp_path / "net.content").write_text("\n".join(papers) + "\n")
    (tmp_path / "net.cites").write_text("p0\tp1\np5\tp2\nstranger\tp3\n")
    dataset = opened("planetoid", path=str(tmp_path))
    assert dataset.target.classes == ("a", "b")
    assert [len(split) for split in dataset.splits.values()] == [40, 20, 40]
    assert dataset.train.all()["edges"].tolist() == [[0, 1, 2, 5], [1, 0, 5, 2]]
    (tmp_path / "net.content").write_text("\n".join([*papers, "p100\t1\ta"]))
    assert "net.content, row 101" in refused("planetoid", path=str(tmp_path))


# -- edges and nodes in CSV files

NODES = "name,age,town,side\nann,30,Bonn,left\nbob,,Kiel,right\ncid,50,Bonn,\ndan,40,Bonn,left\n"
EDGES = "from,to,since\nann,bob,1\nbob,cid,2\nann,bob,3\ndan,dan,4\n"


def tables(folder: Path, nodes: str = NODES, edges: str = EDGES) -> dict[str, str]:
    (folder / "edges.csv").write_text(edges)
    (folder / "nodes.csv").write_text(nodes)
    return {"path": str(folder / "edges.csv"), "labels": str(folder / "nodes.csv")}


def test_a_graph_in_two_tables(tmp_path: Path) -> None:
    dataset = prepare(DataConfig("edge_list", tables(tmp_path), validation=0.0, test=0.0, normalize="none"))
    batch = dataset.train.all()
    assert dataset.field("features").columns == ("age", "town=Bonn", "town=Kiel")
    assert batch["features"].tolist() == [[30, 1, 0], [40, 0, 1], [50, 1, 0], [40, 1, 0]]
    assert batch["edges"].tolist() == [[0, 1, 1, 2, 3], [1, 0, 2, 1, 3]]
    assert batch["nodes"].tolist() == [0, 1, 3]
    assert [dataset.target.classes[i] for i in batch["side"]] == ["left", "right", "left"]
    assert dataset.summary()["missing"] == {"side": 1}


def test_edges_may_have_weights_and_one_direction(tmp_path: Path) -> None:
    options = {**tables(tmp_path), "weight": "since", "directed": True}
    dataset = prepare(DataConfig("edge_list", options, validation=0.0, test=0.0))
    batch = dataset.train.all()
    assert dataset.inputs == ("features", "edges", "weight")
    assert batch["edges"].tolist() == [[0, 1, 0, 3], [1, 2, 1, 3]]
    assert batch["weight"].tolist() == [1, 2, 3, 4]


def test_nodes_of_which_nothing_is_known_are_told_by_name(tmp_path: Path) -> None:
    options = tables(tmp_path, "name,score\na,1.5\nb,2.5\nc,3.25\n", "a,b\nb,c\n")
    dataset = prepare(DataConfig("edge_list", options, validation=0.0, test=0.0))
    assert dataset.field("features").columns == ("is a", "is b", "is c")
    assert dataset.target.kind == "number"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"edges": EDGES + "eve,ann,5\n"}, "edges.csv, row 6: the edge ends at 'eve', which is none of the nodes"),
        ({"nodes": NODES + "ann,1,Bonn,left\n"}, "nodes.csv, row 2: the node 'ann' stands here and in row 6"),
        ({"edges": "only\nann\n"}, "one column only"),
        ({"nodes": "name,side\nann,\nbob,\n"}, "'side' is empty"),
    ],
)
def test_what_is_wrong_with_tables_of_a_graph_is_said(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    assert words in refused("edge_list", **tables(tmp_path, **changes))


def test_a_network_reads_its_graph_again_and_no_other(tmp_path: Path) -> None:
    config = DataConfig("edge_list", tables(tmp_path), validation=0.0, test=0.0)
    dataset = prepare(config)
    known = Legend.from_json(dataset.legend(dataset.field(name) for name in dataset.inputs).to_json())
    assert torch.equal(prepare(config, known=known).train.all()["features"], dataset.train.all()["features"])
    tables(tmp_path, NODES.replace("Kiel", "Ulm"))
    with pytest.raises(DataError, match="other features of nodes: town=Kiel, town=Ulm"):
        prepare(config, known=known)


# -- molecules

MOLECULES = "id,solubility,smiles\n1,-0.77,CCO\n2,1.5,c1ccccc1\n3,,C\n4,0.25,[Na+].[Cl-]\n"


def written(folder: Path, text: str = MOLECULES) -> str:
    (folder / "some.csv").write_text(text)
    return str(folder / "some.csv")


def test_molecules_are_graphs_of_atoms_and_bonds(tmp_path: Path) -> None:
    config = DataConfig("molecules", {"path": written(tmp_path), "bonds": True}, validation=0.0, test=0.0)
    dataset = prepare(config)
    assert dataset.inputs == ("features", "edges", "graph", "edge_features")
    batch = dataset.train.raw(torch.arange(3))
    assert batch["graph"].tolist() == [0] * 3 + [1] * 6 + [2] * 2
    assert batch["solubility"].flatten().tolist() == pytest.approx([-0.77, 1.5, 0.25])
    assert torch.bincount(batch["graph"][batch["edges"][0]], minlength=3).tolist() == [4, 12, 0]
    ethanol, ring, salt = (batch["features"][batch["graph"] == g] for g in range(3))
    column = {name: i for i, name in enumerate(ATOM_COLUMNS)}
    assert ethanol[:, column["C"]].tolist() == [1, 1, 0]
    assert ethanol[:, column["3 hydrogens"]].tolist() == [1, 0, 0]
    assert ring[:, column["aromatic"]].sum() == ring[:, column["in a ring"]].sum() == 6
    assert salt[:, column["charge"]].tolist() == [1, -1]
    assert salt[:, column["other element"]].tolist() == [1, 0]
    kinds = batch["edge_features"][:, BOND_COLUMNS.index("aromatic")]
    assert kinds.tolist() == [0] * 4 + [1] * 12
    assert "1 without a value to learn left out" in " ".join(dataset.notes)


def test_smiles_of_no_molecule_are_named_with_their_row(tmp_path: Path) -> None:
    path = written(tmp_path, MOLECULES + "5,0.5,C1CC\n6,0.75,CC\n")
    assert f"{path}, row 6: 'C1CC' describes no molecule" in refused("molecules", path=path)
    dataset = opened("molecules", path=path, unreadable="drop")
    assert dataset.summary()["examples"] == 4
    assert "4 molecules; 1 without a value to learn left out; 1 with SMILES of no molecule left out" in dataset.notes


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("id,value\n1,2\n", {}, "no column is called smiles"),
        (MOLECULES, {"target": "smiles"}, "cannot be learnt"),
        ("smiles\nCC\n", {}, "no column beside the SMILES"),
        (MOLECULES, {"smiles": "id", "unreadable": "drop", "target": "solubility"}, "no SMILES in column 'id'"),
    ],
)
def test_what_is_wrong_with_a_table_of_molecules_is_said(tmp_path, text, options, words) -> None:
    assert words in refused("molecules", path=written(tmp_path, text), **options)
