"""CSV files as people have them: any delimiter, header or none, holes, texts, and damage."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deepgui.data.csv_text import is_missing, parse_number
from deepgui.data.dataset import prepare
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.sources import open_source
from deepgui.data.table import TensorTable
from deepgui.project.values import DataConfig


@pytest.fixture
def table(tmp_path):
    """Writes a file and opens it."""

    def open_text(text: str | bytes, objective: str = "", **options) -> TensorTable:
        path = tmp_path / "table.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        opened = open_source(DataConfig("csv", {"path": str(path), **options}), objective)
        assert isinstance(opened, TensorTable)
        return opened

    return open_text


def features(table: TensorTable) -> list[list[float]]:
    return table.tensors["features"].tolist()


def target(table: TensorTable) -> Field:
    return next(f for f in table.fields if f.name == table.target)


HEADED = "size,weight,kind\n1,2.5,cat\n3,4,dog\n5,6,cat\n"


def test_header_text_target_and_names(table) -> None:
    t = table(HEADED)
    assert features(t) == [[1, 2.5], [3, 4], [5, 6]]
    assert t.fields[0].columns == ("size", "weight")
    assert (t.target, target(t).classes) == ("kind", ("cat", "dog"))
    assert t.tensors["kind"].tolist() == [0, 1, 0]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " "])
def test_the_delimiter_is_found_out(table, delimiter) -> None:
    assert features(table(HEADED.replace(",", delimiter))) == features(table(HEADED))


@pytest.mark.parametrize(
    "data",
    [
        HEADED.encode("utf-8-sig"),
        HEADED.encode("utf-16"),
        HEADED.replace("\n", "\r\n").encode(),
        ("\n" + HEADED + "\n\n").encode(),
        HEADED.replace(",", " , ").encode(),
        HEADED.replace("cat", '"cat"').encode(),
    ],
    ids=["byte order mark", "utf-16", "windows line ends", "blank lines", "blanks around cells", "quotes"],
)
def test_ways_to_write_the_same_table(table, data) -> None:
    t = table(data)
    assert (features(t), t.fields[0].columns) == ([[1, 2.5], [3, 4], [5, 6]], ("size", "weight"))
    assert target(t).classes == ("cat", "dog")


def test_latin_1_and_quoted_cells(table) -> None:
    t = table('a,b,"Größe, innen"\n1,2,"klein, ""ja"""\n3,4,groß\n'.encode("latin-1"))
    assert t.target == "Größe, innen"
    assert target(t).classes == ("groß", 'klein, "ja"')


def test_no_header(table) -> None:
    t = table("5.1,3.5,Iris-setosa\n4.9,3.0,Iris-virginica\n")
    assert t.fields[0].columns == ("column_1", "column_2")
    assert len(t) == 2


def test_header_can_be_forced_either_way(table) -> None:
    assert len(table("2019,2020\n1,2\n3,4\n", header="yes")) == 2
    assert len(table("a,b\nc,d\na,d\n", header="no")) == 3


@pytest.mark.parametrize("named", ["size", "1", "-3"])
def test_target_by_name_or_number(table, named) -> None:
    t = table("size,weight,kind\n1,2.5,cat\n3,4,dog\n5,6,cat\n", target=named)
    assert t.target == "size"
    assert t.fields[0].columns == ("weight", "kind=cat", "kind=dog")


def test_unknown_target_names_the_columns(table) -> None:
    with pytest.raises(DataError, match="no column 'price'; the columns are size, weight, kind"):
        table(HEADED, target="price")


def test_the_project_can_name_the_target(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i}.5,{i % 3}\n" for i in range(40)))
    dataset = prepare(DataConfig("csv", {"path": str(path)}, target="a"))
    assert (dataset.target.name, dataset.target.kind) == ("a", "number")


def test_categories_one_hot_or_code(table) -> None:
    text = "colour,x,y\nred,1,0\nblue,2,1\nred,3,0\nblue,4,1\n"
    assert features(table(text)) == [[0, 1, 1], [1, 0, 2], [0, 1, 3], [1, 0, 4]]
    assert features(table(text, category_as="code")) == [[1, 1], [0, 2], [1, 3], [0, 4]]
    assert features(table(text, ignore="colour")) == [[1], [2], [3], [4]]
    assert table(text, categories="x").fields[0].columns[-4:] == ("x=1", "x=2", "x=3", "x=4")


