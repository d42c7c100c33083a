"""Texts and series by what lies at a path."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgui.data.errors import DataError
from deepgui.data.recognise import recognise, with_data
from deepgui.project.values import DataConfig

PROSE = "It was the best of times, it was the worst of times,\nit was the age of wisdom.\n"


def lay(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


@pytest.mark.parametrize(
    ("files", "path", "source"),
    [
        ({"novel.txt": PROSE}, "novel.txt", "text"),
        ({"names.txt": "Emma\nOlivia\nAva\n"}, "names.txt", "text"),
        ({"table.txt": "a;b\n1;2\n3;4\n"}, "table.txt", "csv"),
        ({"table.txt": "1.0  2.0 3\n4 5 6\n"}, "table.txt", "csv"),
        ({"Toy_TRAIN.ts": "@data\n"}, "Toy_TRAIN.ts", "ucr"),
        ({"Toy_TRAIN.ts": "@data\n", "Toy_TEST.ts": "@data\n"}, "", "ucr"),
        ({"Irish.txt": "O'Neill\nBreen\n", "Dutch.txt": "Ter Avest\nKok\n", "LICENSE": PROSE}, "", "sentences"),
        ({"one.txt": PROSE, "two.txt": PROSE}, "", "text"),
        ({"pos/1.txt": PROSE, "neg/1.txt": PROSE}, "", "sentences"),
        ({"train/pos/1.txt": PROSE, "train/neg/1.txt": PROSE}, "", "sentences"),
    ],
)
def test_what_lies_there(tmp_path: Path, files: dict[str, str], path: str, source: str) -> None:
    assert recognise(lay(tmp_path, files) / path) == source


@pytest.mark.parametrize("source", ["series", "sentences", "pairs"])
def test_a_project_that_reads_a_table_its_own_way_goes_on_so(tmp_path: Path, source: str) -> None:
    path = lay(tmp_path, {"t.csv": "a,b\n1,2\n"}) / "t.csv"
    before = DataConfig(source, {"path": "old.csv", "delimiter": ","}, {"x": "window"})
    assert with_data(before, path) == DataConfig(source, {"path": str(path), "delimiter": ","}, {"x": "window"})


def test_a_sample_takes_a_file_of_ones_own_with_its_settings(tmp_path: Path) -> None:
    path = lay(tmp_path, {"novel.txt": PROSE, "t.csv": "a,b\n1,2\n"}) / "novel.txt"
    before = DataConfig("python_text", {"context": 32}, {"x": "tokens"}, "next")
    assert with_data(before, path) == DataConfig("text", {"context": 32, "path": str(path)}, {"x": "tokens"}, "next")
    wave = with_data(DataConfig("sine", {"window": 9, "period": 5.0}), tmp_path / "t.csv")
    assert (wave.source, wave.options) == ("series", {"window": 9, "path": str(tmp_path / "t.csv")})


def test_a_folder_of_tables_still_asks_which(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"did you mean t\.txt in it"):
        recognise(lay(tmp_path / "one", {"t.txt": "a,b\n1,2\n"}))
    with pytest.raises(DataError, match=r"did you mean t\.csv in it"):
        recognise(lay(tmp_path / "two", {"readme.txt": PROSE, "t.csv": "a,b\n1,2\n"}))
