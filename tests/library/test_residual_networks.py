"""Residual networks of any depth, and the same layers without the skip connections."""

from __future__ import annotations

import pytest
import torch

from deepgui.compiler.build import build
from deepgui.compiler.catalogue import catalogue
from deepgui.library.residual import residual


def _built(**said):
    project = residual(shape=(1, 8, 8), classes=10, width=4, **said).project()
    return build(project.networks["network"], catalogue(project.blocks))


@pytest.mark.parametrize("depth", [20, 56])
@pytest.mark.parametrize("skips", [True, False])
def test_it_has_as_many_layers_as_it_says(depth, skips):
    module = _built(depth=depth, skips=skips)
    layers = [m for m in module.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    around = [m for m in layers if isinstance(m, torch.nn.Conv2d) and m.kernel_size == (1, 1)]
    assert len(layers) - len(around) == depth
    assert len(around) == (2 if skips else 0)
    assert module.eval()(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_a_depth_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match=r"6·n \+ 2 layers"):
        residual(21, (1, 8, 8), 10)