def test_column_names_with_commas_are_quoted_in_lists(table) -> None:
    t = table('"a, b",c,y\n1,2,0\n3,4,1\n', ignore='"a, b"')
    assert t.fields[0].columns == ("c",)


def test_text_where_a_number_belongs_is_named_with_row_and_column(table) -> None:
    with pytest.raises(
        DataError, match=r"table\.csv, row 3: column 'weight' holds 'heavy' where a number belongs"
    ) as e:
        table("size,weight,kind\n1,2.5,cat\n3,heavy,dog\n5,6,cat\n")
    assert e.value.row == 3


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999", "-1e39", "1_000"])
def test_infinite_and_odd_numbers_are_refused(table, cell) -> None:
    with pytest.raises(DataError, match="row 3"):
        table(f"a,b\n1,0\n{cell},1\n2,0\n")


def test_decimal_comma(table) -> None:
    text = "a;b;y\n1,5;2;u\n2,5;3;v\n"
    with pytest.raises(DataError, match="set decimal to ','"):
        table(text)
    assert features(table(text, decimal=",")) == [[1.5, 2], [2.5, 3]]


HOLES = "a,c,y\n1,red,0\n?,red,1\n3,NA,0\n5,blue,1\n7,red,\n"


def test_missing_values_are_refused_with_their_rows(table) -> None:
    with pytest.raises(DataError, match=r"3 values are missing in 'a', 'c', 'y' \(rows 3, 4, 6\)") as e:
        table(HOLES)
    assert e.value.row == 3


def test_rows_with_missing_values_can_be_dropped(table) -> None:
    t = table(HOLES, missing="drop")
    assert t.tensors["features"][:, 0].tolist() == [1, 5]
    assert t.missing == {"a": 1, "c": 1, "y": 1}
    assert t.notes == ("3 rows with missing values left out",)


def test_missing_values_can_be_filled_but_never_the_target(table) -> None:
    t = table(HOLES, missing="fill")
    assert len(t) == 4
    assert t.tensors["features"][1, 0].isnan()
    assert t.fields[0].columns == ("a", "c=blue", "c=red")
    assert t.tensors["features"][2].isnan().tolist() == [False, True, True]


def test_filling_uses_the_mean_of_the_training_rows_only(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "".join(f"{'' if i % 7 == 0 else i},{i % 2}\n" for i in range(100)))
    dataset = prepare(DataConfig("csv", {"path": str(path), "missing": "fill"}, normalize="none"))
    train = dataset.train.rows
    known = train[train % 7 != 0]
    expected = known.double().mean().item()
    for split in dataset.splits.values():
        values = split.all()["features"][:, 0]
        assert values.isfinite().all()
        assert values[split.rows % 7 == 0].tolist() == pytest.approx([expected] * int((split.rows % 7 == 0).sum()))


def test_ragged_row_is_named(table) -> None:
    with pytest.raises(DataError, match="row 3: 2 cells where the header has 3"):
        table("a,b,y\n1,2,0\n3,4\n5,6,1\n")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a,b,y\n", "no row below"),
        (b"x\n1\n2\n", "only one column"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a text file"),
        (b'a,b\n1,"2\n3,4\n', "quote may be open"),
        (b"a,b\n,x\n,y\n", "no column is left"),
        (b"a,b\n1,\n2,\n", "set missing"),
    ],
)
def test_unusable_files_get_one_sentence(table, data, says) -> None:
    with pytest.raises(DataError, match=says) as e:
        table(data)
    assert "\n" not in str(e.value)
    assert "table.csv" in str(e.value)


def test_no_such_file() -> None:
    with pytest.raises(DataError, match="no such file"):
        open_source(DataConfig("csv", {"path": "/nowhere/at/all.csv"}))


def test_forced_encoding_names_the_row(table) -> None:
    with pytest.raises(DataError, match="row 2: the text is not utf-8"):
        table("a,b\n1,größe\n".encode("latin-1"), encoding="utf-8")


def test_free_text_is_left_out_and_said_so(table) -> None:
    rows = "".join(f"person {i},{i},{i % 2}\n" for i in range(20))
    t = table("name,x,y\n" + rows)
    assert t.fields[0].columns == ("x",)
    assert t.notes == ("text column 'name' has 20 different values and was left out",)


