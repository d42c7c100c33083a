"""Short texts with a class each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from deepgui.data.dataset import Dataset, prepare
from deepgui.data.errors import DataError
from deepgui.data.legend import Legend
from deepgui.data.tokenizers import tokenizer_of
from deepgui.project.values import DataConfig


def read(path: Path, **options) -> Dataset:
    return prepare(DataConfig("sentences", {"path": str(path), **options}))


def texts(dataset: Dataset, split: str = "train") -> Counter[tuple[str, str]]:
    """Texts with their classes."""
    part = dataset.splits[split]
    examples = part.get(torch.arange(len(part)))
    decode = tokenizer_of(dataset.field("tokens")).decode
    classes = [dataset.target.classes[i] for i in examples[dataset.target.name]]
    return Counter((decode(row), label) for row, label in zip(examples["tokens"], classes, strict=True))


def all_texts(dataset: Dataset) -> Counter[tuple[str, str]]:
    return texts(dataset) + texts(dataset, "validation") + texts(dataset, "test")


@pytest.fixture
def languages(tmp_path: Path) -> Path:
    folder = tmp_path / "names"
    folder.mkdir()
    (folder / "Irish.txt").write_text("O'Neill\nBreen \n\nÓ Briain\nAhearn\n", "utf-8")
    (folder / "Korean.txt").write_text("Kim\nPark\nChoi\nSeo", "utf-8")
    return folder


def test_a_file_a_class_and_a_line_an_example(languages: Path) -> None:
    dataset = read(languages)
    assert dataset.target.classes == ("Irish", "Korean")
    assert set(all_texts(dataset)) == {
        *((name, "Irish") for name in ("O'Neill", "Breen", "Ó Briain", "Ahearn")),
        *((name, "Korean") for name in ("Kim", "Park", "Choi", "Seo")),
    }
    assert dataset.inputs == ("tokens", "padding", "length")
    assert dataset.field("tokens").shape == (8,)


def test_padding_and_length_say_where_a_text_ends(languages: Path) -> None:
    examples = read(languages).train.all()
    for tokens, padding, length in zip(*(examples[n] for n in ("tokens", "padding", "length")), strict=True):
        assert padding.tolist() == [i >= length for i in range(8)]
        assert ((tokens == 0) == padding).all()


def test_a_folder_a_class_with_splits_of_its_own(tmp_path: Path) -> None:
    for split, count in (("train", 5), ("test", 2)):
        for label in ("neg", "pos"):
            folder = tmp_path / split / label
            folder.mkdir(parents=True)
            for i in range(count):
                (folder / f"{i}.txt").write_text(f"{label} {split} {i} film\n")
    dataset = read(tmp_path, tokenizer="word", min_frequency=1)
    assert len(dataset.test) == 4
    assert set(texts(dataset, "test")) == {("<unk>", "")} or all("film" in text for text, _ in texts(dataset, "test"))
    assert "test" not in dataset.field("tokens").classes  # what only test texts say is not learnt


def test_a_table_of_texts(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    rows = [f'{i},"a good, long film {i % 3}",pos\n{i},a bad film indeed,neg\n' for i in range(10)]
    path.write_text("id,review,sentiment\n" + "".join(rows) + "99,,pos\n")
    dataset = read(path, tokenizer="word", min_frequency=1)
    assert (dataset.target.name, dataset.target.classes) == ("sentiment", ("neg", "pos"))
    assert ("a bad film indeed", "neg") in texts(dataset)
    assert "1 row without a text was left out" in dataset.notes
    named = read(path, text="review", label="3", tokenizer="word", min_frequency=1)
    assert named.fields == dataset.fields


def test_long_texts_are_cut_and_it_is_said(languages: Path) -> None:
    dataset = read(languages, length=4)
    assert dataset.field("tokens").shape == (4,)
    assert ("O'Ne", "Irish") in all_texts(dataset)
    assert "4 texts were cut to 4 tokens" in dataset.notes


def test_other_names_come_as_the_network_knows_them(languages: Path, tmp_path: Path) -> None:
    dataset = read(languages)
    legend = Legend(dataset.fields[:3], dataset.target, dataset.normalizer)
    other = tmp_path / "other"
    other.mkdir()
    (other / "Korean.txt").write_text("Bin\nBinninger-Koz\nKo\nPiz\n")
    found = prepare(DataConfig("sentences", {"path": str(other)}, validation=0, test=0), known=legend)
    assert found.field("tokens") == dataset.field("tokens")
    assert found.target.classes == ("Irish", "Korean")
    assert set(texts(found)) == {("Bin", "Korean"), ("Binnine", "Korean"), ("Ko", "Korean"), ("Pi", "Korean")}
    assert found.train.all()["tokens"].eq(1).sum() == 2  # g and z are unknown


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no .txt file"),
        ({"A.txt": "x\ny\n"}, "only one class, 'A'"),
        ({"A.txt": "x\n", "B.txt": "\n \n"}, "class 'B' has no example"),
        ({"A.txt": "x\n", "B.txt": "caf\xe9".encode("latin-1")}, r"B\.txt, row 1: byte 3 \(0xe9\)"),
        ({"a/1.txt": "x", "b/1.txt": " "}, r"b/1\.txt: there is no text"),
        ({"a/1.txt": "x", "b/1.doc": "y"}, r"no text of class 'b'"),
    ],
)
def test_unusable_folders_get_one_sentence(tmp_path: Path, files: dict, said: str) -> None:
    for name, content in files.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=said):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("text\none\n", {}, "only one column"),
        ("a,b\nlong text,x\nlong texts,\n", {}, "row 3: the class in column 'b' is missing"),
        ("a,b\nlong text,x\nlong texts,y\n", {}, "different in every row"),
        ("a,b\nlong text,x\n", {"text": "b", "label": "b"}, "cannot be both"),
        ("a,b\nlong text,x\n", {"text": "c"}, "no column 'c'"),
    ],
)
def test_unusable_tables_get_one_sentence(tmp_path: Path, content: str, options: dict, said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        read(path, **options)


def test_invented_names_are_generated_alike_and_once() -> None:
    first, again, other = (prepare(DataConfig("names", {"n": 500, "seed": s})) for s in (1, 1, 2))
    assert all_texts(first) == all_texts(again) != all_texts(other)
    assert len({name for name, _ in all_texts(first)}) == 500
    assert not {name for name, _ in texts(first)} & {name for name, _ in texts(first, "test")}
    counts = Counter(label for _, label in all_texts(first).elements())
    assert min(counts.values()) > 80


def test_invented_names_take_order_to_be_told_apart() -> None:
    """A bag of letters gets some right, three in a row far more."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    dataset = prepare(DataConfig("names"))
    (x, y), (a, b) = (zip(*texts(dataset, split), strict=True) for split in ("train", "test"))
    scores = []
    for size in (1, 3):
        bag = CountVectorizer(analyzer="char", ngram_range=(1, size))
        scores.append(LogisticRegression(max_iter=500).fit(bag.fit_transform(x), y).score(bag.transform(a), b))
    assert scores[0] < 0.7
    assert scores[1] > scores[0] + 0.1
