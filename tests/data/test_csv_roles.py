"""What the columns of a CSV file are for, and what becomes of cells without a value."""

from __future__ import annotations

import json

import pytest
import torch

from deepgui.data.csv_roles import parse_roles, uses_of_file, with_role, write_roles
from deepgui.data.dataset import Dataset, prepare
from deepgui.data.errors import DataError
from deepgui.data.legend import Legend
from deepgui.data.sources import open_source, sources
from deepgui.project.values import DataConfig

CARS = "id,doors,colour,price,sold\n" + "".join(
    f"{i},{2 + i % 3},{('red', 'blue', 'green')[i % 3]},{100 + i}.5,{('yes', 'no')[i % 2]}\n" for i in range(40)
)


@pytest.fixture
def config(tmp_path):
    """Writes a file and names it."""

    def make(text: str, **options) -> DataConfig:
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return DataConfig("csv", {"path": str(path), **options}, normalize="none")

    return make


def columns(config: DataConfig, objective: str = "") -> tuple[str, ...]:
    return open_source(config, objective).fields[0].columns


def test_roles_are_told_per_column_and_the_rest_is_judged(config) -> None:
    told = config(CARS, roles="id=ignore, doors=category, price=target")
    dataset = prepare(told)
    assert dataset.target.name == "price"
    assert dataset.fields[0].columns == (
        *(f"doors={n}" for n in (2, 3, 4)),
        *(f"colour={c}" for c in ("blue", "green", "red")),
        "sold=no",
        "sold=yes",
    )


def test_a_role_counts_more_than_a_list(config) -> None:
    assert columns(config(CARS, ignore="id, doors, colour", roles="doors=number")) == ("doors", "price")


def test_what_a_file_holds_can_be_asked_even_where_it_cannot_be_read(config) -> None:
    spoilt = config(CARS.replace("107.5", "cheap"))
    with pytest.raises(DataError, match=r"row 9: column 'price' holds 'cheap' where a number belongs: .*category"):
        prepare(spoilt)
    found = {use.name: use for use in uses_of_file(sources()["csv"].options(spoilt.options))}
    assert [(use.role, use.told) for use in found.values()] == [
        ("number", False),
        ("number", False),
        ("category", False),
        ("number", False),
        ("target", True),
    ]
    assert (found["doors"].different, set(found["doors"].cells)) == (3, {"2", "3", "4"})


@pytest.mark.parametrize(
    ("roles", "says"),
    [
        ("doors", "written as column=role"),
        ("doors=class", "cannot have the role 'class'"),
        ("doors=categry", "did you mean category"),
        ("wheels=ignore", "no column 'wheels'"),
        ("doors=target, price=target", "only one can be"),
        ("sold=number", "'sold' is the target"),
    ],
)
def test_unusable_roles_get_one_sentence(config, roles, says) -> None:
    with pytest.raises(DataError, match=says):
        prepare(config(CARS, roles=roles))


def test_two_targets_in_two_places_are_refused(config) -> None:
    with pytest.raises(DataError, match="price, sold are all to be the target"):
        prepare(config(CARS, roles="price=target", target="sold"))


def test_roles_are_written_as_they_are_read() -> None:
    roles = {"a": "number", 'the "b", or c': "ignore", "x=y": "category", "d": "target"}
    assert parse_roles(write_roles(roles)) == roles
    assert write_roles({"a": "number", "b": "ignore"}) == "a=number, b=ignore"


HOLES = "a,c,y\n" + "".join(
    f"{'' if i % 5 == 0 else i * i},{'NA' if i % 4 == 0 else ('u', 'v', 'v')[i % 3]},{i % 2}\n" for i in range(60)
)


def filled(dataset: Dataset, column: str) -> list[float]:
    """The values of a column where the file has none."""
    at = dataset.fields[0].columns.index(column)
    gone = {"a": 5}.get(column, 4)
    found = []
    for split in dataset.splits.values():
        found += split.all()["features"][split.rows % gone == 0][:, at].tolist()
    return found


def training(dataset: Dataset, step: int) -> torch.Tensor:
    """Rows of the training split that have a value."""
    return dataset.train.rows[dataset.train.rows % step != 0]


@pytest.mark.parametrize("missing", ["mean", "median", "most_frequent", "constant", "fill"])
def test_missing_numbers_are_filled_with_what_the_training_rows_say(config, missing) -> None:
    dataset = prepare(config(HOLES, missing=missing, fill_value=-7.0))
    known = training(dataset, 5).double().square()
    expected = {"median": float(known.quantile(0.5)), "most_frequent": float(known.min()), "constant": -7.0}
    want = expected.get(missing, float(known.mean()))
    assert filled(dataset, "a") == pytest.approx([want] * 12)


def test_missing_categories_are_the_most_frequent_one_of_the_training_rows(config) -> None:
    dataset = prepare(config(HOLES, missing="median"))
    cells = [("u", "v", "v")[i % 3] for i in training(dataset, 4).tolist()]
    assert cells.count("v") > cells.count("u")
    assert (set(filled(dataset, "c=u")), set(filled(dataset, "c=v"))) == ({0}, {1})
    coded = prepare(config(HOLES, missing="median", category_as="code"))
    assert set(filled(coded, "c")) == {1}


def test_missing_categories_can_be_one_of_their_own(config) -> None:
    dataset = prepare(config(HOLES, missing="constant"))
    assert dataset.fields[0].columns == ("a", "c=u", "c=v", "c=missing")
    assert filled(dataset, "c=missing") == [1] * 15