def test_whole_numbers_as_target_follow_the_objective(table) -> None:
    text = "x,y\n" + "".join(f"{i}.5,{i % 4 + 3}\n" for i in range(40))
    assert target(table(text)).classes == ("3", "4", "5", "6")
    as_number = table(text, "regression")
    assert target(as_number) == Field("y", "number", (1,))
    assert as_number.tensors["y"][:2].tolist() == [[3], [4]]
    assert target(table(text.replace(",3\n", ",3.0\n"), "classification")).classes == ("3", "4", "5", "6")


def test_class_names_are_ordered_as_numbers(table) -> None:
    text = "x,y\n" + "".join(f"1,{n}\n" for n in (10, 9, 2, 10))
    assert target(table(text, "classification")).classes == ("2", "9", "10")


def test_a_measured_target_is_no_class(table) -> None:
    text = "x,y\n" + "".join(f"{i},{i * 1.37}\n" for i in range(40))
    assert target(table(text)).kind == "number"
    with pytest.raises(DataError, match="choose regression"):
        table(text, "classification")


def test_a_text_target_cannot_be_regressed(table) -> None:
    with pytest.raises(DataError, match="column 'kind' holds 'cat' where a number belongs"):
        table(HEADED, "regression")


def test_repeated_and_missing_names_are_told_apart(table) -> None:
    assert table("a,a,,y\n1,2,3,0\n4,5,6,1\n").fields[0].columns == ("a", "a_2", "column_3")


def test_a_column_called_features_is_no_trouble(table) -> None:
    t = table("x,features\n1,u\n2,v\n")
    assert [f.name for f in t.fields] == ["inputs", "features"]


def test_the_changed_file_is_read_again(table) -> None:
    assert len(table(HEADED)) == 3
    assert len(table(HEADED + "7,8,dog\n")) == 4


def test_a_wrong_option_is_named(table) -> None:
    with pytest.raises(DataError, match="no option 'delimeter'; did you mean delimiter"):
        table(HEADED, delimeter=";")
    with pytest.raises(DataError, match="missing must be one of"):
        table(HEADED, missing="guess")
    with pytest.raises(DataError, match="needs a path"):
        open_source(DataConfig("csv"))


finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=8).map(
    str.strip
)


def is_name(text: str) -> bool:
    return not is_missing(text) and parse_number(text) is None


@given(st.data())
def test_what_is_written_is_read(tmp_path_factory, data) -> None:
    width = data.draw(st.integers(1, 4))
    header = data.draw(st.lists(names.filter(is_name), min_size=width + 1, max_size=width + 1, unique=True))
    rows = data.draw(st.lists(st.lists(finite, min_size=width, max_size=width), min_size=1, max_size=12))
    kinds = data.draw(st.lists(names.filter(is_name), min_size=len(rows), max_size=len(rows)))
    delimiter = data.draw(st.sampled_from([",", ";", "\t"]))
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([header, *([*map(repr, row), kind] for row, kind in zip(rows, kinds, strict=True))])
    path: Path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    options = {"path": str(path), "header": "yes", "delimiter": delimiter, "task": "classification"}
    table = open_source(DataConfig("csv", options))
    assert isinstance(table, TensorTable)
    assert table.fields[0].columns == tuple(header[:width])
    assert table.target == header[width]
    assert np.array_equal(table.tensors[table.fields[0].name].numpy(), np.array(rows, dtype=np.float32))
    classes = table.fields[1].classes
    assert [classes[i] for i in table.tensors[table.target].tolist()] == kinds


@given(st.binary(max_size=300))
def test_any_bytes_open_or_are_refused_in_one_sentence(tmp_path_factory, data) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(data)
    opened, refusal = None, ""
    try:
        opened = open_source(DataConfig("csv", {"path": str(path), "missing": "fill"}))
    except DataError as error:
        refusal = str(error)
    if opened is None:
        assert refusal
        assert "\n" not in refusal
    else:
        assert torch.isfinite(opened.get(torch.arange(len(opened)))[opened.target].float()).all()


def test_scattered_whole_numbers_are_no_classes(table) -> None:
    with pytest.raises(DataError, match="has 60 different numbers"):
        table("x,y\n" + "".join(f"{i},{i * 1000}\n" for i in range(60)), "classification")
    assert len(target(table("x,y\n" + "".join(f"{i},{i % 30}\n" for i in range(600)), "classification")).classes) == 30
