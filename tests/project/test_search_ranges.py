"""What may be varied in a project: ranges, the paths they stand at, and their place in the file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgui import builder
from deepgui.catalog.spec import ParamSpec
from deepgui.graph.values import Block
from deepgui.project import file
from deepgui.project.ranges import Choices, Range, size
from deepgui.project.search import UNSET, SearchError, complaints, label, merged, parse, value_at, with_value
from deepgui.project.values import DataConfig, Project, TrainingConfig, with_block


def project() -> Project:
    net = builder.Network("net")
    x = net.add("Linear", net.add("Input", shape=(4,)), out_features=8)
    net.add("Output", net.add("Dropout", x))
    made = net.project(data=DataConfig("iris"), training=TrainingConfig(objective_options={"label_smoothing": 0.1}))
    return with_block(made, "Residual", Block(made.main, (ParamSpec("width", "int", default=8),)))


PATHS = {
    "training.batch_size": (32, 64),
    "training.optimizer": ("Adam", "SGD"),
    "training.optimizer_options.lr": (1e-3, 0.1),
    "training.optimizer_options.weight_decay": (UNSET, 0.01),
    "training.objective_options.label_smoothing": (0.1, 0.2),
    "data.normalize": ("standard", "none"),
    "network.linear.out_features": (8, 16),
    "network.dropout.p": (UNSET, 0.3),
    "network.dropout.bypass": (False, True),
    "block.Residual.width": (8, 4),
    "block.Residual.linear.out_features": (8, 2),
    "block.Residual.dropout.bypass": (False, True),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_names_one_value_and_changes_nothing_else(path):
    before, after = PATHS[path]
    assert value_at(project(), path) == before
    changed = with_value(project(), path, after)
    assert value_at(changed, path) == after
    for other, (value, _) in PATHS.items():
        if other != path:
            assert value_at(changed, other) == value
    if before is not UNSET:
        assert with_value(changed, path, before) == project()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("training.batchsize", "did you mean batch_size"),
        ("training.optimizer_options", "like training.optimizer_options.lr"),
        ("training.batch_size.lr", "no entry lr"),
        ("training.layers.conv1", "no setting training.layers"),
        ("training", "names nothing"),
        ("network.linea.out_features", "did you mean linear"),
        ("net.linear.out_features", "did you mean network"),
        ("block.Residuals.width", "did you mean Residual"),
        ("block.Residual.depth", "has no parameter depth"),
        ("network..bypass", "names nothing"),
    ],
)
def test_a_path_that_leads_nowhere_is_explained(path, words):
    with pytest.raises(SearchError, match=words):
        value_at(project(), path)
    assert words in complaints(merged(project(), {path: Range(1, 2)}))[0]


def test_a_bypass_is_on_or_off():
    with pytest.raises(SearchError, match="on or off"):
        with_value(project(), "network.dropout.bypass", 3)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Range(2, 1), "from a smaller to a larger"),
        (Range(0.0, 1.0, log=True), "above 0"),
        (Range(1, 9, log=True, step=2), "cannot be logarithmic"),
        (Range(1, 9, step=0), "a step between"),
        (Range(1, 9, step=0.5), "whole numbers"),
        (Range(1.0, float("inf")), "from a smaller to a larger"),
        (Choices(("a",)), "at least two"),
        (Choices((1, 2, 1)), "twice"),
    ],
)
def test_a_range_that_cannot_be_is_explained(choice, words):
    assert words in choice.complaint
    assert words in complaints(merged(project(), {"training.epochs": choice}))[0]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("training.batch_size=16..128", Range(16, 128)),
        ("training.batch_size=16..128:16", Range(16, 128, step=16)),
        ("training.batch_size=16..128:log", Range(16, 128, log=True)),
        ("training.optimizer_options.lr=1e-4..0.1:log", Range(1e-4, 0.1, log=True)),
        ("training.optimizer=Adam,SGD", Choices(("Adam", "SGD"))),
        ("network.dropout.bypass=true,False", Choices((True, False))),
        ("training.clip_grad_norm=none,1,0.5", Choices((None, 1, 0.5))),
    ],
)
def test_ranges_can_be_typed(text, made):
    path, choice = parse(text)
    assert (path, choice) == (text.partition("=")[0], made)
    assert [type(v) for v in getattr(choice, "values", ())] == [type(v) for v in getattr(made, "values", ())]


@pytest.mark.parametrize(
    "text", ["lr", "=1..2", "a.b=", "training.epochs=a..b", "training.epochs=9..1", "training.epochs=1"]
)
def test_what_is_no_range_is_refused_in_a_sentence(text):
    with pytest.raises(SearchError):
        parse(text)


def test_combinations_are_counted_where_they_can_be():
    choices = {"a": Choices((1, 2)), "b": Range(1, 5), "c": Range(0.0, 1.0, step=0.25)}
    assert size(choices) == 2 * 5 * 5
    assert Range(0.0, 1.0, step=0.25).finite() == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert size({**choices, "d": Range(0.0, 1.0)}) is None
    assert Range(16, 128, step=16).holds(32)
    assert not Range(16, 128, step=16).holds(33)
    assert not Range(1, 5).holds(2.0)
    assert not Range(0, 5).holds(True)
    assert not Choices((0, 1)).holds(False)


def test_paths_have_words_for_people():
    assert label(project(), "training.optimizer_options.lr") == "optimizer lr"
    assert label(project(), "training.batch_size") == "batch size"
    assert label(project(), "network.linear.out_features") == "linear out_features"


numbers = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6).map(lambda x: x + 0.0)
ranges = st.builds(Range, numbers, numbers, st.booleans(), st.none() | numbers).filter(lambda r: not r.complaint)
values = st.none() | st.booleans() | numbers | st.text(max_size=5) | st.tuples(numbers, numbers)
choices = st.builds(Choices, st.lists(values, min_size=2, max_size=4).map(tuple)).filter(lambda c: not c.complaint)


@given(st.dictionaries(st.sampled_from(list(PATHS)), ranges | choices, max_size=4))
def test_what_is_marked_is_in_the_file_and_no_part_of_the_meaning(search):
    marked = merged(project(), search)
    again = file.from_text(file.to_text(marked))
    assert again == marked
    assert list(again.search) == list(search)
    assert file.meaning_hash(marked) == file.meaning_hash(project())


def test_a_project_without_a_search_has_the_file_it_had():
    assert '"search"' not in file.to_text(project())


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ({"low": 1}, "high"),
        ({"low": 2, "high": 1}, "from a smaller"),
        ({"low": 1, "high": 2, "steps": 1}, "did you mean step"),
        ({"choices": [1]}, "at least two"),
        ({"choices": [1, 2], "low": 1}, "low"),
        ([1, 2], "must be an object"),
    ],
)
def test_a_search_in_a_file_that_cannot_be_is_refused_with_its_place(raw, place):
    plain = json.loads(file.to_text(project()))
    plain["search"] = {"training.epochs": raw}
    with pytest.raises(file.FileError, match=place) as refused:
        file.from_text(json.dumps(plain))
    assert refused.value.place[:2] == ("search", "training.epochs")
