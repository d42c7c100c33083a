"""Modules become drawings that compute the same, through file and source; what cannot be is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from importers.modules import CASES, Residual, SharedLayer
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
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = SharedLayer()

        def forward(self, x: Tensor) -> Tensor:
            y = torch.special.bessel_j0(self.inner(x))
            return torch.relu(torch.special.i0(y))

    report = import_module(Odd(), torch.randn(2, 6)).report
    assert [n.operation for n in report.errors] == ["special_bessel_j0", "special_i0"]
    assert report.largest_difference is None


def test_a_path_chosen_by_values_is_noted() -> None:
    class Chooses(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + 1 if x.sum() > 0 else x - 1

    report = import_module(Chooses(), torch.ones(2, 3)).report
    assert "looks at the values" in report.notes[0].message


def test_another_path_for_each_batch_size_is_refused() -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(x) if x.size(0) % 2 else torch.tanh(x)

    with pytest.raises(ImportFailed, match="number of examples in a batch"):
        import_module(Odd(), torch.ones(2, 3))


def test_a_module_that_does_not_take_the_examples_is_refused_in_a_sentence() -> None:
    with pytest.raises(ImportFailed, match="Residual fails on a batch of 2 examples"):
        import_module(Residual(), torch.randn(1, 4, 16, 16))
    with pytest.raises(ImportFailed, match=r"A torch\.nn\.Module is needed"):
        import_module(3, torch.ones(1))  # type: ignore[arg-type]
