"""A compiled project beside the class that its exported source defines."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

import deepgui
from deepgui.project.values import Project


def example_of(project: Project) -> tuple[Tensor, ...]:
    """Random inputs of the shapes that a project's Inputs have, two examples."""
    made = []
    for node in project.main.of_kind("Input"):
        shape = node.params["shape"]
        size = (2, *(shape if isinstance(shape, tuple) else (shape,)))
        dtype = getattr(torch, str(node.params.get("dtype", "float32")))
        made.append(torch.randn(size) if dtype.is_floating_point else torch.randint(0, 2, size).to(dtype))
    return tuple(made)


def source_twin(project: Project, module: nn.Module) -> nn.Module:
    """The exported class with the module's weights."""
    namespace: dict[str, Any] = {}
    exec(deepgui.to_python(project), namespace)
    twin: nn.Module = namespace[type(module).__name__]()
    twin.load_state_dict(module.state_dict())
    return twin


def outputs(module: nn.Module, inputs: tuple[Tensor, ...]) -> Any:
    torch.manual_seed(1)  # some of them draw random numbers
    with torch.no_grad():
        return module(*inputs)
