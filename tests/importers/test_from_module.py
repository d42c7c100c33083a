"""Modules become drawings that compute the same, through file and source; what cannot be is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from importers.modules import CASES, Residual
from importers.survival import survives
from torch import Tensor, nn

import deepgui
from deepgui.importers.module import import_module
from deepgui.importers.report import Imported, ImportFailed


def bring(name: str) -> tuple[nn.Module, Imported, tuple[Tensor, ...]]:
    make, examples = CASES[name]
    torch.manual_seed(0)
    module = make()
    return module, import_module(module, examples), examples


@pytest.mark.parametrize("name", CASES)
def test_answers_are_equal_after_import_file_and_source(name: str, tmp_path: Path) -> None:
    module, imported, examples = bring(name)
    assert imported.report.errors == ()
    assert imported.report.largest_difference is not None
    assert imported.report.largest_difference <= 1e-6
    assert survives(module, imported, tuple(torch.cat([t, t.flip(0), t]) for t in examples), tmp_path) <= 1e-6


def test_comparison_notices_a_difference() -> None:
    class Noisy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.rand(3)

    report = import_module(Noisy(), torch.randn(2, 3)).report
    assert not report.ok


def test_noise_is_compared_with_the_same_noise() -> None:
    class Noisy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.randn_like(x) * torch.rand_like(x)

    imported = import_module(Noisy(), torch.randn(2, 3))
    assert imported.report.ok
    assert [n.kind for n in imported.project.main.nodes.values()][1:3] == ["randn_like", "rand_like"]


def test_arguments_may_have_the_names_that_numpy_gives_them() -> None:
    class Softened(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            highest, _ = x.max(dim=-1, keepdims=True)
            return highest.expand_as(x) - x.sum(axis=1, keepdims=True)

    assert import_module(Softened(), torch.randn(2, 3, 4)).report.ok


def test_settings_that_wires_or_defaults_give_stay_unset() -> None:
    nodes = bring("residual")[1].project.main.nodes
    assert nodes["conv1"].params == {"out_channels": 8, "kernel_size": 3, "stride": 2, "padding": 1, "bias": False}
    assert nodes["bn1"].params == {}
    assert nodes["fc"].params == {"out_features": 5}


def test_shapes_computed_from_the_batch_become_independent_of_it() -> None:
    _, imported, _ = bring("own_attention")
    module = deepgui.compile(imported.project)
    assert [module(torch.randn(n, 5, 16)).shape[0] for n in (1, 4)] == [1, 4]


def test_a_layer_called_twice_stays_one() -> None:
    _, imported, _ = bring("shared_layer")
    assert sorted(imported.state_dict) == ["mix.bias", "mix.weight"]
    assert sum(p.numel() for p in deepgui.compile(imported.project).parameters()) == 42


def test_the_module_is_left_as_it_was() -> None:
    module = Residual().train()
    before = {k: t.clone() for k, t in module.state_dict().items()}
    import_module(module, torch.randn(1, 3, 16, 16))
    assert all(m.training for m in module.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in module.modules())
    assert all(torch.equal(before[k], t) for k, t in module.state_dict().items())


def test_everything_that_cannot_be_expressed_is_listed_at_once() -> None:
    space: dict[str, Any] = {"nn": nn, "torch": torch}  # no source to be had, so that it cannot be code either
    lines = [
        "def forward(self, x):",
        " y = torch.multinomial(x, 6, generator=g) * 1.0",
        " return torch.poisson(y, generator=g)",
    ]
    exec("\n ".join(["g = torch.Generator()", "class Odd(nn.Module):", *lines]).replace(" class", "class"), space)
    report = import_module(space["Odd"](), torch.ones(2, 6)).report
    assert [n.operation for n in report.errors] == ["multinomial", "poisson"]
    assert report.largest_difference is None


def test_what_is_no_node_is_taken_apart_by_torch_export(tmp_path: Path) -> None:
    class Composite(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm, self.out = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.norm(self.conv(x))
            return self.out(torch.special.expit(torch.addcdiv(x, x, x.abs() + 1)).mean((2, 3)))

    module = Composite()
    imported = import_module(module, torch.randn(1, 3, 8, 8))
    assert (imported.report.way, imported.report.ok) == ("torch.export", True)
    kinds = [n.kind for n in imported.project.main.nodes.values()]
    assert {"Conv2d", "BatchNorm2d", "Linear"} < set(kinds)
    assert survives(module, imported, (torch.randn(3, 3, 8, 8),), tmp_path) <= 1e-6


def test_looking_at_values_is_noted_where_it_changes_nothing() -> None:
    class Careful(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if torch.isnan(x).any():
                raise ValueError("not a number")
            return x + 1

    imported = import_module(Careful(), torch.ones(2, 3))
    assert [n.severity for n in imported.report.notes] == ["note"]
    assert "looks at the values" in imported.report.notes[0].message
    assert "add" in {n.kind for n in imported.project.main.nodes.values()}


def test_a_module_that_does_not_take_the_examples_is_refused_in_a_sentence() -> None:
    with pytest.raises(ImportFailed, match="Residual fails on a batch of 2 examples"):
        import_module(Residual(), torch.randn(1, 4, 16, 16))
    with pytest.raises(ImportFailed, match=r"A torch\.nn\.Module is needed"):
        import_module(3, torch.ones(1))  # type: ignore[arg-type]


def test_submodules_built_alike_become_one_block_in_a_row() -> None:
    _, imported, _ = bring("residual")
    project = imported.project
    assert list(project.blocks) == ["ResidualBlock"]
    assert [n.kind for n in project.main.nodes.values()].count("ResidualBlock") == 1
    assert project.main.nodes["blocks"].params == {"repeat": 3}
    assert "blocks.2.conv1.weight" in imported.state_dict
    assert project.main.layout.keys() == project.main.nodes.keys()


def test_submodules_that_differ_in_settings_are_one_block_with_parameters(tmp_path: Path) -> None:
    class Unit(nn.Module):
        def __init__(self, before: int, width: int, stride: int) -> None:
            super().__init__()
            self.conv = nn.Conv2d(before, width, 3, stride=stride, padding=1)
            self.again = nn.Conv2d(width, width, 1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(self.again(self.conv(x)))

    class Stages(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = Unit(3, 4, 1), Unit(4, 8, 2), Unit(8, 8, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.c(self.b(self.a(x)))

    module = Stages()
    imported = import_module(module, torch.randn(1, 3, 8, 8))
    (block,) = imported.project.blocks.values()
    assert {p.name: p.default for p in block.params} == {"out_channels": 4, "stride": 1}
    uses = [dict(n.params) for n in imported.project.main.nodes.values() if n.kind == "Unit"]
    assert uses[0] == {}
    assert {"out_channels": 8, "stride": 2} in (uses[1], {k: v for k, v in uses[1].items() if k != "repeat"})
    assert survives(module, imported, (torch.randn(3, 3, 8, 8),), tmp_path) <= 1e-6


def test_parts_cut_at_different_places_are_blocks_of_their_own(tmp_path: Path) -> None:
    class Cut(nn.Module):
        def __init__(self, at: int) -> None:
            super().__init__()
            self.at = at
            self.fc = nn.Linear(6, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(x)[:, : self.at].sum(1, keepdim=True) + x

    module = nn.Sequential(Cut(2), Cut(3))
    imported = import_module(module, torch.randn(2, 6))
    assert len(imported.project.blocks) == 2
    assert survives(module, imported, (torch.randn(3, 6),), tmp_path) <= 1e-6


def test_a_submodule_whose_inside_another_reads_stays_flat() -> None:
    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.second(self.first(x))

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Inner()

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(torch.tanh(self.inner(x)))

    imported = import_module(Outer(), torch.randn(2, 4))
    assert imported.report.ok
    assert sum(p.numel() for p in deepgui.compile(imported.project).parameters()) == 40
