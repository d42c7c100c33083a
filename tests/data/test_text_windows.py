"""Long texts for language models."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from deepgui.data.batches import Batches
from deepgui.data.dataset import Dataset, prepare
from deepgui.data.errors import DataError
from deepgui.data.legend import Legend
from deepgui.data.sources import open_source
from deepgui.data.tokenizers import tokenizer_of
from deepgui.project.values import DataConfig

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def alphabet(tmp_path: Path) -> Path:
    path = tmp_path / "alphabet.txt"
    path.write_text(ALPHABET * 40)
    return path


def read(path: Path, validation: float = 0.1, test: float = 0.0, **options) -> Dataset:
    return prepare(DataConfig("text", {"path": str(path), "context": 8, **options}, validation=validation, test=test))


def texts(dataset: Dataset, split: str, field: str = "tokens") -> list[str]:
    part = dataset.splits[split]
    decode = tokenizer_of(dataset.field(field)).decode
    return [decode(row) for row in part.get(torch.arange(len(part)))[field]]


def test_the_target_is_the_window_one_further(alphabet: Path) -> None:
    dataset = read(alphabet, stride=1)
    assert dataset.inputs == ("tokens",)
    assert dataset.target.name == "next"
    for now, after in zip(texts(dataset, "train"), texts(dataset, "train", "next"), strict=True):
        assert now[1:] == after[:-1]
        assert now + after[-1] in ALPHABET * 2


def test_no_token_of_one_split_is_in_another(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("".join(chr(0x4E00 + i) for i in range(1000)))  # every character once
    dataset = read(path, 0.2, 0.1, stride=1)
    seen = [set("".join(texts(dataset, s) + texts(dataset, s, "next"))) for s in ("train", "validation", "test")]
    assert sum(map(len, seen)) == len(set().union(*seen))
    assert max(seen[0]) < min(seen[1])
    assert max(seen[1]) < min(seen[2])
    assert len(seen[0]) == 700
    assert "the validation and test examples are the source's own" in dataset.notes
    assert "the validation examples are the source's own" in read(path, 0.2).notes


def test_training_windows_overlap_by_the_stride_and_others_not_at_all(alphabet: Path) -> None:
    dataset = read(alphabet, stride=2)
    assert [len(s) for s in dataset.splits.values()] == [(936 - 9) // 2 + 1, (104 - 9) // 8 + 1, 0]
    assert texts(dataset, "train")[:2] == ["abcdefgh", "cdefghij"]
    assert texts(dataset, "validation")[:2] == ["abcdefgh", "ijklmnop"]


def test_a_million_windows_are_cut_batch_by_batch_in_the_order_of_the_seed(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text(ALPHABET * 4000)
    dataset = read(path, stride=1, context=64)
    assert len(dataset.train) > 90_000
    assert not dataset.train.fits  # a window table of a hundred times the text
    first, again = (next(Batches(dataset.train, 4, shuffle=True, seed=1).epoch(0)) for _ in range(2))
    assert first["tokens"].shape == (4, 64)
    assert first["tokens"].dtype == torch.int64
    assert torch.equal(first["tokens"], again["tokens"])
    assert torch.equal(first["tokens"][:, 1:], first["next"][:, :-1])
    batches = Batches(dataset.train, 4, shuffle=True, seed=1)
    second = [b["tokens"] for _, b in zip(range(2), batches.epoch(0), strict=False)][1]
    assert torch.equal(next(batches.epoch(0, start=1))["tokens"], second)


def test_a_masked_language_model_has_its_token_and_learns_the_window_itself(alphabet: Path) -> None:
    dataset = read(alphabet, mask_token=True)
    assert dataset.target.classes == ("<mask>", *ALPHABET)
    assert [f.name for f in dataset.fields] == ["tokens"]
    assert dataset.inputs == ("tokens",)
    assert not (dataset.train.all()["tokens"] == 0).any()


def test_the_vocabulary_of_words_is_of_the_training_part(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("to be or not to be " * 30 + "ought ought " * 20)
    dataset = read(path, 0.3, tokenizer="word")
    assert "ought" not in dataset.target.classes
    assert texts(dataset, "validation")[-1] == ""  # all unknown


def test_other_text_is_read_with_the_vocabulary_that_a_network_knows(alphabet: Path, tmp_path: Path) -> None:
    dataset = read(alphabet)
    legend = Legend(dataset.fields[:1], dataset.target, dataset.normalizer)
    other = tmp_path / "other.txt"
    other.write_text("zyx" * 50)
    config = DataConfig("text", {"path": str(other), "context": 8}, validation=0.2, test=0.2)
    found = prepare(config, known=legend)
    assert found.target.classes == dataset.target.classes
    assert texts(found, "train")[0] == "zyxzyxzy"
    other.write_text("zyx" * 50 + "É")
    with pytest.raises(DataError, match=r"other\.txt, row 1: 'É' \(character 151\) is not in the vocabulary"):
        prepare(config, known=legend)


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "b.txt").write_text("2" * 20)
    (tmp_path / "a.txt").write_text("1" * 20)
    (tmp_path / "part" / "c.TXT").write_text("3" * 20)
    (tmp_path / ".hidden.txt").write_text("4" * 20)
    dataset = read(tmp_path, 0.0, stride=8)
    assert "".join(texts(dataset, "train")) == ("1" * 20 + "\n" + "2" * 20 + "\n" + "3" * 20)[:56]


def test_line_ends_and_marks_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "dos.txt"
    path.write_bytes("\ufeffone\r\ntwo\r\n".encode() * 1 + b"three\rfour\r\n" * 5)
    assert set(read(path, 0.0).target.classes) == set("onetwhrfu\n")
    path.write_bytes(("one\ntwo " * 10).encode("utf-16"))
    assert set(read(path, 0.0).target.classes) == set("one\ntwo ")


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (b"", {}, "there is no text"),
        (b" \n \n", {}, "there is no text"),
        (b"ab\ncaf\xe9 au lait", {}, r"row 2: byte 6 \(0xe9\) is not utf-8: set encoding"),
        (b"\x00\x01" * 50, {}, "not a text file"),
        (b"short", {}, r"has 5 tokens, but a window takes 9: lower context"),
        (b"a b c d e f g h i j k l", {"validation": 0.3}, "the validation part of the text has"),
        (b"abc" * 99, {"validation": 0.6, "test": 0.5}, "leave nothing to train on"),
        (b"abc" * 99, {"tokenizer": "bpe", "vocabulary": 100}, "at least 256 tokens"),
    ],
)
def test_unusable_text_gets_one_sentence(tmp_path: Path, content: bytes, options: dict, said: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        read(path, options.pop("validation", 0.0), options.pop("test", 0.0), **options)


def test_a_missing_file_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "none.txt")
    with pytest.raises(DataError, match=r"no \.txt file"):
        read(tmp_path)


def test_latin_1_is_read_when_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("déjà vu ".encode("latin-1") * 9)
    assert "é" in read(path, 0.0, encoding="latin-1").target.classes


def test_pythons_own_help_is_a_text_that_is_always_there() -> None:
    table = open_source(DataConfig("python_text"))
    assert len(table.sequences["text"]) > 300_000
    dataset = prepare(DataConfig("python_text", validation=0.1, test=0.0))
    assert "statement" in "".join(texts(dataset, "validation"))
    assert any("Python 3" in note for note in dataset.notes)
    assert len(dataset.target.classes) == 96  # whatever the version's text: a network's size must not depend on it