def test_an_indicator_says_what_was_missing(config) -> None:
    dataset = prepare(config(HOLES, missing="mean", indicator=True))
    names = dataset.fields[0].columns
    assert names == ("a", "a is missing", "c=u", "c=v", "c is missing")
    for split in dataset.splits.values():
        values = split.all()["features"]
        assert values[:, 1].tolist() == (split.rows % 5 == 0).float().tolist()
        assert values[:, 4].tolist() == (split.rows % 4 == 0).float().tolist()


def test_what_fills_is_kept_with_a_run_and_serves_other_files(config, tmp_path) -> None:
    chosen = config(HOLES, missing="median", indicator=True)
    learnt = prepare(chosen)
    legend = Legend.from_json(learnt.legend([learnt.fields[0]]).to_json())
    assert legend.inputs[0].form == learnt.fields[0].form
    other = tmp_path / "other.csv"
    other.write_text("y,C , A\n1,,\n0,u,3\n")
    found = prepare(DataConfig("csv", {"path": str(other), "missing": "mean"}, validation=0, test=0), known=legend)
    first, second = found.whole().all()["features"].tolist()
    median = float(training(learnt, 5).double().square().quantile(0.5))
    assert first == pytest.approx([median, 1, 0, 1, 1])
    assert second == [3, 0, 1, 0, 0]
    assert found.whole().labels().tolist() == [1, 0]


def test_an_older_legend_without_these_words_is_read(config) -> None:
    learnt = prepare(config(HOLES, missing="mean"))
    state = json.loads(learnt.legend([learnt.fields[0]]).to_json())
    form = state["inputs"][0]["form"]
    del form["filling"], form["constant"]
    for column in form["columns"]:
        del column["flagged"]
        column["usual"] = "u" if column["categories"] else ""
    old = Legend.from_json(json.dumps(state)).inputs[0].form
    assert (old.filling, old.columns[1].usual) == ("mean", "u")


def test_a_class_that_the_network_does_not_know_is_named_with_its_row(config, tmp_path) -> None:
    learnt = prepare(config(CARS))
    legend = learnt.legend([learnt.fields[0]])
    other = tmp_path / "other.csv"
    other.write_text(CARS.replace("3,2,red,103.5,no", "3,2,red,103.5,perhaps"))
    with pytest.raises(DataError, match=r"other.csv, row 5: the network does not know the class 'perhaps' of sold"):
        prepare(DataConfig("csv", {"path": str(other)}), known=legend)


def test_names_that_differ_in_case_and_blanks_are_the_same_column(config) -> None:
    text = CARS.replace("id,doors,colour,price,sold", "ID, Number of Doors ,Colour,list_price,Sold")
    told = config(text, roles="id=ignore, number_of_doors=category", ignore="LIST PRICE")
    assert columns(told) == ("Number of Doors=2", "Number of Doors=3", "Number of Doors=4", *columns(told)[3:])
    assert len(columns(told)) == 6


def test_two_names_that_differ_in_case_alone_stay_two_columns(config) -> None:
    assert columns(config("a,A,y\n1,2,0\n3,4,1\n", ignore="A")) == ("a",)
    with pytest.raises(DataError, match="no column 'á'"):
        prepare(config("a,A,y\n1,2,0\n3,4,1\n", ignore="á"))


def test_text_without_a_mark_in_utf_16_is_read(tmp_path) -> None:
    path = tmp_path / "t.csv"
    for encoding in ("utf-16-le", "utf-16-be"):
        path.write_bytes("größe,y\n1,a\n2,b\n".encode(encoding))
        assert open_source(DataConfig("csv", {"path": str(path)})).fields[0].columns == ("größe",)


def test_a_guessed_encoding_and_a_name_that_stands_twice_are_said(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("größe,größe,y\n1,2,5 €\n2,3,6 €\n".encode("cp1252"))
    table = open_source(DataConfig("csv", {"path": str(path)}))
    assert table.fields[1].classes == ("5 €", "6 €")
    assert table.notes == (
        "the text is not UTF-8 and was read as Windows-1252 (Latin-1): look whether all letters are right",
        "a second column is called 'größe'; it is 'größe_2' here",
    )


def test_damaged_utf_16_is_named_with_its_row(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("a,y\n1,2\n".encode("utf-16") + b"\x00")
    with pytest.raises(DataError, match="UTF-16 but damaged"):
        open_source(DataConfig("csv", {"path": str(path)}))


def test_a_column_of_numbers_and_many_texts_is_text(config) -> None:
    tickets = "ticket,x,y\n" + "".join(f"{'A/' * (i % 3 == 0)}{i * 77},{i},{i % 2}\n" for i in range(60))
    assert columns(config(tickets)) == ("x",)
    words = tickets.replace("A/", "x")
    assert open_source(config(words)).notes == ("text column 'ticket' has 60 different values and was left out",)
    unknown = "size,y\n" + "".join(f"{'unknown' if i % 3 == 0 else i},{i % 2}\n" for i in range(60))
    with pytest.raises(DataError, match="'unknown' where a number belongs"):
        prepare(config(unknown))


def test_a_role_is_changed_and_given_back() -> None:
    options = {"path": "t.csv", "ignore": 'id, "name, first"', "roles": "Doors=number"}
    one = with_role(options, "doors", "category")
    assert one == {"path": "t.csv", "ignore": 'id, "name, first"', "roles": "doors=category"}
    assert with_role(one, "name, first", "number") == {
        "path": "t.csv",
        "ignore": "id",
        "roles": 'doors=category, "name, first=number"',
    }
    assert with_role(one, "doors", None) == {"path": "t.csv", "ignore": 'id, "name, first"'}
    assert with_role({"path": "t.csv", "roles": "a=target, b=ignore"}, "b", "target") == {
        "path": "t.csv",
        "target": "b",
    }
