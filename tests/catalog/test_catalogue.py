"""The catalogue says what torch.nn says."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch
from torch import nn

from deepgui.catalog import corrections, snapshot
from deepgui.catalog.builtin import registry
from deepgui.catalog.introspect import module_spec
from deepgui.catalog.operation import Operation
from deepgui.catalog.operations import declare
from deepgui.catalog.spec import Infer, LayerSpec, ParamSpec, PortSpec, Registry, SpecError, Value, parse_index


def test_parameters_are_those_of_the_constructor() -> None:
    conv = registry()["Conv2d"]
    signature = inspect.signature(nn.Conv2d.__init__).parameters
    assert [p.name for p in conv.params] == [n for n in signature if n not in ("self", "device", "dtype")]
    assert all(p.torch_default == signature[p.name].default for p in conv.params if not p.required)
    assert conv.param("padding_mode").choices == ("zeros", "reflect", "replicate", "circular")
    assert conv.param("in_channels").infer == Infer("input", 1)


def test_no_device_or_dtype_and_no_deprecated_argument_is_shown() -> None:
    names = {p.name for s in registry().values() if s.form == "module" for p in s.params}
    assert not names & {"device", "dtype", "size_average", "reduce"}


def test_recurrent_layers_are_read_from_their_overloads() -> None:
    lstm = registry()["LSTM"]
    assert [p.name for p in lstm.params][:3] == ["input_size", "hidden_size", "num_layers"]
    assert lstm.value({}, "batch_first") is True
    assert lstm.param("batch_first").torch_default is False
    assert [(p.name, p.path) for p in lstm.outputs] == [("output", (0,)), ("h_n", (1, 0)), ("c_n", (1, 1))]


def test_ports_depend_on_parameters() -> None:
    pool = registry()["MaxPool2d"]
    assert [p.name for p in pool.active_outputs({})] == ["output"]
    assert [p.name for p in pool.active_outputs({"return_indices": True})] == ["output", "indices"]


def test_every_layer_has_help() -> None:
    assert [k for k, s in registry().items() if not s.summary or not s.doc] == []
    assert [k for k, s in registry().items() if s.summary.startswith(("Alias", ".."))] == []


def test_a_correction_that_no_longer_fits_fails_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(corrections.DEFAULTS, ("Linear", "in_fetures"), 3)
    with pytest.raises(SpecError, match="in_fetures"):
        module_spec(nn.Linear)


def test_an_operation_with_an_argument_torch_lacks_fails_loudly() -> None:
    with pytest.raises(SpecError, match="no argument lhs"):
        declare(Operation("torch.add", "Math", inputs=("lhs", "other")))
    with pytest.raises(SpecError, match="no argument axiss"):
        declare(Operation("torch.cumsum", "Math", {"axiss": 1}))
    with pytest.raises(SpecError, match="does not exist"):
        declare(Operation("torch.fft.sum_of_squares", "Math"))


@pytest.mark.parametrize(
    ("kind", "params", "expected"),
    [
        ("chunk", {"chunks": 3}, ["output_0", "output_1", "output_2"]),
        ("split", {"split_size_or_sections": (2, 2, 4, 8)}, ["output_0", "output_1", "output_2", "output_3"]),
        ("split", {"split_size_or_sections": 4, "outputs": 3}, ["output_0", "output_1", "output_2"]),
        ("unbind", {}, ["output_0", "output_1"]),
    ],
)
def test_an_output_for_every_part(kind: str, params: dict[str, Value], expected: list[str]) -> None:
    assert [p.name for p in registry()[kind].active_outputs(params)] == expected


@pytest.mark.parametrize("text", [":, 0", "..., :-1", "0", "1:, ::2, None", "-3:-1", " : , ... "])
def test_an_index_is_read_as_python_reads_it(text: str) -> None:
    assert registry()["slice"].param("index").check(text) is None
    x = torch.arange(5 * 6 * 7 * 8).reshape(5, 6, 7, 8)
    torch.testing.assert_close(x[parse_index(text)], eval(f"x[{text}]"))


@pytest.mark.parametrize("text", ["", ":, a", "0.5", "..., ...", "::0", "__import__('os')", 3, "1:2:-1", "[0]"])
def test_what_is_no_index_is_refused_in_a_sentence(text: Value) -> None:
    complaint = registry()["slice"].param("index").check(text)
    assert complaint is not None
    assert "index" in complaint


def test_contradictions_are_refused() -> None:
    with pytest.raises(SpecError, match="declared twice"):
        LayerSpec("Twice", "x.Twice", "module", "Other", inputs=(PortSpec("a"), PortSpec("a")))
    with pytest.raises(SpecError, match="no input"):
        LayerSpec("Lost", "x.Lost", "module", "Other", params=(ParamSpec("n", "int", infer=Infer("gone", 1)),))
    with pytest.raises(SpecError, match="declared twice"):
        Registry([LayerSpec("A", "x.A", "module", "Other"), LayerSpec("A", "y.A", "module", "Other")])


@pytest.mark.parametrize(
    ("kind", "param", "value", "words"),
    [
        ("Conv2d", "out_channels", "many", "whole number"),
        ("Conv2d", "out_channels", 0, "at least 1"),
        ("Conv2d", "out_channels", True, "whole number"),
        ("Conv2d", "kernel_size", (3, 3, 3), "2 elements"),
        ("Conv2d", "padding", "sama", "valid or same"),
        ("Conv2d", "padding_mode", "mirror", "one of"),
        ("Dropout", "p", -0.1, "at least 0"),
        ("Dropout", "p", float("nan"), "number"),
        ("Linear", "bias", 1, "true or false"),
    ],
)
def test_bad_values_get_one_sentence(kind: str, param: str, value: object, words: str) -> None:
    complaint = registry()[kind].param(param).check(value)  # type: ignore[arg-type]
    assert complaint is not None
    assert words in complaint
    assert "\n" not in complaint


@pytest.mark.parametrize(
    ("param", "value"), [("padding", "same"), ("padding", (1, 2)), ("kernel_size", 3), ("bias", False)]
)
def test_good_values_pass(param: str, value: object) -> None:
    assert registry()["Conv2d"].param(param).check(value) is None  # type: ignore[arg-type]


def test_snapshot_gives_the_same_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path))
    assert snapshot.load() is None
    snapshot.save(registry())
    assert dict(snapshot.load() or {}) == dict(registry())
    snapshot.path().write_text('[{"kind": 5}]')  # type: ignore[union-attr]
    assert snapshot.load() is None
