"""What no drawing can say comes in as a layer in Python that still runs, is listed, and asks for trust elsewhere."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from importers.survival import survives
from torch import Tensor, nn

import deepgui
from deepgui import paths
from deepgui.importers.module import import_module
from deepgui.importers.report import Imported, ImportFailed
from deepgui.project import own, trust

SCALE = 2.5


def softened(x: Tensor) -> Tensor:
    return F.gelu(x) * SCALE


class Calls(nn.Module):
    """Functions that the catalogue does not have, with several results, numbers from the batch, and in place."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 6)
        self.bias = nn.Parameter(torch.randn(6))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = torch.special.bessel_j0(self.fc(x)) + torch.special.i0(x).neg().exp().erfinv_()
        left, values, _ = torch.linalg.svd(y.view(-1, 2, 3) + torch.eye(2, 3), full_matrices=False)
        spread = torch.as_strided(y.contiguous(), (x.size(0), 3), (6, 2))
        return values * left.abs().sum((1, 2))[:, None], torch.xlogy(spread.abs(), self.bias[:3].abs())


class Inner(nn.Module):
    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.fc = nn.Linear(width, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)


class ByBatch(nn.Module):
    """Another computation for another number of examples; its constructor's argument is kept nowhere."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(Inner(width, 5), Inner(5, 5), Inner(5, 4))
        self.register_buffer("shift", torch.randn(4))
        self.power = 2

    def forward(self, x: Tensor) -> Tensor:
        h = self.fc(x) + self.shift
        return torch.relu(h) if x.size(0) % 2 else h.pow(self.power) / math.pi


class ByValues(nn.Module):
    """Another computation for other numbers."""

    def __init__(self, threshold: float = 0.0) -> None:
        super().__init__()
        self.threshold = threshold
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        if x.mean() > self.threshold:
            return softened(self.fc(x))
        return x - 1


class Repeats(nn.Module):
    """As many rounds as the numbers ask for."""

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(int(x.abs().max().clamp(max=5))):
            x = x / 2
        return x


class Cut(nn.Module):
    """Keeps as many columns as a number says."""

    def forward(self, x: Tensor) -> Tensor:
        kept = torch.zeros_like(x)
        count = (x[0] > 0).sum().clamp(1, 3)
        kept[:, :count] = x[:, :count]
        return kept


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 4)
        self.odd = ByBatch(4)
        self.rows = nn.Sequential(ByValues(0.1), ByValues(-0.2), Repeats())
        self.last = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.odd(torch.relu(self.rows(self.first(x)))))


def brought(module: nn.Module, example: Tensor, folder: Path) -> Imported:
    imported = import_module(module, example)
    assert imported.report.ok, imported.report
    for size in (1, 2, 5):
        for scale in (0.3, -4.0, 30.0):
            asked = scale * torch.rand(size, *example.shape[1:])
            assert survives(module, imported, (asked,), folder) <= 1e-6
    return imported


def test_calls_without_a_node_run_as_code(tmp_path: Path) -> None:
    torch.manual_seed(0)
    report = brought(Calls(), torch.rand(2, 6) / 2, tmp_path).report
    listed = {n.operation for n in report.code}
    assert {"special_bessel_j0", "special_i0", "erfinv_", "linalg_svd", "as_strided", "xlogy"} <= listed
    assert "bias" not in listed


def test_modules_that_no_drawing_can_say_run_as_code_and_the_rest_is_drawn(tmp_path: Path) -> None:
    torch.manual_seed(0)
    imported = brought(Mixed(), torch.randn(2, 6), tmp_path)
    assert {n.operation: n.where for n in imported.report.code}.keys() == {"ByBatch", "ByValues", "Repeats"}
    kinds = [n.kind for n in imported.project.main.nodes.values()]
    assert kinds == ["Input", "Linear", "Rows", "ReLU", "ByBatch", "Linear", "Output"]
    assert imported.state_dict["odd.shift"].shape == (4,)


def test_a_choice_at_the_very_end_is_found_in_its_module(tmp_path: Path) -> None:
    torch.manual_seed(0)
    imported = brought(nn.Sequential(nn.Linear(4, 4), Repeats()), torch.randn(2, 4) * 9, tmp_path)
    assert [n.kind for n in imported.project.main.nodes.values()] == ["Input", "Linear", "Repeats", "Output"]


def test_a_slice_that_ends_at_a_number_of_the_input(tmp_path: Path) -> None:
    torch.manual_seed(0)
    imported = brought(nn.Sequential(nn.Linear(4, 4), Cut()), torch.randn(2, 4), tmp_path)
    assert "Cut" in {n.operation for n in imported.report.code}


def test_what_the_constructor_was_given_is_kept_where_it_can_be_read() -> None:
    imported = import_module(nn.Sequential(ByValues(0.25), nn.Linear(4, 4)), torch.randn(2, 4))
    (node,) = (n for n in imported.project.main.nodes.values() if n.kind == "ByValues")
    assert node.params == {"threshold": 0.25}
    source = own.layers(imported.project)["ByValues"].source
    assert "def softened" in source
    assert "SCALE = 2.5" in source


def test_imported_code_asks_for_trust_on_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(x) if x.size(0) % 2 else torch.sin(x)

    project = import_module(Elsewhere(), torch.ones(2, 3)).project
    assert own.untrusted(project) == ()
    deepgui.save(project, tmp_path / "net.deepgui")
    monkeypatch.setattr(paths, "user_data", lambda: tmp_path / "other")
    monkeypatch.setattr(trust, "_until_the_end", set())
    assert own.untrusted(deepgui.load(tmp_path / "net.deepgui")) == ("Elsewhere",)


def test_another_package_is_named_as_the_reason() -> None:
    import networkx

    class Foreign(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            networkx.Graph()
            return torch.relu(x) if x.size(0) % 2 else torch.tanh(x)

    with pytest.raises(ImportFailed, match="number of examples in a batch"):
        import_module(Foreign(), torch.ones(2, 3))
