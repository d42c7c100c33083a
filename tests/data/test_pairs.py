"""Pairs of texts for networks that turn one sequence into another."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import torch

from deepgui.data.dataset import Dataset, prepare
from deepgui.data.errors import DataError
from deepgui.data.legend import Legend
from deepgui.data.tokenizers import BOS, EOS, PAD, tokenizer_of
from deepgui.project.values import DataConfig


def read(path: Path, **options) -> Dataset:
    return prepare(DataConfig("pairs", {"path": str(path), **options}, validation=0, test=0))


def pairs(dataset: Dataset, split: str = "train", specials: bool = False) -> list[tuple[str, str]]:
    part = dataset.splits[split]
    examples = part.get(torch.arange(len(part)))
    made = {name: tokenizer_of(dataset.field(name)) for name in ("source", "target")}
    sides = ([made[n].decode(row, specials) for row in examples[n]] for n in ("source", "target"))
    return list(zip(*sides, strict=True))


def test_targets_stand_between_their_marks(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("Go.\tVa !\nRun!\tCours\u202f!\nI see.\tJe vois.\n", "utf-8")
    dataset = read(path)
    assert pairs(dataset) == [("Go.", "Va !"), ("Run!", "Cours\u202f!"), ("I see.", "Je vois.")]
    assert pairs(dataset, specials=True)[0] == ("Go.<pad><pad><pad>", "<bos>Va !<eos><pad><pad><pad><pad>")
    assert dataset.inputs == ("source", "source_padding")
    assert dataset.train.all()["source_padding"][0].tolist() == [False] * 3 + [True] * 3
    source, target = dataset.field("source").classes, dataset.field("target").classes
    assert set(source) - {"<pad>", "<unk>"} == set("Go.Run!Isee ")
    assert target[:4] == (PAD, "<unk>", BOS, EOS)


def test_columns_may_be_chosen_and_a_header_is_no_pair(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,source,target\n1,a b,b a\n2,c d,d c\n")
    assert pairs(read(path, source="source", target="target")) == [("a b", "b a"), ("c d", "d c")]
    assert pairs(read(path, source="2", target="3")) == [("a b", "b a"), ("c d", "d c")]
    assert pairs(read(path, source="2", target="3", header="no"))[0] == ("source", "target")


def test_other_pairs_come_with_both_vocabularies(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("abc\tcba\nbca\tacb\n")
    dataset = read(path)
    fields = {f.name: f for f in dataset.fields}
    legend = Legend((fields["source"], fields["source_padding"]), dataset.target, dataset.normalizer)
    path.write_text("ab\tba\nbcaz\tzacb\n")
    found = prepare(DataConfig("pairs", {"path": str(path)}, validation=0, test=0), known=legend)
    assert found.fields == dataset.fields
    assert pairs(found, specials=True) == [("ab<pad>", "<bos>ba<eos><pad>"), ("bca", "<bos><unk>acb")]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("a\nb\n", {}, "only one column"),
        ("a\tb\nc\t\n", {}, "row 2: there is no text in column"),
        ("a\tb\n", {"source": "1", "target": "1"}, "cannot be both"),
        ("a\tb\n", {"target": "5"}, "no column '5'"),
        ("", {}, "empty"),
    ],
)
def test_unusable_pairs_get_one_sentence(tmp_path: Path, content: str, options: dict, said: str) -> None:
    path = tmp_path / "t.tsv"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        read(path, **options)


def test_generated_dates_are_the_days_that_they_say() -> None:
    dataset = prepare(DataConfig("dates", {"n": 1000}))
    found = pairs(dataset) + pairs(dataset, "validation") + pairs(dataset, "test")
    assert len({source for source, _ in found}) == 1000
    for source, target in found:
        day = date.fromisoformat(target)
        assert str(day.year) in source
        assert str(day.day) in source
    assert prepare(DataConfig("dates", {"n": 1000, "seed": 1})).train.all()["source"].shape[0] == 700
    assert pairs(prepare(DataConfig("dates", {"n": 1000, "seed": 1}))) != pairs(dataset)


def test_generated_letters_are_reversed() -> None:
    dataset = prepare(DataConfig("reversal", {"n": 500, "longest": 7}))
    for source, target in pairs(dataset):
        assert target == source[::-1]
        assert 3 <= len(source) <= 7
    with pytest.raises(DataError, match="not 100 different texts"):
        prepare(DataConfig("reversal", {"n": 100, "longest": 1}))
