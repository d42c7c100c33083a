"""The whole of torch.nn can be placed, or there is a reason; the page that says so is up to date."""

from __future__ import annotations

import inspect
from pathlib import Path

import torch
from torch import nn

from deepgui.catalog import page
from deepgui.catalog.builtin import registry
from deepgui.catalog.coverage import coverage

DOCS = Path(__file__).parents[2] / "docs" / "layers.md"


def test_every_public_module_of_torch_nn_is_placeable_or_left_out_with_a_reason() -> None:
    found = coverage(registry())
    assert found.missing == ()
    assert found.percent == 100
    said = {*found.layers, *found.losses, *found.left_out}
    named = {n for n in nn.modules.__all__ if inspect.isclass(getattr(nn, n)) and issubclass(getattr(nn, n), nn.Module)}
    assert len(named) > 150
    assert named <= said
    assert all(found.left_out.values())
    assert not set(found.left_out) & registry().keys()


def test_a_layer_that_is_not_in_the_catalogue_is_reported() -> None:
    without = {kind: spec for kind, spec in registry().items() if kind not in ("Conv2d", "CTCLoss")}
    found = coverage(without)
    assert found.missing == ("CTCLoss", "Conv2d")
    assert found.percent < 100


def test_nothing_is_left_out_but_bases_containers_wrappers_and_twins() -> None:
    for name in coverage(registry()).left_out:
        placeable = not issubclass(getattr(nn, name), nn.modules.lazy.LazyModuleMixin) and name != "NLLLoss2d"
        assert not placeable or name.endswith(("Base", "Module", "Container", "List", "Dict", "Sequential", "Parallel"))


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert all(f"`{kind}`" in text for kind in registry())
    if f"torch {'.'.join(torch.__version__.split('.')[:2])}:" in text:  # another version words its help otherwise
        assert text == page.page(registry()), "run: python -m deepgui.catalog.page > docs/layers.md"
