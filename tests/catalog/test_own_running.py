"""Layers of one's own run only once trusted, and then are layers like others; their failures are sentences."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from own_sources import SWIGLU, drawn, plain

import deepgui
from deepgui.catalog.own import loading
from deepgui.graph.problems import NetworkError
from deepgui.graph.values import Network, Node, Wire
from deepgui.project import own, trust
from deepgui.project.values import Project


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is trusted at first."""
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(trust, "_until_the_end", set())
    for memory in (loading._ready, loading._failed):
        memory.clear()
    for name in [n for n in sys.modules if n.startswith("deepgui_own.")]:
        del sys.modules[name]
    return tmp_path


def _messages(project: Project) -> list[str]:
    return [p.message for p in deepgui.check(project).problems]


def _trusted(kind: str, source: str) -> Project:
    trust.trust(source)
    return drawn(kind, source)


def test_code_that_nobody_trusted_is_shown_and_checked_but_never_run(home: Path) -> None:
    mark = home / "ran"
    project = drawn("SwiGLU", f"open({str(mark)!r}, 'w').close()\n{SWIGLU}")
    assert _messages(project) == [
        "own: SwiGLU is Python code that you have not trusted yet: look at it, then trust it in the window or "
        "with --trust."
    ]
    with pytest.raises(NetworkError, match="not trusted yet"):
        deepgui.compile(project)
    with pytest.raises(NetworkError, match="not trusted yet"):
        deepgui.to_python(project)
    assert not mark.exists()
    own.trust_all(project)
    assert _messages(project) == []
    assert mark.exists()


def test_trust_is_of_the_very_source_and_can_be_taken_back() -> None:
    trust.trust(SWIGLU)
    assert trust.trusted(SWIGLU)
    assert not trust.trusted(SWIGLU + "\n")
    trust.forget(SWIGLU)
    assert not trust.trusted(SWIGLU)


def test_a_trusted_layer_is_a_layer_like_any_other() -> None:
    project = _trusted("SwiGLU", SWIGLU)
    node = deepgui.check(project).nodes["own"]
    assert (node.params["in_features"], node.inferred) == (4, {"in_features"})
    assert str(node.outputs["output"]) == "N×4"
    assert node.parameters == 3 * 4 * 8
    torch.manual_seed(0)
    module = deepgui.compile(project)
    assert list(module.state_dict()) == ["own.gate.weight", "own.up.weight", "own.down.weight"]
    again = pickle.loads(pickle.dumps(module.own))
    x = torch.randn(2, 4)
    assert torch.equal(again(x), module(x))


def test_the_exported_source_has_the_class_and_needs_no_deepgui(monkeypatch: pytest.MonkeyPatch) -> None:
    project = _trusted("SwiGLU", SWIGLU)
    torch.manual_seed(0)
    module = deepgui.compile(project)
    source = deepgui.to_python(project)
    assert "deepgui" not in source
    assert "def gated(" in source
    assert source.count("from torch import nn") == 1
    names: dict[str, object] = {"__name__": "__main__"}  # the layer's own main must not run
    exec(source, names)
    torch.manual_seed(0)
    written = names["Drawn"]()  # type: ignore[operator]
    x = torch.randn(2, 4)
    assert torch.equal(written(x), module(x))


def test_a_network_called_like_the_layer_gets_another_name_in_source() -> None:
    project = replace(_trusted("Drawn", plain("Drawn")), name="Drawn")
    source = deepgui.to_python(project)
    assert "class Drawn(nn.Module)" in source
    assert "class Drawn_2(nn.Module)" in source
    assert "self.own = Drawn()" in source


def test_two_sources_that_mean_different_things_by_a_name_are_not_mixed() -> None:
    one = plain("One", "return helper(x)") + "\n\ndef helper(x):\n    return x\n"
    two = plain("Two", "return helper(x)") + "\n\ndef helper(x):\n    return -x\n"
    project = own.with_layer(_trusted("One", one), "Two", two)
    trust.trust(two)
    nodes = {**project.main.nodes, "own2": Node("own2", "Two")}
    wires = (
        Wire("input", "output", "own", "x"),
        Wire("own", "output", "own2", "x"),
        Wire("own2", "output", "output", "input"),
    )
    project = replace(project, networks={"network": Network("network", nodes, wires)})
    assert torch.equal(deepgui.compile(project)(torch.ones(1, 4)), -torch.ones(1, 4))
    with pytest.raises(NetworkError, match="helper means different things"):
        deepgui.to_python(project)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("1 / 0\n" + plain(), "Mine does not run: ZeroDivisionError: division by zero (line 1)"),
        (plain() + "\nraise SystemExit(3)\n", "Mine does not run: SystemExit: 3 (line 12)"),
        (plain() + "\nimport no_such_package\n", "No module named 'no_such_package' (line 12)"),
        (plain() + "\ndel Mine\n", "Mine is no nn.Module: Mine is gone"),
        (plain() + "\nMine = 3\n", "Mine is no nn.Module: Mine is a int"),
        (
            plain() + "\nMine.forward = lambda self, a, b: a\n",
            "takes other arguments than its code says: forward(a, b)",
        ),
        (plain(init="self.__init__()"), "RecursionError: maximum recursion depth exceeded"),
        (plain(init="raise ValueError('too small')"), "ValueError: too small (line 7)"),
        (plain(init="raise SystemExit"), "SystemExit (line 7)"),
        (plain(forward="return x.nothing"), "'Tensor' object has no attribute 'nothing' (line 10)"),
        (plain(forward="return x[0] if x.shape[0] > 85 else x"), "number of dimensions depends on the batch size"),
    ],
)
def test_code_that_fails_is_told_in_a_sentence_with_the_line(source: str, said: str) -> None:
    (message,) = [m for m in _messages(_trusted("Mine", source)) if "nothing arrives" not in m]
    assert said in message
    assert "\n" not in message


def test_a_layer_that_gives_no_tensor_is_told() -> None:
    (message,) = _messages(_trusted("Mine", plain(forward="return {'a': x}")))
    assert message == "own: Mine fails: it returns dict where a tensor is expected."


def test_a_layer_that_has_the_name_of_one_of_pytorchs_is_told() -> None:
    project = _trusted("Linear", plain("Linear"))
    assert any("layer Linear of this project is not used" in m for m in _messages(project))


def test_a_renamed_copy_still_means_its_class() -> None:
    trust.trust(SWIGLU)
    project = drawn("SwiGLU_2", SWIGLU, "SwiGLU")
    assert type(deepgui.compile(project).own).__name__ == "SwiGLU"
